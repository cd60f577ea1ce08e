#include "broker/management/value.hpp"

#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"

#include <cstddef>

namespace rookery::broker {

namespace {

namespace type_code = amqp::type_code;

constexpr std::size_t depth_max = 4;

// Types that only management needs; the codec of messages does without.
constexpr std::uint8_t code_ushort = 0x60;
constexpr std::uint8_t code_byte = 0x51;
constexpr std::uint8_t code_short = 0x61;
constexpr std::uint8_t code_int = 0x71;
constexpr std::uint8_t code_smallint = 0x54;
constexpr std::uint8_t code_long = 0x81;
constexpr std::uint8_t code_smalllong = 0x55;

void put_big_endian(std::uint64_t x, std::size_t width, std::string& out) {
  for (std::size_t i = width; i-- > 0;)
    out += static_cast<char>(x >> (8 * i));
}

std::uint64_t get_big_endian(std::string_view bytes) {
  std::uint64_t result = 0;
  for (char c : bytes)
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

/// The integer in `bytes`, of type `code`; nothing for other types.
std::optional<std::int64_t> integer(std::uint8_t code, std::string_view bytes) {
  const auto number = get_big_endian(bytes);
  switch (code) {
  case type_code::uint0:
  case type_code::ulong0:
    return 0;
  case type_code::ubyte:
  case type_code::smalluint:
  case type_code::smallulong:
  case code_ushort:
  case type_code::uint:
  case type_code::ulong:
    return static_cast<std::int64_t>(number);
  case code_byte:
  case code_smallint:
  case code_smalllong:
    return static_cast<std::int8_t>(number);
  case code_short:
    return static_cast<std::int16_t>(number);
  case code_int:
    return static_cast<std::int32_t>(number);
  case code_long:
    return static_cast<std::int64_t>(number);
  default:
    return std::nullopt;
  }
}

std::optional<value> read(std::string_view bytes, std::size_t depth);

/// The bytes of the next value of `in`, which walks over `all`.
std::string_view next_of(amqp::reader& in, std::string_view all) {
  const auto start = in.offset();
  in.skip();
  return all.substr(start, in.offset() - start);
}

std::optional<value> read_elements(amqp::reader::compound whole, bool is_map,
                                   std::string_view all, std::size_t depth) {
  auto& in = whole.elements;
  if (depth >= depth_max || (is_map && whole.count % 2 != 0))
    return std::nullopt;
  value_map entries;
  value_list list;
  for (std::size_t i = 0; i < whole.count; ++i) {
    std::string key;
    if (is_map) {
      key = in.text();
      ++i;
    }
    auto content = read(next_of(in, all), depth + 1);
    if (in.failed() || !content)
      return std::nullopt;
    if (is_map)
      entries.push_back({std::move(key), *std::move(content)});
    else
      list.push_back(*std::move(content));
  }
  if (!in.done())
    return std::nullopt;
  return is_map ? value{std::move(entries)} : value{std::move(list)};
}

std::optional<value> read(std::string_view bytes, std::size_t depth) {
  amqp::reader in{bytes, depth_max};
  const auto code = in.peek();
  switch (code) {
  case type_code::null:
    return bytes.size() == 1 ? std::optional{value{}} : std::nullopt;
  case type_code::true_:
  case type_code::false_:
  case type_code::boolean: {
    const auto flag = in.boolean();
    return flag && in.done() ? std::optional{value{*flag}} : std::nullopt;
  }
  case type_code::str8:
  case type_code::str32:
  case type_code::sym8:
  case type_code::sym32: {
    value text{std::string{in.text()}};
    return !in.failed() && in.done() ? std::optional{text} : std::nullopt;
  }
  case type_code::map8:
  case type_code::map32: {
    auto whole = in.map();
    if (in.failed() || !in.done())
      return std::nullopt;
    return read_elements(whole, true, bytes, depth);
  }
  case type_code::list0:
  case type_code::list8:
  case type_code::list32: {
    auto whole = in.list();
    if (in.failed() || !in.done())
      return std::nullopt;
    return read_elements(whole, false, bytes, depth);
  }
  default:
    break;
  }
  in.skip();
  if (in.failed() || !in.done())
    return std::nullopt;
  if (auto number = integer(code, bytes.substr(1)))
    return value{*number};
  return value{value::unknown{}};
}

void put_text(const std::string& text, std::string& out) {
  out += static_cast<char>(type_code::str32);
  put_big_endian(text.size(), 4, out);
  out += text;
}

/// A list or map: `count` elements, encoded in `elements`.
void put_compound(std::uint8_t code32, std::size_t count,
                  const std::string& elements, std::string& out) {
  out += static_cast<char>(code32);
  put_big_endian(elements.size() + 4, 4, out);
  put_big_endian(count, 4, out);
  out += elements;
}

struct encoder {
  std::string& out;

  void operator()(std::monostate) { out += static_cast<char>(type_code::null); }
  void operator()(value::unknown) { out += static_cast<char>(type_code::null); }
  void operator()(bool x) {
    out += static_cast<char>(x ? type_code::true_ : type_code::false_);
  }
  void operator()(std::int64_t x) {
    out += static_cast<char>(code_long);
    put_big_endian(static_cast<std::uint64_t>(x), 8, out);
  }
  void operator()(std::uint64_t x) {
    out += static_cast<char>(type_code::ulong);
    put_big_endian(x, 8, out);
  }
  void operator()(std::uint32_t x) {
    out += static_cast<char>(type_code::uint);
    put_big_endian(x, 4, out);
  }
  void operator()(const std::string& x) { put_text(x, out); }
  void operator()(const value_map& x) {
    std::string elements;
    for (const auto& [key, content] : x) {
      put_text(key, elements);
      encode_value(content, elements);
    }
    put_compound(type_code::map32, 2 * x.size(), elements, out);
  }
  void operator()(const value_list& x) {
    std::string elements;
    for (const auto& each : x)
      encode_value(each, elements);
    put_compound(type_code::list32, x.size(), elements, out);
  }
};

} // namespace

std::optional<value> decode_value(std::string_view bytes) {
  return read(bytes, 0);
}

void encode_value(const value& x, std::string& out) {
  std::visit(encoder{out}, x.state);
}

} // namespace rookery::broker
