#pragma once

#include "bridge/amqp/wire/decode_error.hpp"
#include "bridge/amqp/wire/envelope_view.hpp"
#include "bridge/amqp/wire/type_code.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rookery::amqp {

/// Walks over AMQP values in bytes from outside. Every read is checked against
/// the end. The first fault sticks: it is kept with its offset, the cursor goes
/// to the end and later reads give zeros or nothing, so that callers check
/// `failed` once for a group of reads. Loops over counts end early, since no
/// element takes less than one byte. Nothing here recurses.
class reader {
public:
  /// A list or map: its elements, and the reader that walks over them.
  struct compound;

  reader(std::string_view bytes, std::size_t depth_max) noexcept
      : begin_(bytes.data()),
        at_(begin_),
        end_(begin_ + bytes.size()),
        depth_max_(depth_max) {}

  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  [[nodiscard]] const decode_error& error() const noexcept { return *error_; }
  [[nodiscard]] bool done() const noexcept { return at_ == end_; }
  [[nodiscard]] std::size_t offset() const noexcept {
    return static_cast<std::size_t>(at_ - begin_);
  }

  void fail(decode_errc code) noexcept { fail_at(code, at_); }

  /// The next type code, without taking it; null at the end.
  [[nodiscard]] std::uint8_t peek() const noexcept {
    return done() ? type_code::null : static_cast<std::uint8_t>(*at_);
  }

  /// The descriptor of the next value, which must be described: its code, or
  /// nothing when it is one that no message section has.
  std::optional<std::uint64_t> descriptor() noexcept;

  /// Passes over one value of any type.
  void skip() noexcept;

  // Single values. Each takes null as "absent" and fails on any other type.
  std::optional<bool> boolean() noexcept;
  std::optional<std::uint8_t> ubyte() noexcept;
  std::optional<std::uint32_t> uint() noexcept;
  /// A string or a symbol; peers mix them up.
  std::string_view text() noexcept;
  std::string_view binary() noexcept;
  id_view id() noexcept;

  /// Enters a list, or a map, and moves this reader behind it. Fails on any
  /// other type. `count` of a map counts keys and values.
  struct compound list() noexcept;
  struct compound map() noexcept;

  /// Takes over the fault of `inner`, a compound's reader.
  void adopt(const reader& inner) noexcept {
    if (inner.failed() && !failed())
      fail_at(inner.error_->code, begin_ + inner.error_->offset);
  }

private:
  reader(const reader& outer, const char* at, const char* end) noexcept
      : begin_(outer.begin_),
        at_(at),
        end_(end),
        depth_max_(outer.depth_max_) {}

  void fail_at(decode_errc code, const char* at) noexcept;
  [[nodiscard]] std::size_t left() const noexcept {
    return static_cast<std::size_t>(end_ - at_);
  }

  // Small and hot, hence inline.
  bool need(std::size_t count) noexcept {
    if (count <= left())
      return true;
    fail(decode_errc::truncated);
    return false;
  }
  std::uint8_t byte() noexcept {
    return need(1) ? static_cast<std::uint8_t>(*at_++) : 0;
  }
  std::string_view take(std::size_t count) noexcept {
    if (!need(count))
      return {};
    at_ += count;
    return {at_ - count, count};
  }
  std::uint64_t big_endian(std::size_t width) noexcept {
    std::uint64_t result = 0;
    for (char c : take(width))
      result = result << 8 | static_cast<unsigned char>(c);
    return result;
  }
  /// The bytes of a value whose size, of `width` bytes, stands in front of it.
  std::string_view sized(std::size_t width) noexcept {
    return take(width == 1 ? byte() : static_cast<std::size_t>(big_endian(4)));
  }

  void skip_payload(std::uint8_t code) noexcept;
  struct compound enter(std::uint8_t code8, std::uint8_t code32,
                        bool may_be_empty) noexcept;

  const char* begin_; // of the message: offsets count from here
  const char* at_;
  const char* end_;
  std::size_t depth_max_;
  std::optional<decode_error> error_;
};

struct reader::compound {
  reader elements;
  std::size_t count;
};

} // namespace rookery::amqp
