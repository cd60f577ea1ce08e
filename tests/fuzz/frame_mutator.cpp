// Changes one frame of a conversation and mends the lengths around the change:
// libFuzzer alone, which knows nothing of them, gets past the first frame only
// by chance. One change in four is left to it, so that lengths are wrong, too.
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"
#include "testing/seed.hpp"
#include "tests/support/hex.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using rookery::amqp::reader;
using rookery::testing::random_source;
using rookery::tests::hex;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                        std::size_t size_max);

namespace {

constexpr std::size_t header_bytes = 8;
constexpr std::size_t list_at = header_bytes + 3; // behind 00 53 <code>
constexpr std::size_t fields_at = list_at + 3;    // behind c0 <size> <count>

std::size_t size_of(std::string_view frame) {
  std::size_t result = 0;
  for (char c : frame.substr(0, 4))
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

/// Headers and frames; what is behind the last, if anything, is one piece more.
std::vector<std::string> split(std::string_view all) {
  std::vector<std::string> result;
  while (!all.empty()) {
    auto n = all.starts_with("AMQP") ? header_bytes : size_of(all);
    if (n < header_bytes || n > all.size())
      n = all.size();
    result.emplace_back(all.substr(0, n));
    all.remove_prefix(n);
  }
  return result;
}

bool has_fields(std::string_view frame) {
  return frame.size() >= fields_at && !frame.starts_with("AMQP")
         && frame[list_at] == '\xc0'
         && list_at + 2 + static_cast<unsigned char>(frame[list_at + 1])
                <= frame.size();
}

/// The fields of a frame that has some, each as its bytes; nothing when they
/// are not well-formed.
std::vector<std::string> fields_of(std::string_view frame) {
  const auto size = static_cast<unsigned char>(frame[list_at + 1]);
  const auto bytes = frame.substr(fields_at, size > 0 ? size - 1U : 0U);
  reader in{bytes, 32};
  std::vector<std::string> result;
  while (!in.done()) {
    const auto start = in.offset();
    in.skip();
    if (in.failed())
      return {};
    result.emplace_back(bytes.substr(start, in.offset() - start));
  }
  return result;
}

void put_fields(std::string& frame, const std::vector<std::string>& fields) {
  const auto old = static_cast<unsigned char>(frame[list_at + 1]);
  std::string bytes;
  for (const auto& each : fields)
    bytes += each;
  if (bytes.size() > 254 || fields.size() > 255)
    return;
  frame.replace(fields_at, old > 0 ? old - 1U : 0U, bytes);
  frame[list_at + 1] = static_cast<char>(bytes.size() + 1);
  frame[list_at + 2] = static_cast<char>(fields.size());
}

void mend_size(std::string& frame) {
  if (frame.size() < header_bytes || frame.starts_with("AMQP"))
    return;
  for (std::size_t i = 0; i < 4; ++i)
    frame[i] = static_cast<char>(frame.size() >> (24 - 8 * i));
}

/// `bytes`, changed by libFuzzer.
void change(std::string& bytes, std::size_t from) {
  auto part = bytes.substr(from);
  const auto size = part.size();
  part.resize(size + 40);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(part.data()),
                               size, part.size()));
  bytes.replace(from, std::string::npos, part);
}

std::string telling_value(random_source& random) {
  static const std::array<std::string, 18> all{
      hex("40"),
      hex("41"),
      hex("42"),
      hex("43"),
      hex("52 01"),
      hex("52 ff"),
      hex("70 7f ff ff ff"),
      hex("70 80 00 00 00"),
      hex("70 ff ff ff ff"),
      hex("60 00 00"),
      hex("50 01"),
      hex("a0 01 't'"),
      hex("a1 09 '/queues/q'"),
      hex("00 53 28 c0 0c 01 a1 09 '/queues/q'"),
      hex("00 53 29 c0 0c 01 a1 09 '/queues/c'"),
      hex("00 53 29 45"),
      hex("00 53 24 45"),
      hex("00 53 27 c0 03 02 41 41"),
  };
  return all[random.below(all.size())];
}

void change_fields(std::string& frame, random_source& random) {
  auto fields = fields_of(frame);
  if (fields.empty())
    return change(frame, header_bytes);
  const auto at = random.below(fields.size());
  switch (random.below(5)) {
  case 0:
    fields[at] = telling_value(random);
    break;
  case 1:
    fields[at] = fields[random.below(fields.size())];
    break;
  case 2:
    fields.resize(at + 1);
    break;
  case 3:
    fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(at),
                  telling_value(random));
    break;
  default:
    change(fields[at], 0);
  }
  put_fields(frame, fields);
}

void change_piece(std::string& piece, random_source& random) {
  const auto size =
      has_fields(piece) ? static_cast<unsigned char>(piece[list_at + 1]) : 0U;
  const auto payload = list_at + 2 + size;
  if (size > 0 && payload < piece.size() && random.below(2) == 0)
    change(piece, payload);
  else if (size > 0)
    change_fields(piece, random);
  else
    change(piece, 0);
  // A channel is hard to hit.
  if (piece.size() > header_bytes && random.below(8) == 0)
    piece[7] = static_cast<char>(random.below(3));
  mend_size(piece);
}

void change_order(std::vector<std::string>& pieces, random_source& random) {
  const auto place = [&](std::size_t i) {
    return pieces.begin() + static_cast<std::ptrdiff_t>(i);
  };
  const auto at = random.below(pieces.size());
  const auto other = random.below(pieces.size());
  switch (random.below(3)) {
  case 0:
    pieces.erase(place(at));
    break;
  case 1:
    pieces.insert(place(at), std::string{pieces[other]});
    break;
  default:
    std::swap(pieces[at], pieces[other]);
  }
}

} // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                               std::size_t size,
                                               std::size_t size_max,
                                               unsigned int seed) {
  random_source random{seed};
  auto pieces = split({reinterpret_cast<const char*>(data), size});
  if (pieces.empty() || random.below(4) == 0)
    return LLVMFuzzerMutate(data, size, size_max);
  if (random.below(4) == 0)
    change_order(pieces, random);
  else
    change_piece(pieces[random.below(pieces.size())], random);
  std::string all;
  for (const auto& each : pieces)
    all += each;
  const auto n = std::min(all.size(), size_max);
  std::memcpy(data, all.data(), n);
  return n;
}
