#pragma once

#include "tests/support/hex.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::tests {

inline const std::string amqp_header = hex("'AMQP' 00 01 00 00");
inline const std::string sasl_header = hex("'AMQP' 03 01 00 00");

inline std::string big_endian(std::size_t x) {
  std::string result;
  for (int shift = 24; shift >= 0; shift -= 8)
    result += static_cast<char>(x >> shift);
  return result;
}

/// A frame around `body`; `type` 0 = AMQP, 1 = SASL.
inline std::string raw_frame(std::string_view body, std::uint16_t channel = 0,
                             char type = 0) {
  const auto size = body.size() + 8;
  auto result = big_endian(size);
  result += {2, type};
  result += static_cast<char>(channel >> 8);
  result += static_cast<char>(channel & 0xff);
  return result.append(body);
}

/// A performative: its descriptor and its fields, at most 250 bytes of them.
inline std::string performative(int code, int count, std::string_view fields) {
  std::string result{'\0',
                     0x53,
                     static_cast<char>(code),
                     '\xc0',
                     static_cast<char>(fields.size() + 1),
                     static_cast<char>(count)};
  return result.append(fields);
}

inline std::string sasl_frame(int code, int count, std::string_view fields) {
  return raw_frame(performative(code, count, fields), 0, 1);
}

inline std::string raw_open() {
  return raw_frame(performative(0x10, 1, hex("a1 01 'p'")));
}
inline std::string raw_begin(std::uint16_t channel = 0) {
  return raw_frame(performative(0x11, 4, hex("40 43 52 64 52 64")), channel);
}
/// The peer attaches a link of its own, as its sender.
inline std::string raw_attach(char handle = 0, std::uint16_t channel = 0,
                              std::string_view target = "/queues/q") {
  const auto size = static_cast<char>(target.size());
  auto to =
      hex("00 53 29 c0") + static_cast<char>(size + 3) + hex("01 a1") + size;
  to += target;
  return raw_frame(
      performative(0x12, 7,
                   hex("a1 01 'l' 52") + handle
                       + hex("42 40 40 00 53 28 c0 04 01 a1 01 's'") + to),
      channel);
}

inline std::string raw_text(std::string_view x) {
  return hex("a1") + static_cast<char>(x.size()) + std::string{x};
}

/// One half of a management link pair; `sends`: it brings requests, as handle
/// 1, else it takes answers, as handle 0.
inline std::string raw_management(bool sends, std::string_view name = "m") {
  const auto terminus = [](const std::string& code, bool node) {
    const auto address = raw_text(node ? "/management" : "me");
    return hex("00 53") + code + hex("c0")
           + static_cast<char>(address.size() + 1) + hex("01") + address;
  };
  return raw_frame(
      performative(0x12, 14,
                   raw_text(name) + (sends ? hex("52 01 42") : hex("43 41"))
                       + hex("50 01 40") + terminus(hex("28"), !sends)
                       + terminus(hex("29"), sends)
                       + hex("40 40 43 40 40 40 c1 0a 02 a3 06 'paired' 41")));
}

/// The fields of a transfer; an empty one is not sent, but for those in front
/// of others, which are null then.
struct raw_transfer {
  std::string handle = hex("43");
  std::string delivery_id = hex("43");
  std::string tag = hex("a0 01 't'");
  std::string more = hex("42");
  std::string aborted = hex("42");
  std::string payload = hex("00 53 75 a0 01 'x'");

  [[nodiscard]] std::string frame(std::uint16_t channel = 0) const {
    return raw_frame(performative(0x14, 10,
                                  handle + delivery_id + tag + hex("43 42")
                                      + more + hex("40 40 40") + aborted)
                         + payload,
                     channel);
  }
};

// States of a delivery, and whether it is settled.
inline const std::string raw_accepted = hex("00 53 24 45");
inline const std::string raw_rejected =
    hex("00 53 25 c0 0b 01 00 53 1d c0 05 01 a3 02 'no'");
inline const std::string raw_settled = hex("41");
inline const std::string raw_unsettled = hex("42");

/// A DISPOSITION, without its frame, about the deliveries `first` to `last`,
/// which may be null; what the peer of a receiver says has another `role`.
inline std::string raw_disposition(const std::string& first,
                                   const std::string& last,
                                   const std::string& how,
                                   const std::string& state,
                                   const std::string& role = hex("41")) {
  return performative(0x15, 5, role + first + last + how + state);
}

/// A list within a list, `depth` times.
inline std::string raw_nested(std::size_t depth) {
  constexpr std::size_t head = 9; // of a list with one element
  std::string result;
  for (auto inner = depth; inner-- > 0;)
    result += hex("d0") + big_endian(5 + head * inner) + big_endian(1);
  return result + hex("45");
}

} // namespace rookery::tests
