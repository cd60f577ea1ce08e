#include "broker/annotations.hpp"

#include "bridge/amqp/wire/annotations.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"
#include "broker/core/names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace rookery::broker {

namespace {

namespace type = amqp::type_code;

constexpr std::uint8_t signed_long = 0x81;
constexpr std::uint8_t timestamp = 0x83;
constexpr std::uint8_t array32 = 0xf0;
constexpr std::size_t depth_max = 32; // of described types

// What all deaths may take. A message may die in any number of queues.
constexpr std::size_t death_bytes_max = 12'288;

// A letter that is longer than its consumers allow for would end the connection
// of each of them in turn. The rest: four names, their keys, what else is ours
// and a new header.
constexpr std::size_t note_key_bytes = 5; // before its characters
static_assert(death_bytes_max + note_bytes_max + notes_max * note_key_bytes
                  + 4 * name_bytes_max + 1'024
              <= amqp::broker_adds_max);

constexpr std::string_view delivery_count = "x-delivery-count";
constexpr std::string_view deaths = "x-opt-deaths";
constexpr std::array<std::string_view, 8> ours{
    delivery_count,           deaths,
    "x-first-death-queue",    "x-first-death-reason",
    "x-first-death-exchange", "x-last-death-queue",
    "x-last-death-reason",    "x-last-death-exchange",
};

void put(std::string& out, std::uint64_t x, std::size_t bytes) {
  for (auto i = bytes; i-- > 0;)
    out += static_cast<char>(x >> (8 * i));
}

void put_text(std::string& out, std::uint8_t code32, std::string_view x) {
  put(out, code32, 1);
  put(out, x.size(), 4);
  out += x;
}

/// A map, a list or an array: `count` elements, encoded in `elements`.
void put_compound(std::string& out, std::uint8_t code32, std::size_t count,
                  std::string_view elements) {
  put(out, code32, 1);
  put(out, elements.size() + 4, 4);
  put(out, count, 4);
  out += elements;
}

/// A map's entries, in wide encodings: they are read far oftener than written.
class entries {
public:
  void text(std::string_view key, std::string_view x) {
    put_text(add(key), type::str32, x);
  }
  void symbol(std::string_view key, std::string_view x) {
    put_text(add(key), type::sym32, x);
  }
  void number(std::string_view key, std::uint64_t x) {
    put(add(key), type::ulong, 1);
    put(bytes_, x, 8);
  }
  void signed_number(std::string_view key, std::int64_t x) {
    put(add(key), signed_long, 1);
    put(bytes_, static_cast<std::uint64_t>(x), 8);
  }
  void small_number(std::string_view key, std::uint64_t x) {
    put(add(key), type::uint, 1);
    put(bytes_, x, 4);
  }
  void time(std::string_view key, death::time x) {
    using std::chrono::milliseconds;
    auto span =
        std::chrono::duration_cast<milliseconds>(x.time_since_epoch()).count();
    put(add(key), timestamp, 1);
    put(bytes_, static_cast<std::uint64_t>(span), 8);
  }
  /// `elements`: the code of them all, then one after the other without it.
  void array(std::string_view key, std::size_t count,
             std::string_view elements) {
    // The code stands behind the count.
    put_compound(add(key), array32, count, elements);
  }
  void value(std::string_view key, std::string_view encoded) {
    add(key) += encoded;
  }
  /// A key and its value as they are.
  void encoded(std::string_view pair) {
    bytes_ += pair;
    count_ += 2;
  }

  void write_map(std::string& out) const {
    put_compound(out, type::map32, count_, bytes_);
  }

private:
  std::string& add(std::string_view key) {
    count_ += 2;
    put_text(bytes_, type::sym32, key);
    return bytes_;
  }

