#include "testing/frames.hpp"

#include <algorithm>
#include <cstdint>

namespace rookery::testing {

namespace {

constexpr std::size_t header_bytes = 8;

std::size_t big_endian(std::string_view bytes) {
  std::size_t result = 0;
  for (auto x : bytes)
    result = result << 8 | static_cast<unsigned char>(x);
  return result;
}

// Bytes of a boolean or uint value, as engines write them; 0: another type.
std::size_t plain_bytes(char type) {
  switch (static_cast<unsigned char>(type)) {
  case 0x40: // null
  case 0x41: // true
  case 0x42: // false
  case 0x43: // 0
    return 1;
  case 0x52: // smalluint
  case 0x56: // boolean
    return 2;
  case 0x70: // uint
    return 5;
  default:
    return 0;
  }
}

} // namespace

std::size_t first_frame_bytes(std::string_view written) {
  if (written.size() < header_bytes || written.substr(0, 4) == "AMQP")
    return std::min(written.size(), header_bytes);
  return std::clamp(big_endian(written.substr(0, 4)), header_bytes,
                    written.size());
}

std::optional<std::string> without_outcome(std::string_view frame) {
  using namespace std::string_view_literals;
  if (frame.size() < header_bytes + 6
      || frame.substr(header_bytes, 3) != "\0\x53\x15"sv)
    return std::nullopt;
  auto body = frame.substr(header_bytes + 3);
  auto is_short = body[0] == '\xc0'; // a list8; else a list32
  body.remove_prefix(is_short ? 3 : 9);
  // role, first, last, settled; the state is what follows.
  constexpr std::size_t kept_fields = 4;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < kept_fields; ++i) {
    if (kept >= body.size() || plain_bytes(body[kept]) == 0)
      return std::nullopt;
    kept += plain_bytes(body[kept]);
  }
  auto from_receiver = body[0] == '\x41' || body.substr(0, 2) == "\x56\x01"sv;
  if (!from_receiver || kept >= body.size())
    return std::nullopt;
  std::string result{frame.substr(0, header_bytes + 3)};
  result += '\xc0';
  result += static_cast<char>(kept + 1);
  result += static_cast<char>(kept_fields);
  result += body.substr(0, kept);
  result[2] = '\0';
  result[3] = static_cast<char>(result.size());
  return result;
}

} // namespace rookery::testing
