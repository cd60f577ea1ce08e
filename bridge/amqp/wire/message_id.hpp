#pragma once

#include "bridge/amqp/wire/envelope_view.hpp"
#include "bridge/envelope.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rookery::amqp {

/// A message-id or correlation-id ready for the wire: canonical text brought
/// back to its AMQP type. Text that does not fit `kind` stays a string. A view:
/// `text` must outlive it.
class wire_id {
public:
  wire_id(bridge::id_kind kind, std::string_view text);

  [[nodiscard]] std::size_t size() const noexcept;
  void write(class writer& out) const noexcept;

private:
  bridge::id_kind kind_;
  std::string_view text_;              // string, or hex digits of a binary
  std::uint64_t number_ = 0;           // ulong
  std::array<unsigned char, 16> uuid_; // uuid
};

} // namespace rookery::amqp
