#include "bridge/amqp/wire/annotations.hpp"

#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"
#include "bridge/amqp/wire/writer.hpp"

#include <algorithm>

namespace rookery::amqp {

namespace {

constexpr std::size_t depth_max = 32; // of described types

bool is_text(std::uint8_t code) {
  return code == type_code::str8 || code == type_code::str32
         || code == type_code::sym8 || code == type_code::sym32;
}

/// The bytes that `code` says a whole number has; 0 when it is none. The types
/// of one, two, four and eight bytes differ in the upper half of the code, as
/// in all of AMQP; the lower half tells unsigned (0), signed (1), and the
/// short forms of the two longest.
std::size_t number_bytes(std::uint8_t code) {
  switch (code) {
  case type_code::ubyte:
  case type_code::smalluint:
  case type_code::smallulong:
  case 0x51: // byte
  case 0x54: // smallint
  case 0x55: // smalllong
    return 1;
  case 0x60: // ushort
  case 0x61: // short
    return 2;
  case type_code::uint:
  case 0x71: // int
    return 4;
  case type_code::ulong:
  case 0x81: // long
    return 8;
  default:
    return 0;
  }
}

bool is_signed(std::uint8_t code) {
  const auto low = code & 0x0f;
  return low == 1 || low == 4 || low == 5;
}

std::vector<annotation_view> kept(std::vector<annotation_view> all,
                                  bool (*drop)(std::string_view key)) {
  std::erase_if(all, [=](const auto& x) { return drop(x.key); });
  return all;
}

/// Appends the section, if there is anything to say.
void put_annotations(const std::vector<annotation_view>& all,
                     std::string& out) {
  if (all.empty())
    return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : all)
    bytes += writer::variable_size(key.size()) + value.size();
  const auto count = 2 * all.size();
  const auto before = out.size();
  out.resize(before + writer::descriptor_size
             + writer::compound_size(bytes, count));
  writer to{out.data() + before};
  to.descriptor(section::message_annotations);
  to.compound_head(type_code::map8, bytes, count);
  for (const auto& [key, value] : all) {
    to.variable(type_code::sym8, key);
    to.raw(value);
  }
}

} // namespace

std::vector<annotation_view> read_annotations(std::string_view map) {
  std::vector<annotation_view> result;
  reader in{map, depth_max};
  auto [elements, count] = in.map();
  for (; count > 1 && !elements.failed(); count -= 2) {
    annotation_view each;
    const auto named = is_text(elements.peek());
    if (named)
      each.key = elements.text();
    else
      elements.skip();
    const auto start = elements.offset();
    elements.skip();
    if (elements.failed() || !named)
      continue;
    each.value = map.substr(start, elements.offset() - start);
    result.push_back(each);
  }
  return result;
}

std::string_view message_annotations(std::string_view message) {
  reader in{message, depth_max};
  while (!in.done()) {
    const auto code = in.descriptor().value_or(0);
    if (in.failed() || code >= section::properties)
      return {};
    const auto start = in.offset();
    in.skip();
    if (!in.failed() && code == section::message_annotations)
      return message.substr(start, in.offset() - start);
  }
  return {};
}

std::optional<std::string>
without_annotations(std::string_view message,
                    bool (*drop)(std::string_view key)) {
  std::string result;
  reader in{message, depth_max};
  std::size_t copied = 0; // so much of it has been dealt with
  while (!in.done()) {
    const auto code = in.descriptor().value_or(0);
    if (in.failed())
      return std::nullopt;
    if (code >= section::properties)
      break;
    const auto start = in.offset();
    in.skip();
    if (in.failed())
      return std::nullopt;
    const auto all =
        code == section::message_annotations
            ? read_annotations(message.substr(start, in.offset() - start))
            : std::vector<annotation_view>{};
    const auto rest = kept(all, drop);
    if (rest.size() < all.size())
      put_annotations(rest, result);
    else if (code != section::delivery_annotations)
      result += message.substr(copied, in.offset() - copied);
    copied = in.offset();
  }
  return result.append(message.substr(copied));
}

std::string_view text_of(std::string_view value) {
  reader in{value, depth_max};
  return is_text(in.peek()) ? in.text() : std::string_view{};
}

std::optional<std::uint64_t> number_of(std::string_view value) {
  if (value.empty())
    return std::nullopt;
  const auto code = static_cast<std::uint8_t>(value[0]);
  if (code == type_code::uint0 || code == type_code::ulong0)
    return 0;
  const auto size = number_bytes(code);
  value.remove_prefix(1);
  if (size == 0 || value.size() != size)
    return std::nullopt;
  if (is_signed(code) && (value[0] & 0x80) != 0)
    return std::nullopt;
  std::uint64_t result = 0;
  for (char c : value)
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

std::string_view find_text(const std::vector<annotation_view>& in,
                           std::string_view key) {
  const auto found = std::find_if(in.begin(), in.end(),
                                  [=](const auto& x) { return x.key == key; });
  return found == in.end() ? std::string_view{} : text_of(found->value);
}

} // namespace rookery::amqp
