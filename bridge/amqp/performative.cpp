#include "bridge/amqp/performative.hpp"

#include "bridge/amqp/wire/reader.hpp"

#include <cstddef>

namespace rookery::amqp {

namespace {

constexpr std::size_t depth_max = 32;
constexpr std::size_t tag_bytes_max = 32;
constexpr std::size_t transfer_fields = 11;
constexpr std::size_t transfer_bytes_max = 512;
// Proton keeps what a TRANSFER says of its delivery's state.
constexpr std::size_t state_values_max = 16;
// Bytes of a transfer in front of what the size of its list counts.
constexpr std::size_t in_front8 = 5;
constexpr std::size_t in_front32 = 8;
constexpr std::uint8_t ushort_code = 0x60;
constexpr std::size_t flow_fields_before_handle = 4;
// An engine passes them on as enumerations, where others have no meaning.
constexpr int snd_settle_mode_max = 2;
constexpr int rcv_settle_mode_max = 1;
constexpr std::uint8_t array8 = 0xe0;
constexpr std::uint8_t array32 = 0xf0;

std::uint8_t at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

std::size_t big_endian(std::string_view bytes) {
  std::size_t result = 0;
  for (auto c : bytes)
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

/// Whether `count` values of variable width are `elements`, to the last byte;
/// each has a size of `width` bytes in front.
bool are_sized(std::string_view elements, std::size_t count,
               std::size_t width) {
  for (; count > 0; --count) {
    if (elements.size() < width)
      return false;
    const auto size = big_endian(elements.substr(0, width));
    if (size > elements.size() - width)
      return false;
    elements.remove_prefix(width + size);
  }
  return elements.empty();
}

/// An array, from its type code to its last byte, with a size that was checked:
/// plain values, which fill it. Proton does not look at the size: it would take
/// what stands behind the last element for the next value, and what stands
/// there was not looked at here. Adds their number to `values`.
bool plain_array(std::string_view x, std::size_t& values) {
  const std::size_t width = at(x, 0) == array8 ? 1 : 4;
  const auto head = 1 + 2 * width;
  if (x.size() < head + 1)
    return false;
  const auto count = big_endian(x.substr(1 + width, width));
  const auto code = at(x, head);
  const auto elements = x.substr(head + 1);
  values += count;
  if (count == 0)
    return code != type_code::described && elements.empty();
  const auto kind = code >> 4; // says the width
  if (kind >= 0x5 && kind <= 0x9)
    return elements.size() % (std::size_t{1} << (kind - 0x5)) == 0
           && elements.size() >> (kind - 0x5) == count;
  return (kind == 0xa && are_sized(elements, count, 1))
         || (kind == 0xb && are_sized(elements, count, 4));
}

template <std::size_t Width>
std::uint32_t big_endian(const char* from) {
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < Width; ++i)
    result = result << 8 | static_cast<unsigned char>(from[i]);
  return result;
}

bool descriptor_code(std::uint8_t code) {
  return code == type_code::smallulong || code == type_code::ulong
         || code == type_code::ulong0 || code == type_code::sym8
         || code == type_code::sym32;
}

/// Passes over one value of `bytes`, and over all that is in it; adds to
/// `values` how many that were.
bool walk(reader& from, std::string_view bytes, std::size_t depth,
          std::size_t& values) {
  if (depth > depth_max)
    return false;
  ++values;
  reader::compound inner{from, 0};
  switch (from.peek()) {
  case type_code::described:
    // A number or a symbol, then what it describes.
    if (const auto i = from.offset() + 1;
        i >= bytes.size() || !descriptor_code(at(bytes, i)))
      return false;
    from.descriptor();
    return !from.failed() && !from.done()
           && walk(from, bytes, depth + 1, values);
  case array8:
  case array32: {
    const auto start = from.offset();
    from.skip();
    return !from.failed()
           && plain_array(bytes.substr(start, from.offset() - start), values);
  }
  case type_code::list0:
  case type_code::list8:
  case type_code::list32:
    inner = from.list();
    break;
  case type_code::map8:
  case type_code::map32:
    inner = from.map();
    break;
  default:
    from.skip();
    return !from.failed();
  }
  for (; inner.count > 0; --inner.count)
    if (!walk(inner.elements, bytes, depth + 1, values))
      return false;
  return !from.failed() && inner.elements.done();
}

/// The fields of a TRANSFER. Every message has one, so this is all in one place
/// for the compiler to join; the general `reader` takes three times as long.
/// Fields that are null or not there give nothing; a fault sticks.
class field_cursor {
public:
  field_cursor(std::string_view body, std::size_t begin, std::size_t count)
      : body_{body},
        at_{begin},
        count_{count} {}

