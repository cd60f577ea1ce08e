#include "bridge/amqp/wire/reader.hpp"

#include "bridge/amqp/wire/type_code.hpp"

#include <array>
#include <utility>

namespace rookery::amqp {

namespace {

using named_section = std::pair<std::string_view, std::uint64_t>;

/// A descriptor may be the symbol instead of the number.
constexpr std::array<named_section, 9> section_names{{
    {"amqp:header:list", section::header},
    {"amqp:delivery-annotations:map", section::delivery_annotations},
    {"amqp:message-annotations:map", section::message_annotations},
    {"amqp:properties:list", section::properties},
    {"amqp:application-properties:map", section::application_properties},
    {"amqp:data:binary", section::data},
    {"amqp:amqp-sequence:list", section::sequence},
    {"amqp:amqp-value:*", section::value},
    {"amqp:footer:map", section::footer},
}};

} // namespace

void reader::fail_at(decode_errc code, const char* at) noexcept {
  if (!error_)
    error_ = decode_error{code, static_cast<std::size_t>(at - begin_)};
  at_ = end_;
}

std::optional<std::uint64_t> reader::descriptor() noexcept {
  if (peek() != type_code::described) {
    fail(done() ? decode_errc::truncated : decode_errc::unexpected_type);
    return std::nullopt;
  }
  byte();
  switch (peek()) {
  case type_code::smallulong:
    byte();
    return byte();
  case type_code::ulong:
    byte();
    return big_endian(8);
  case type_code::sym8:
  case type_code::sym32: {
    const auto name = text();
    for (const auto& [known, code] : section_names)
      if (known == name)
        return code;
    return std::nullopt;
  }
  default:
    skip();
    return std::nullopt;
  }
}

void reader::skip() noexcept {
  // A described value is two values: its descriptor and itself.
  std::size_t pending = 1;
  for (std::size_t depth = 0; pending > 0 && !failed();) {
    const auto* start = at_;
    const auto code = byte();
    if (failed())
      return;
    if (code == type_code::described) {
      if (++depth > depth_max_)
        return fail_at(decode_errc::too_deep, start);
      ++pending;
    } else {
      skip_payload(code);
      --pending;
    }
  }
}

void reader::skip_payload(std::uint8_t code) noexcept {
  // The upper half of a type code tells how long the value is.
  switch (code >> 4) {
  case 0x4:
    return;
  case 0x5:
    take(1);
    return;
  case 0x6:
    take(2);
    return;
  case 0x7:
    take(4);
    return;
  case 0x8:
    take(8);
    return;
  case 0x9:
    take(16);
    return;
  case 0xa:
  case 0xc:
  case 0xe:
    sized(1);
    return;
  case 0xb:
  case 0xd:
  case 0xf:
    sized(4);
    return;
  default:
    fail_at(decode_errc::unexpected_type, at_ - 1);
  }
}

std::optional<bool> reader::boolean() noexcept {
  const auto* start = at_;
  switch (byte()) {
  case type_code::null:
    return std::nullopt;
  case type_code::true_:
    return true;
  case type_code::false_:
    return false;
  case type_code::boolean:
    return byte() != 0;
  default:
    fail_at(decode_errc::unexpected_type, start);
    return std::nullopt;
  }
}

std::optional<std::uint8_t> reader::ubyte() noexcept {
  const auto* start = at_;
  switch (byte()) {
  case type_code::null:
    return std::nullopt;
  case type_code::ubyte:
    return byte();
  default:
    fail_at(decode_errc::unexpected_type, start);
    return std::nullopt;
  }
}

std::optional<std::uint32_t> reader::uint() noexcept {
  const auto* start = at_;
  switch (byte()) {
  case type_code::null:
    return std::nullopt;
  case type_code::uint0:
    return 0;
  case type_code::smalluint:
    return byte();
  case type_code::uint:
    return static_cast<std::uint32_t>(big_endian(4));
  default:
    fail_at(decode_errc::unexpected_type, start);
    return std::nullopt;
  }
}

std::string_view reader::text() noexcept {
  const auto* start = at_;
  switch (byte()) {
  case type_code::null:
    return {};
  case type_code::str8:
  case type_code::sym8:
    return sized(1);
  case type_code::str32:
  case type_code::sym32:
    return sized(4);
  default:
    fail_at(decode_errc::unexpected_type, start);
    return {};
  }
}

std::string_view reader::binary() noexcept {
  const auto* start = at_;
  switch (byte()) {
  case type_code::null:
    return {};
  case type_code::vbin8:
    return sized(1);
  case type_code::vbin32:
    return sized(4);
  default:
    fail_at(decode_errc::unexpected_type, start);
    return {};
  }
}

id_view reader::id() noexcept {
  using bridge::id_kind;
  switch (peek()) {
  case type_code::null:
    byte();
    return {};
  case type_code::ulong0:
    byte();
    return {true, id_kind::ulong, {}};
  case type_code::smallulong:
    byte();
    return {true, id_kind::ulong, take(1)};
  case type_code::ulong:
    byte();
    return {true, id_kind::ulong, take(8)};
  case type_code::uuid:
    byte();
    return {true, id_kind::uuid, take(16)};
  case type_code::vbin8:
  case type_code::vbin32:
    return {true, id_kind::binary, binary()};
  default:
    return {true, id_kind::string, text()};
  }
}

reader::compound reader::enter(std::uint8_t code8, std::uint8_t code32,
                               bool may_be_empty) noexcept {
  const auto* start = at_;
  const auto code = byte();
  compound result{{*this, end_, end_}, 0};
  if (failed() || (may_be_empty && code == type_code::list0))
    return result;
  if (code != code8 && code != code32) {
    fail_at(decode_errc::unexpected_type, start);
    return result;
  }
  const std::size_t width = code == code8 ? 1 : 4;
  const auto content = sized(width);
  if (failed())
    return result;
  auto& elements = result.elements;
  elements.at_ = content.data();
  elements.end_ = content.data() + content.size();
  result.count = static_cast<std::size_t>(elements.big_endian(width));
  // Every element takes a byte or more.
  if (elements.failed() || result.count > elements.left()) {
    result.count = 0;
    fail_at(decode_errc::bad_size, start);
  }
  return result;
}

reader::compound reader::list() noexcept {
  return enter(type_code::list8, type_code::list32, true);
}

reader::compound reader::map() noexcept {
  return enter(type_code::map8, type_code::map32, false);
}

} // namespace rookery::amqp
