#include "bridge/amqp/frame_guard.hpp"

#include "bridge/amqp/condition_names.hpp"
#include "bridge/amqp/performative.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t header_bytes = 8; // of a protocol, and of a frame
constexpr std::size_t sasl_frame_bytes_max = 512;
constexpr std::uint32_t frame_bytes_min = 512; // the least maximum, by AMQP
constexpr std::uint8_t amqp_frame = 0;
constexpr std::uint8_t sasl_frame = 1;
constexpr auto amqp_name = "AMQP"sv;
constexpr auto amqp_header = "AMQP\x00\x01\x00\x00"sv;
constexpr auto sasl_header = "AMQP\x03\x01\x00\x00"sv;
constexpr std::uint8_t tls_id = 2; // where amqp_header has 0

std::uint8_t byte(std::string_view x, std::size_t i) {
  return static_cast<std::uint8_t>(x[i]);
}

std::uint32_t big_endian(std::string_view x) {
  std::uint32_t result = 0;
  for (char c : x)
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

} // namespace

frame_guard::frame_guard(const frame_guard_options& options)
    : options_{options} {
  options_.frame_bytes_max = std::max(options.frame_bytes_max, frame_bytes_min);
}

void frame_guard::refuse(const char* name, std::string why) {
  if (reason_.empty())
    reason_ = {name, std::move(why)};
}

std::size_t frame_guard::pass(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && !refused() && phase_ != phase::over) {
    const auto next = bytes.substr(done);
    if (rest_ > 0) {
      const auto n = std::min(rest_, next.size());
      rest_ -= n;
      done += n;
    } else if (head_.empty()) {
      wanted_ = judge(next);
      if (refused())
        break;
      if (wanted_ <= next.size()) {
        const auto n = std::min(frame_bytes_, next.size());
        rest_ = frame_bytes_ - n;
        done += n;
      } else {
        head_ = next;
        done = bytes.size();
      }
    } else {
      const auto n = std::min(wanted_ - head_.size(), next.size());
      head_ += next.substr(0, n);
      if (head_.size() >= wanted_) {
        wanted_ = judge(head_);
        if (refused())
          break;
        if (wanted_ <= head_.size()) {
          rest_ = frame_bytes_ - head_.size();
          head_.clear();
        }
      }
      done += n;
    }
  }
  return done;
}

std::size_t frame_guard::judge(std::string_view begun) {
  if (phase_ == phase::header)
    return judge_header(begun);
  // As a size it would be more than a gigabyte.
  if (phase_ == phase::sasl && begun.front() == amqp_name.front())
    return judge_header(begun);
  return judge_frame(begun);
}

std::size_t frame_guard::judge_header(std::string_view begun) {
  const auto x = begun.substr(0, header_bytes);
  if (!x.starts_with(amqp_name.substr(0, x.size()))) {
    refuse(framing_error, "the peer does not speak AMQP");
    return 0;
  }
  if (x.size() > amqp_name.size() && byte(x, amqp_name.size()) == tls_id) {
    refuse(framing_error, "the peer asks for TLS");
    return 0;
  }
  if (x.size() < header_bytes)
    return x.size() + 1;
  frame_bytes_ = header_bytes;
  if (x == amqp_header && (phase_ == phase::header || sasl_next_ == 0)) {
    phase_ = phase::frames;
  } else if (x == sasl_header && phase_ == phase::header && !sasl_done_) {
    phase_ = phase::sasl;
    sasl_done_ = true;
    sasl_next_ = options_.server ? performative::sasl_init
                                 : performative::sasl_mechanisms;
  } else {
    // The engine answers with the header we want; it gets nothing more.
    phase_ = phase::over;
  }
  return header_bytes;
}

std::size_t frame_guard::judge_frame(std::string_view begun) {
  if (begun.size() < header_bytes)
    return header_bytes;
  const std::size_t size = big_endian(begun.substr(0, 4));
  const std::size_t offset = 4 * std::size_t{byte(begun, 4)};
  const auto type = byte(begun, 5);
  const auto sasl = phase_ == phase::sasl;
  const auto size_max =
      sasl ? sasl_frame_bytes_max : std::size_t{options_.frame_bytes_max};
  if (size > size_max)
    refuse(framing_error, "a frame has " + std::to_string(size)
                              + " bytes, the most is "
                              + std::to_string(size_max));
  else if (offset < header_bytes || offset > size)
    refuse(framing_error, "a frame's header does not fit its size");
  else if (type != (sasl ? sasl_frame : amqp_frame))
    refuse(framing_error, "a frame of another type than may come now");
  if (refused())
    return 0;
  frame_bytes_ = size;
  const auto body_bytes = size - offset;
  if (body_bytes == 0)
    return header_bytes;            // it only says that the peer lives
  constexpr std::size_t enough = 8; // to know a transfer
  if (begun.size() < std::min(size, offset + enough))
    return std::min(size, offset + enough);
  const auto channel =
      static_cast<std::uint16_t>(big_endian(begun.substr(6, 2)));
  const auto body = begun.substr(offset, body_bytes);
  if (!sasl) {
    if (const auto head = transfer_bytes(body); head > body_bytes) {
      refuse(decode_error_name, "a transfer is longer than its frame");
      return 0;
    } else if (head > 0) {
      const auto wanted = offset + head;
      if (begun.size() >= wanted)
        take_transfer(channel, body.substr(0, wanted - offset), body_bytes);
      return wanted;
    }
  }
  if (begun.size() < size)
    return size;
  if (sasl)
    take_sasl(body);
  else
    take_performative(channel, body);
  return size;
}

void frame_guard::take_sasl(std::string_view body) {
  const auto said = parse_performative(body);
  if (!said)
    return refuse(decode_error_name, "a SASL frame is malformed");
  // Of our mechanisms, PLAIN and ANONYMOUS, none has a challenge.
  if (said->code != sasl_next_)
    return refuse(illegal_state, "a SASL frame that may not come now");
  sasl_next_ = said->code == performative::sasl_mechanisms
                   ? performative::sasl_outcome
                   : 0;
}

} // namespace rookery::amqp
