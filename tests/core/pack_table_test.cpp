// Goal: what came in a pack is kept until it is over. Method: cases by hand.
#include "bridge/amqp/pack_table.hpp"

#include "bridge/amqp/pack_rule.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using amqp::outgoing;
using amqp::pack_rule;
using amqp::pack_table;
using end_type = amqp::pack_table::end_type;

namespace {

struct pack {
  explicit pack(std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i)
      bytes += static_cast<char>('a' + i);
    std::vector<std::string_view> parts;
    for (std::size_t i = 0; i < count; ++i)
      parts.push_back(std::string_view{bytes}.substr(i, 1));
    self = table.find(table.add({}, 7, bytes, parts));
  }

  pack_table table;
  pack_table::pack* self;
};

} // namespace

TEST_CASE("pack_table: keeps the messages", "[amqp][pack]") {
  pack x{3};
  CHECK(x.self->receiver == 7);
  CHECK(x.self->running == 3);
  CHECK(x.self->message(x.self->parts[0]) == "a");
  CHECK(x.self->message(x.self->parts[2]) == "c");
}

TEST_CASE(
    "pack_table: is over when nothing runs and nothing is on its way back",
    "[amqp][pack]") {
  pack x{2};
  CHECK_FALSE(x.self->over());
  x.self->running = 0;
  x.self->returning = 1;
  CHECK_FALSE(x.self->over());
  x.self->returning = 0;
  CHECK(x.self->over());
}

TEST_CASE("pack_table: goes back whole only if nobody had any of it",
          "[amqp][pack]") {
  pack x{2};
  auto& first = x.self->parts[0].end;
  auto& second = x.self->parts[1].end;
  first = second = end_type::untouched;
  CHECK(x.self->outcome() == bridge::outcome::untouched());
  first = end_type::released; // it may be for others, and is not in its place
  CHECK(x.self->outcome() == bridge::outcome::released());
  first = end_type::accepted;
  CHECK(x.self->outcome() == bridge::outcome::accepted());
  second = end_type::returned;
  CHECK(x.self->outcome() == bridge::outcome::accepted());
}

TEST_CASE("pack_table: of what does not run nothing is kept without its link",
          "[amqp][pack]") {
  pack x{2};
  CHECK(x.table.take_idle().empty());
  x.self->running = 0;
  CHECK(x.table.take_idle() == std::vector<std::size_t>{7});
  CHECK(x.table.take_idle().empty());
}

TEST_CASE("pack_rule: those share a transfer that may, and fit",
          "[amqp][pack]") {
  outgoing may{std::string(100, 'x')};
  may.packs = true;
  const outgoing alone{"x"};
  outgoing settled = may;
  settled.presettled = true;
  outgoing large = may;
  large.bytes.resize(amqp::pack_bytes_max);
  pack_rule rule{amqp::pack_bytes_max};
  CHECK_FALSE(rule.joins(may));
  CHECK(rule.joins(may));
  CHECK_FALSE(rule.joins(alone));
  CHECK_FALSE(rule.joins(may)); // not with that one
  CHECK(rule.joins(may));
  CHECK_FALSE(rule.joins(settled));
  CHECK(rule.joins(settled));
  CHECK_FALSE(rule.joins(large));
  CHECK_FALSE(rule.joins(settled));
  rule.cut();
  CHECK_FALSE(rule.joins(settled));
}

TEST_CASE("pack_rule: at most so many, and so long", "[amqp][pack]") {
  outgoing may{std::string(100, 'x')};
  may.packs = true;
  pack_rule rule{amqp::pack_bytes_max};
  for (std::size_t i = 0; i < amqp::pack_messages_max; ++i)
    CHECK(rule.joins(may) == (i > 0));
  CHECK_FALSE(rule.joins(may));
  // The peer takes no longer ones.
  pack_rule narrow{amqp::pack_overhead_max + 250};
  CHECK_FALSE(narrow.joins(may));
  CHECK(narrow.joins(may));
  CHECK_FALSE(narrow.joins(may));
}