  std::optional<std::uint32_t> uint() {
    switch (code()) {
    case type_code::null:
      return std::nullopt;
    case type_code::uint0:
      return 0;
    case type_code::smalluint:
      return number<1>();
    case type_code::uint:
      return number<4>();
    default:
      failed_ = true;
      return std::nullopt;
    }
  }
  bool boolean() {
    switch (code()) {
    case type_code::null:
    case type_code::false_:
      return false;
    case type_code::true_:
      return true;
    case type_code::boolean:
      return number<1>() != 0;
    default:
      failed_ = true;
      return false;
    }
  }
  void ubyte() {
    if (const auto x = code(); x == type_code::ubyte)
      number<1>();
    else
      failed_ |= x != type_code::null;
  }
  std::size_t binary_bytes() {
    const auto x = code();
    if (x == type_code::null)
      return 0;
    const std::size_t size = x == type_code::vbin8 ? number<1>() : number<4>();
    failed_ |= x != type_code::vbin8 && x != type_code::vbin32;
    if (failed_ || size > body_.size() - at_) {
      failed_ = true;
      return 0;
    }
    at_ += size;
    return size;
  }
  /// A value of any type.
  void state() {
    if (count_ == 0 || failed_ || at_ == body_.size())
      return ubyte();
    if (at(body_, at_) == type_code::null)
      return ubyte();
    --count_;
    const auto value = body_.substr(at_);
    reader from{value, depth_max};
    std::size_t values = 0;
    failed_ |= !walk(from, value, 0, values) || values > state_values_max;
    at_ += from.offset();
  }
  /// All fields were taken, and nothing stands behind them.
  [[nodiscard]] bool done() const {
    return !failed_ && count_ == 0 && at_ == body_.size();
  }

private:
  std::uint8_t code() {
    if (count_ == 0)
      return type_code::null;
    --count_;
    return static_cast<std::uint8_t>(number<1>());
  }
  template <std::size_t Width>
  std::uint32_t number() {
    if (failed_ || Width > body_.size() - at_) {
      failed_ = true;
      return 0;
    }
    at_ += Width;
    return big_endian<Width>(body_.data() + at_ - Width);
  }

  std::string_view body_; // as far as the list goes
  std::size_t at_;
  std::size_t count_; // fields not taken yet
  bool failed_ = false;
};

} // namespace

std::size_t transfer_bytes(std::string_view body) noexcept {
  if (body.size() < in_front8 || at(body, 0) != type_code::described
      || at(body, 1) != type_code::smallulong
      || at(body, 2) != performative::transfer)
    return 0;
  if (at(body, 3) == type_code::list8)
    return in_front8 + at(body, 4);
  if (at(body, 3) == type_code::list32 && body.size() >= in_front32)
    return std::size_t{in_front32} + big_endian<4>(body.data() + 4);
  return 0;
}

std::optional<transfer_facts> parse_transfer(std::string_view bytes) noexcept {
  const auto wide = bytes.size() > 3 && at(bytes, 3) == type_code::list32;
  const auto begin = wide ? in_front32 + 4 : in_front8 + 1;
  if (bytes.size() < begin || bytes.size() > transfer_bytes_max
      || transfer_bytes(bytes) != bytes.size())
    return std::nullopt;
  const std::size_t count =
      wide ? big_endian<4>(bytes.data() + in_front32) : at(bytes, in_front8);
  if (count > transfer_fields)
    return std::nullopt;
  field_cursor x{bytes, begin, count};
  transfer_facts result;
  const auto handle = x.uint();
  result.handle = handle.value_or(0);
  result.delivery_id = x.uint();
  const auto tag_bytes = x.binary_bytes();
  x.uint();    // message-format
  x.boolean(); // settled
  result.more = x.boolean();
  x.ubyte(); // rcv-settle-mode
  x.state();
  x.boolean(); // resume
  result.aborted = x.boolean();
  x.boolean(); // batchable
  // Who reads on behind the last field must find nothing there.
  if (!handle || tag_bytes > tag_bytes_max || !x.done())
    return std::nullopt;
  return result;
}

std::optional<performative_facts>
parse_performative(std::string_view body) noexcept {
  reader outer{body, depth_max};
  const auto code = outer.descriptor();
  auto [fields, count] = outer.list();
  if (outer.failed() || !code)
    return std::nullopt;
  performative_facts result{.code = *code};
  auto look = fields; // a second reader: the first checks all there is
  for (std::size_t i = 0; i < count; ++i)
    if (!walk(fields, body, 1, result.values))
      return std::nullopt;
  if (!fields.done())
    return std::nullopt;
  if (code == performative::begin && count > 0 && look.peek() == ushort_code) {
    const auto i = look.offset();
    result.answers =
        static_cast<std::uint16_t>(at(body, i + 1) << 8 | at(body, i + 2));
  } else if (code == performative::detach && count > 0) {
    result.handle = look.uint();
  } else if (code == performative::disposition && count > 2) {
    look.boolean(); // role
    const auto first = look.uint();
    const auto last = look.uint();
    if (last)
      result.deliveries = std::uint64_t{*last - first.value_or(0)} + 1;
    result.settled = count > 3 && look.boolean().value_or(false);
  } else if (code == performative::flow
             && count > flow_fields_before_handle + 2) {
    for (std::size_t i = 0; i < flow_fields_before_handle; ++i)
      look.uint();
    result.handle = look.uint();
    look.uint(); // delivery-count
    result.link_credit = look.uint().value_or(0);
  } else if (code == performative::attach && count > 2) {
    look.text(); // the link's name
    result.handle = look.uint();
    result.peer_receives = look.boolean().value_or(false);
    const auto sends = count > 3 ? look.ubyte().value_or(0) : 0;
    const auto receives = count > 4 ? look.ubyte().value_or(0) : 0;
    if (sends > snd_settle_mode_max || receives > rcv_settle_mode_max)
      return std::nullopt;
  }
  if (look.failed() || (code == performative::attach && !result.handle))
    return std::nullopt;
  return result;
}

bool well_formed(std::string_view bytes) noexcept {
  reader values{bytes, depth_max};
  std::size_t count = 0; // bounded by the bytes
  while (!values.done())
    if (!walk(values, bytes, 0, count))
      return false;
  return true;
}

} // namespace rookery::amqp
