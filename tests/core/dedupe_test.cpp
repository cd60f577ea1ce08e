// Goal: a message of a stream is begun once, however often it is delivered, and
// the memory of that is constant. Method: cases by hand; a random walk
// (ROOKERY_SEED) against a map that forgets nothing.
#include "bridge/core/dedupe.hpp"

#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

using rookery::bridge::dedupe;
using rookery::testing::random_source;
using state = dedupe::state;

namespace {

// The oldest that is done, else the oldest, but not `newest`.
void forget_one(std::set<std::uint64_t>& failed,
                const std::map<std::uint64_t, state>& model,
                std::uint64_t newest) {
  auto victim = std::find_if(failed.begin(), failed.end(), [&](auto seq) {
    const auto known = model.find(seq);
    return known != model.end() && known->second == state::done;
  });
  if (victim == failed.end())
    victim = failed.begin();
  if (*victim == newest)
    ++victim;
  failed.erase(victim);
}

} // namespace

TEST_CASE("dedupe: a second delivery finds the first", "[bridge][dedupe]") {
  dedupe uut{64};
  CHECK(uut.begin(1) == state::unseen);
  CHECK(uut.begin(1) == state::running);
  uut.finish(1);
  CHECK(uut.begin(1) == state::done);
  CHECK(uut.find(2) == state::unseen);
  CHECK(uut.highest() == 1);
}

TEST_CASE("dedupe: a failed attempt may be tried again", "[bridge][dedupe]") {
  dedupe uut{64};
  CHECK(uut.begin(5) == state::unseen);
  uut.fail(5);
  CHECK(uut.begin(5) == state::unseen);
  uut.finish(5);
  uut.fail(5); // too late
  CHECK(uut.find(5) == state::done);
  uut.finish(6); // never begun
  CHECK(uut.find(6) == state::unseen);
}

