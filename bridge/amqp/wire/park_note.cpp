#include "bridge/amqp/wire/park_note.hpp"

#include "bridge/amqp/wire/type_code.hpp"
#include "bridge/amqp/wire/writer.hpp"

#include <algorithm>
#include <limits>

namespace rookery::amqp {

namespace {

constexpr std::string_view condition_key = "x-opt-rookery-condition";
constexpr std::string_view reason_key = "x-opt-rookery-reason";
constexpr std::string_view attempts_key = "x-opt-rookery-attempts";
constexpr std::string_view queue_key = "x-opt-rookery-queue";

std::size_t text_size(std::string_view key, std::string_view x) {
  return writer::variable_size(key.size()) + writer::variable_size(x.size());
}

void write_text(writer& out, std::string_view key, std::string_view x) {
  out.variable(type_code::sym8, key);
  out.variable(type_code::str8, x);
}

std::uint32_t attempts_of(const std::vector<annotation_view>& annotations) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  for (const auto& x : annotations)
    if (x.key == attempts_key)
      return static_cast<std::uint32_t>(
          std::min(number_of(x.value).value_or(0), most));
  return 0;
}

} // namespace

std::string encode(const park_note& x) {
  constexpr std::size_t count = 8; // keys and values
  const auto bytes =
      text_size(condition_key, x.condition) + text_size(reason_key, x.reason)
      + writer::variable_size(attempts_key.size())
      + writer::uint_size(x.attempts) + text_size(queue_key, x.queue);
  std::string result(writer::compound_size(bytes, count), '\0');
  writer out{result.data()};
  out.compound_head(type_code::map8, bytes, count);
  write_text(out, condition_key, x.condition);
  write_text(out, reason_key, x.reason);
  out.variable(type_code::sym8, attempts_key);
  out.uint(x.attempts);
  write_text(out, queue_key, x.queue);
  return result;
}

park_note read_park_note(const std::vector<annotation_view>& annotations) {
  park_note result;
  result.condition = find_text(annotations, condition_key);
  result.reason = find_text(annotations, reason_key);
  result.attempts = attempts_of(annotations);
  result.queue = find_text(annotations, queue_key);
  return result;
}

} // namespace rookery::amqp
