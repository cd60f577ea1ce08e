// What monitors and links are to this node: a table, and messages. Method: a
// hub without IO, with the table and the protocol in the test's hands.
#include "bridge/caf/proxy.hpp"
#include "bridge/caf/watch_protocol.hpp"
#include "tests/support/bridge_rig.hpp"
#include "tests/support/catch.hpp"

#include <caf/all.hpp>

#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using bridge::monitor_table;

namespace {

constexpr auto never = bridge::hub::clock::time_point::max();

caf::attachable_ptr nobody() {
  return caf::attachable_ptr{new bridge::resolution{[](const caf::error&) {}}};
}

// Of somebody who takes back all.
struct nobody_in_particular : caf::attachable {
  bool matches(const token&) override { return true; }
};

std::vector<monitor_table::told> take_told(monitor_table& table) {
  std::vector<monitor_table::told> result;
  table.tell_each([&](auto& x) { result.push_back(std::move(x)); });
  return result;
}

} // namespace

TEST_CASE("watching: the end of an actor whose node dies is told by its own",
          "[actors][monitor]") {
  monitor_table table{1};
  auto who = nobody();
  const std::string peer = "/queues/peer";
  const auto fell = caf::make_error(errc::poison, "fell over");
  constexpr std::uint64_t dead = 17; // names the ends that this node says
  REQUIRE(table.add({.number = 1, .paths = {"/queues/a", "/queues/b"}}, nullptr,
                    who, never));
  REQUIRE(table.begun(1, {peer, 3}));
  table.down(1, peer, {5, fell, {1}}, never); // of "b" it said nothing
  CHECK(table.peer_gone(peer, dead, never).size() == 1);
  table.down_copy(1, 5, 1); // if it was sent, it need not be the last
  table.down_copy(1, dead, 1);
  CHECK(take_told(table).empty());
  table.down_copy(1, dead, 2);
  const auto told = take_told(table);
  REQUIRE(told.size() == 1);
  CHECK(told[0].reason == fell);
}

TEST_CASE("watching: what is taken back while another is told is not told",
          "[actors][monitor]") {
  monitor_table table{10};
  for (std::uint64_t number = 1; number <= 3; ++number) {
    caf::attachable_ptr who{new nobody_in_particular};
    REQUIRE(table.add({.number = number}, nullptr, who, never));
  }
  table.fail_all({});
  int told = 0;
  table.tell_each([&](auto&) {
    ++told;
    static_cast<void>(
        table.detach(nullptr, {caf::attachable::token::observer, nullptr}));
  });
  CHECK(told == 1);
}

TEST_CASE("watching: without a way for copies that end is told at once",
          "[actors][monitor]") {
  monitor_table table{1};
  auto who = nobody();
  REQUIRE(table.add({.number = 1}, nullptr, who, never));
  REQUIRE(table.begun(1, {"/queues/peer", 3}));
  table.down(1, "/queues/peer", {5, {}, {1}}, never);
  CHECK(take_told(table).empty());
  CHECK(table.peer_gone("/queues/peer", 17, never).empty());
  CHECK(take_told(table).size() == 1);
}

TEST_CASE("watching: whatever one throws that is told, all are",
          "[actors][monitor]") {
  tests::bridge_rig r;
  bridge::destination to{1, "q", {}};
  int told = 0;
  for (int i = 0; i < 2; ++i)
    r.home->resolve(to, std::make_unique<bridge::resolution>([&](caf::error) {
                      ++told;
                      throw 7;
                    }),
                    std::chrono::milliseconds::max());
  r.home->monitors.expire(r.home->world.now());
  r.home->tell_watching();
  CHECK(told == 0);
  r.home->give_up_waiting();
  CHECK(told == 2);
}

TEST_CASE("watching: what is said again stays in its queue, too",
          "[actors][monitor]") {
  tests::bridge_rig r;
  bridge::destination to{1, "q", {}};
  r.home->resolve(to, std::make_unique<bridge::resolution>([](caf::error) {}),
                  1h);
  bridge::watch_protocol uut{*r.home, [](const auto&) { return nullptr; }};
  uut.connected();
  uut.turn();
  std::vector<amqp::outgoing> said;
  to.queue->take(9, said);
  REQUIRE(said.size() == 2);
  for (const auto& x : said)
    CHECK(x.stays);
}