TEST_CASE("dedupe: remembers how often handlers failed until one does not",
          "[bridge][dedupe]") {
  dedupe uut{64};
  CHECK(uut.failures(5) == 0);
  static_cast<void>(uut.begin(5));
  uut.fail(5, 2);
  CHECK(uut.failures(5) == 2);
  CHECK(uut.begin(5) == state::unseen);
  uut.give_up(5);
  CHECK(uut.failures(5) == 0);
  for (std::uint64_t seq : {5, 6, 7}) {
    static_cast<void>(uut.begin(seq));
    uut.fail(seq, 1);
  }
  static_cast<void>(uut.begin(6));
  uut.finish(6);
  CHECK(uut.failures(6) == 0);
  // What comes again so late that it is no longer in the window.
  static_cast<void>(uut.begin(1'000));
  CHECK(uut.failures(5) == 1);
  CHECK(uut.begin(5) == state::unseen);
  uut.fail(5, 2);
  CHECK(uut.failures(5) == 2);
  static_cast<void>(uut.begin(5));
  uut.give_up(5);
  CHECK(uut.find(5) == state::forgotten);
  CHECK(uut.failures(5) == 0);
  // No more than an eighth of the window, the latest, and what is done first.
  dedupe other{64};
  static_cast<void>(other.begin(2'000));
  for (std::uint64_t seq = 1; seq <= 8; ++seq)
    other.fail(seq, 1);
  static_cast<void>(other.begin(3));
  other.finish(3);
  other.fail(9, 1);
  CHECK(other.find(3) == state::forgotten);
  CHECK(other.failures(1) == 1);
  other.fail(10, 1);
  CHECK(other.failures(1) == 0);
  CHECK(other.failures(2) == 1);
  other.fail(1, 2); // though it is the oldest
  CHECK(other.failures(1) == 2);
  CHECK(other.failures(2) == 0);
}

TEST_CASE("dedupe: numbers may come out of order", "[bridge][dedupe]") {
  dedupe uut{64};
  CHECK(uut.begin(10) == state::unseen);
  CHECK(uut.begin(3) == state::unseen);
  uut.finish(3);
  CHECK(uut.find(3) == state::done);
  CHECK(uut.find(10) == state::running);
  CHECK(uut.find(4) == state::unseen);
}

TEST_CASE("dedupe: what left the window is told apart", "[bridge][dedupe]") {
  dedupe uut{64};
  CHECK(uut.begin(1) == state::unseen);
  CHECK(uut.begin(64) == state::unseen);
  CHECK(uut.find(1) == state::running);
  CHECK(uut.begin(65) == state::unseen);
  CHECK(uut.begin(1) == state::forgotten);
  uut.finish(1); // its place belongs to 65 now
  uut.fail(1);
  CHECK(uut.find(65) == state::running);
  // A leap forgets everything, without touching each number.
  CHECK(uut.begin(~std::uint64_t{0}) == state::unseen);
  CHECK(uut.find(65) == state::forgotten);
  CHECK(uut.find(~std::uint64_t{0} - 1) == state::unseen);
}

TEST_CASE("dedupe: what failed comes again late, perhaps twice",
          "[bridge][dedupe]") {
  dedupe uut{64};
  for (std::uint64_t seq : {1, 2}) {
    static_cast<void>(uut.begin(seq));
    uut.fail(seq, 0);
  }
  static_cast<void>(uut.begin(1'000));
  CHECK(uut.find(1) == state::unseen);
  CHECK(uut.find(2) == state::unseen);
  CHECK(uut.begin(1) == state::unseen);
  CHECK(uut.begin(1) == state::running);
  uut.finish(1);
  CHECK(uut.begin(1) == state::done);
  CHECK(uut.find(961) == state::unseen); // whose place in the window it had
  // Also where it was done while it was in the window.
  static_cast<void>(uut.begin(999));
  uut.fail(999, 1);
  static_cast<void>(uut.begin(999));
  uut.finish(999);
  static_cast<void>(uut.begin(2'000));
  CHECK(uut.begin(999) == state::done);
}

TEST_CASE("dedupe: agrees with a map in every random walk",
          "[bridge][dedupe]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  constexpr std::uint64_t window = 192;
  dedupe uut{window - 5}; // rounded up
  std::map<std::uint64_t, state> model;
  std::set<std::uint64_t> failed; // they are remembered longer
  std::uint64_t highest = 0;
  for (int step = 0; step < 100'000; ++step) {
    // Around the highest, below the window, and now and then a leap ahead.
    const auto ahead = random.below(500) == 0 ? 400U : 4U;
    const auto from = highest > 250 ? highest - 250 : 1;
    const auto seq = from + random.below(highest + ahead - from + 1);
    const bool old = seq <= highest && highest - seq >= window;
    const auto known = model.find(seq);
    const auto expected = old && !failed.contains(seq) ? state::forgotten
                          : known == model.end()       ? state::unseen
                                                       : known->second;
    REQUIRE(uut.find(seq) == expected);
    switch (random.below(3)) {
    case 0:
      REQUIRE(uut.begin(seq) == expected);
      if (expected == state::unseen)
        model[seq] = state::running;
      if (!old)
        highest = std::max(highest, seq);
      break;
    case 1:
      uut.finish(seq);
      if (expected == state::running)
        model[seq] = state::done;
      break;
    default:
      uut.fail(seq);
      if (expected == state::running || expected == state::forgotten) {
        model.erase(seq);
        failed.insert(seq);
        if (failed.size() > window / 8)
          forget_one(failed, model, seq);
      }
    }
    REQUIRE(uut.highest() == highest);
  }
}

TEST_CASE("dedupe: the last numbers there are come like others",
          "[bridge][dedupe]") {
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  dedupe uut{64};
  CHECK(uut.begin(last - 1) == state::unseen);
  CHECK(uut.begin(last) == state::unseen);
  uut.finish(last);
  CHECK(uut.find(last) == state::done);
  CHECK(uut.find(last - 1) == state::running);
}
