// Goal: a peer is gone when its reply queue was missing for long enough while
// we were connected, and only then. Method: a clock that the test moves.
#include "bridge/core/presence.hpp"

#include "tests/support/catch.hpp"

using rookery::bridge::presence;
using namespace std::chrono_literals;

namespace {

struct rig {
  /// Lets a second pass, with the answer `there` to each probe.
  /// @returns whether "anna" is gone
  bool second(bool there) {
    now += 1s;
    bool gone = false;
    for (const auto& x : uut.due(now))
      gone |= uut.answered(x.number, there, now).has_value();
    return gone;
  }

  presence::time_point now{1h};
  presence uut{1s, 3s};
};

} // namespace

TEST_CASE("presence: who is not tracked is not probed", "[core][presence]") {
  rig r;
  CHECK(r.uut.due(r.now).empty());
  r.uut.track({"anna", "bert"});
  CHECK(r.uut.due(r.now).size() == 2);
  r.uut.track({});
  r.now += 1s;
  CHECK(r.uut.due(r.now).empty());
}

TEST_CASE("presence: one probe is under way at a time, one a second",
          "[core][presence]") {
  rig r;
  r.uut.track({"anna"});
  auto first = r.uut.due(r.now);
  REQUIRE(first.size() == 1);
  CHECK(first[0].peer == "anna");
  r.now += 5s;
  CHECK(r.uut.due(r.now).empty());
  CHECK_FALSE(r.uut.answered(first[0].number, true, r.now));
  CHECK(r.uut.due(r.now).size() == 1);
  CHECK(r.uut.due(r.now).empty());
}

TEST_CASE("presence: who is missing for long enough is gone, once",
          "[core][presence]") {
  rig r;
  r.uut.track({"anna"});
  CHECK_FALSE(r.second(true));
  CHECK_FALSE(r.second(false));
  CHECK_FALSE(r.second(false));
  CHECK_FALSE(r.second(false));
  CHECK(r.second(false));
  CHECK_FALSE(r.second(false));
  r.uut.track({"anna"}); // somebody cares again
  CHECK_FALSE(r.second(false));
}

TEST_CASE("presence: who comes back in time is not gone", "[core][presence]") {
  rig r;
  r.uut.track({"anna"});
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(r.second(false));
    CHECK_FALSE(r.second(false));
    CHECK_FALSE(r.second(true));
  }
}

TEST_CASE("presence: time without a connection of our own does not count",
          "[core][presence]") {
  rig r;
  r.uut.track({"anna"});
  CHECK_FALSE(r.second(false));
  CHECK_FALSE(r.second(false));
  const auto lost = r.uut.due(r.now + 1s);
  REQUIRE(lost.size() == 1);
  r.uut.blind();
  r.now += 1h;
  CHECK_FALSE(r.uut.answered(lost[0].number, false, r.now)); // of before
  CHECK_FALSE(r.second(false));
  CHECK_FALSE(r.second(false));
  CHECK_FALSE(r.second(false));
  CHECK(r.second(false));
}
