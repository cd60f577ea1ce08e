#include "bridge/amqp/wire/message_id.hpp"

#include "bridge/amqp/wire/writer.hpp"

#include <charconv>
#include <string>

namespace rookery::amqp {

using bridge::id_kind;

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t uuid_text_size = 36;

/// -1 unless `c` is a hex digit in lower case, the canonical one.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The byte behind two hex digits, -1 when they are none.
int hex_byte(const char* text) noexcept {
  const int high = hex_value(text[0]);
  const int low = hex_value(text[1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Whether a dash stands before byte `index` of a uuid's text.
constexpr bool dash_before(std::size_t index) noexcept {
  return index == 4 || index == 6 || index == 8 || index == 10;
}

bool parse_uuid(std::string_view text, std::array<unsigned char, 16>& out) {
  if (text.size() != uuid_text_size)
    return false;
  const char* at = text.data();
  for (std::size_t i = 0; i < out.size(); ++i, at += 2) {
    if (dash_before(i) && *at++ != '-')
      return false;
    const int x = hex_byte(at);
    if (x < 0)
      return false;
    out[i] = static_cast<unsigned char>(x);
  }
  return true;
}

bool parse_ulong(std::string_view text, std::uint64_t& out) {
  const auto* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && at == end;
}

bool is_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return false;
  for (char c : text)
    if (hex_value(c) < 0)
      return false;
  return true;
}

void append_hex(char c, std::string& out) {
  const auto x = static_cast<unsigned char>(c);
  out += digits[x >> 4];
  out += digits[x & 0xf];
}

} // namespace

std::string to_string(const id_view& x) {
  std::string result;
  if (!x.present)
    return result;
  switch (x.kind) {
  case id_kind::string:
    result = x.bytes;
    break;
  case id_kind::ulong: {
    std::uint64_t number = 0;
    for (char c : x.bytes)
      number = number << 8 | static_cast<unsigned char>(c);
    result = std::to_string(number);
    break;
  }
  case id_kind::uuid:
    result.reserve(uuid_text_size);
    for (std::size_t i = 0; i < x.bytes.size(); ++i) {
      if (dash_before(i))
        result += '-';
      append_hex(x.bytes[i], result);
    }
    break;
  case id_kind::binary:
    result.reserve(2 * x.bytes.size());
    for (char c : x.bytes)
      append_hex(c, result);
    break;
  }
  return result;
}

wire_id::wire_id(id_kind kind, std::string_view text)
    : kind_(kind),
      text_(text) {
  if ((kind == id_kind::ulong && !parse_ulong(text, number_))
      || (kind == id_kind::uuid && !parse_uuid(text, uuid_))
      || (kind == id_kind::binary && !is_hex(text)))
    kind_ = id_kind::string;
}

std::size_t wire_id::size() const noexcept {
  if (text_.empty())
    return 1;
  switch (kind_) {
  case id_kind::ulong:
    return writer::ulong_size(number_);
  case id_kind::uuid:
    return 1 + uuid_.size();
  case id_kind::binary:
    return writer::variable_size(text_.size() / 2);
  case id_kind::string:
    break;
  }
  return writer::variable_size(text_.size());
}

void wire_id::write(writer& out) const noexcept {
  if (text_.empty())
    return out.null();
  switch (kind_) {
  case id_kind::ulong:
    return out.ulong(number_);
  case id_kind::uuid:
    out.byte(type_code::uuid);
    for (auto x : uuid_)
      out.byte(x);
    return;
  case id_kind::binary:
    out.variable_head(type_code::vbin8, text_.size() / 2);
    for (std::size_t i = 0; i < text_.size(); i += 2)
      out.byte(static_cast<std::uint8_t>(hex_byte(text_.data() + i)));
    return;
  case id_kind::string:
    return out.variable(type_code::str8, text_);
  }
}

} // namespace rookery::amqp