  std::string bytes_;
  std::size_t count_ = 0;
};

std::string describe(const death& x) {
  entries map;
  map.text("queue", x.queue);
  map.symbol("reason", to_string(x.reason));
  map.number("count", x.count);
  map.time("first-time", x.first_time);
  map.time("last-time", x.last_time);
  map.text("exchange", x.published_to.exchange);
  std::string keys;
  put_text(keys, type::str32, x.published_to.key);
  map.array("routing-keys", 1, keys);
  if (x.ttl)
    map.small_number("ttl", static_cast<std::uint64_t>(x.ttl->count()));
  std::string result;
  map.write_map(result);
  return result;
}

void add_deaths(entries& into, const death_history& history) {
  std::string all;
  put(all, type::map32, 1);
  std::size_t count = 0;
  for (const auto& each : history.records) {
    const auto one = describe(each);
    if (all.size() + one.size() > death_bytes_max)
      break; // the latest are of more use
    // One code for all.
    all += std::string_view{one}.substr(1);
    ++count;
  }
  into.array(deaths, count, all);
  const auto& last = history.records.front();
  into.text("x-first-death-queue", history.first_queue);
  into.text("x-first-death-reason", to_string(history.first_reason));
  into.text("x-first-death-exchange", history.first_exchange);
  into.text("x-last-death-queue", last.queue);
  into.text("x-last-death-reason", to_string(last.reason));
  into.text("x-last-death-exchange", last.published_to.exchange);
}

bool is_ours(std::string_view key) {
  for (auto each : ours)
    if (key == each)
      return true;
  return false;
}

bool is_noted(std::string_view key, const notes_ptr& notes) {
  return notes && std::any_of(notes->begin(), notes->end(), [=](const note& x) {
           return x.key == key;
         });
}

/// Copies the annotations that are not ours and that nobody noted anew. `in`
/// stands before their map.
void keep_others(amqp::reader& in, std::string_view sections,
                 const notes_ptr& noted, entries& into) {
  auto [elements, count] = in.map();
  for (std::size_t i = 0; i + 1 < count && !elements.failed(); i += 2) {
    const auto start = elements.offset();
    const auto code = elements.peek();
    std::string_view key;
    if (code == type::sym8 || code == type::sym32)
      key = elements.text();
    else
      elements.skip();
    elements.skip();
    if (!elements.failed() && !is_ours(key) && !is_noted(key, noted))
      into.encoded(sections.substr(start, elements.offset() - start));
  }
}

/// Where the section of message annotations begins, and its map is what is read
/// next; `npos` if there is none.
std::size_t find_annotations(amqp::reader& in) {
  while (!in.done() && !in.failed()) {
    const auto begin = in.offset();
    const auto code = in.descriptor().value_or(0);
    if (code == amqp::section::message_annotations)
      return begin;
    if (code > amqp::section::message_annotations
        && code <= amqp::section::footer)
      break;
    in.skip(); // what nobody knows may stand anywhere
  }
  return std::string_view::npos;
}

} // namespace

std::string annotate(std::string_view sections, const message& of,
                     std::uint32_t delivered_before) {
  amqp::reader in{sections, depth_max};
  entries all;
  const auto begin = find_annotations(in);
  auto end = begin;
  if (begin != sections.npos) {
    keep_others(in, sections, of.notes, all);
    end = in.offset();
  }
  if (delivered_before > 0)
    all.signed_number(delivery_count, delivered_before);
  if (of.history)
    add_deaths(all, *of.history);
  if (of.notes)
    for (const auto& each : *of.notes)
      all.value(each.key, each.value);
  std::string result;
  put(result, type::described, 1);
  put(result, type::smallulong, 1);
  put(result, amqp::section::message_annotations, 1);
  all.write_map(result);
  result += sections.substr(0, begin);
  if (end != sections.npos)
    result += sections.substr(end);
  return result;
}

notes_ptr read_notes(std::string_view map) {
  std::vector<note> result;
  std::size_t bytes = 0;
  for (const auto& [key, value] : amqp::read_annotations(map)) {
    bytes += key.size() + value.size();
    if (bytes > note_bytes_max || result.size() >= notes_max)
      break;
    const auto twice =
        std::any_of(result.begin(), result.end(),
                    [key = key](const note& x) { return x.key == key; });
    if (key.starts_with("x-opt-") && !is_ours(key) && !twice)
      result.push_back({std::string{key}, std::string{value}});
  }
  if (result.empty())
    return nullptr;
  return std::make_shared<const std::vector<note>>(std::move(result));
}

} // namespace rookery::broker
