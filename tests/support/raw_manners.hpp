#pragma once

#include "tests/support/raw_frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::tests {

/// What a broker that agrees to everything says, in bytes: it takes whoever
/// logs in, every session and every link, each under the number that the node
/// gave it, and answers each question with "201". For a script that goes on
/// from there with what no broker says.
class raw_manners {
public:
  struct link {
    std::uint16_t channel = 0;
    std::string handle; // encoded
    std::string name;
    bool node_sends = false;
  };

  // The script.
  std::string sasl_outcome = hex("50 00"); // 0 = logged in
  std::string open = raw_open();
  std::string credit = hex("52 64");          // for each link that sends to us
  std::string window = hex("70 00 00 ff ff"); // of each session, for transfers

  // What happened.
  std::vector<link> links;  // in the order of their ATTACHes
  std::string said;         // bodies of all frames, one after the other
  std::size_t messages = 0; // TRANSFERs, management's not among them
  std::size_t settled = 0;  // DISPOSITIONs, management's not among them

  /// Takes the whole frames in front of `heard`.
  /// @returns what is to be said to them.
  std::string answers_to(std::string& heard) {
    std::string result;
    for (;;) {
      if (heard.size() >= amqp_header.size() && heard.starts_with("AMQP")) {
        if (heard.starts_with(sasl_header))
          result += sasl_header + sasl_frame(0x40, 1, hex("a3 09 'ANONYMOUS'"));
        heard.erase(0, amqp_header.size());
        continue;
      }
      const auto size = heard.size() < 8 ? 8 : number(heard, 0, 4);
      if (heard.size() < size)
        return result;
      const auto channel = static_cast<std::uint16_t>(number(heard, 6, 2));
      const auto body = heard.substr(8, size - 8);
      heard.erase(0, size);
      said += body;
      if (body.size() > 3)
        result += answer(channel, body);
    }
  }

  /// Links besides those of management.
  [[nodiscard]] std::vector<link> plain_links() const {
    std::vector<link> result;
    for (const auto& each : links)
      if (each.name != management)
        result.push_back(each);
    return result;
  }

private:
  static constexpr std::string_view management = "rookery.management";

  static std::size_t number(std::string_view x, std::size_t at,
                            std::size_t width) {
    std::size_t result = 0;
    for (const char c : x.substr(at, width))
      result = result << 8 | static_cast<unsigned char>(c);
    return result;
  }

  std::string answer(std::uint16_t channel, const std::string& body) {
    const std::size_t head = body[3] == '\xc0' ? 6 : 12;
    const auto fields = body.substr(std::min(head, body.size()));
    switch (body[2]) {
    case 0x41:
      return sasl_frame(0x44, 1, sasl_outcome)
             + (sasl_outcome == hex("50 00") ? amqp_header + open : "");
    case 0x11:
      return raw_frame(performative(0x11, 4,
                                    hex("60") + static_cast<char>(channel >> 8)
                                        + static_cast<char>(channel & 0xff)
                                        + hex("43") + window + hex("52 64")),
                       channel);
    case 0x12:
      return attach(channel, fields);
    case 0x14:
      if (links.front().channel == channel)
        return manage();
      ++messages;
      return {};
    case 0x15:
      settled += links.front().channel != channel ? 1 : 0;
      return {};
    case 0x18:
      return raw_frame(performative(0x18, 0, ""));
    default:
      return {};
    }
  }

  std::string attach(std::uint16_t channel, const std::string& fields) {
    const auto name_bytes = 2 + number(fields, 1, 1);
    const auto handle_bytes = fields[name_bytes] == '\x43' ? 1U : 2U;
    const auto& x = links.emplace_back(
        link{channel, fields.substr(name_bytes, handle_bytes),
             fields.substr(2, name_bytes - 2),
             fields[name_bytes + handle_bytes] == '\x42'});
    auto result =
        raw_frame(performative(0x12, 7,
                               fields.substr(0, name_bytes) + x.handle
                                   + hex(x.node_sends ? "41" : "42")
                                   + hex("40 40 00 53 28 c0 04 01 a1 01 's'"
                                         "00 53 29 c0 04 01 a1 01 't'")),
                  channel);
    if (x.node_sends)
      result +=
          raw_frame(performative(0x13, 7,
                                 hex("43") + window + hex("43 70 00 00 ff ff")
                                     + x.handle + hex("43") + credit),
                    channel);
    return result;
  }

  /// The answer to the next question: they come in order, from number 1.
  std::string manage() {
    const auto id = std::to_string(++asked_);
    const auto of = hex("a1") + static_cast<char>(id.size()) + id;
    const auto properties = hex("40 40 40 a1 03 '201' 40") + of;
    return raw_transfer{
        .handle = links.front().handle,
        .delivery_id = hex("52") + static_cast<char>(asked_ - 1),
        .payload = hex("00 53 73 c0") + static_cast<char>(properties.size() + 1)
                   + hex("06") + properties + hex("00 53 77 40")}
        .frame(links.front().channel);
  }

  std::uint64_t asked_ = 0;
};

} // namespace rookery::tests
