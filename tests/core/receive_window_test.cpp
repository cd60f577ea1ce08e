// Goal: credit = window - unfinished, always, granted in few and large steps,
// and never lost. Method: cases by hand; a random walk (ROOKERY_SEED).
#include "bridge/core/receive_window.hpp"

#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

using rookery::bridge::receive_window;
using rookery::testing::random_source;

namespace {

void deliver(receive_window& window, int count) {
  for (; count > 0; --count)
    window.on_delivery();
}

void finish(receive_window& window, int count) {
  for (; count > 0; --count)
    window.on_finished();
}

} // namespace

TEST_CASE("receive_window: a new link gets the whole window",
          "[bridge][receive_window]") {
  receive_window window{100};
  CHECK(window.credit() == 0);
  CHECK(window.fill() == 100);
  CHECK(window.credit() == 100);
  CHECK(window.fill() == 0);
  CHECK(window.top_up() == 0);
}

TEST_CASE("receive_window: tops up when half of it is free",
          "[bridge][receive_window]") {
  receive_window window{100};
  CHECK(window.fill() == 100);
  deliver(window, 60);
  CHECK(window.top_up() == 0); // delivered is not finished
  finish(window, 49);
  CHECK(window.top_up() == 0);
  finish(window, 1);
  CHECK(window.top_up() == 50);
  CHECK(window.credit() == 90);
  CHECK(window.unfinished() == 10);
}

TEST_CASE("receive_window: of packs as few are asked for as it has room for",
          "[bridge][receive_window]") {
  receive_window window{100};
  CHECK(window.fill() == 100);
  deliver(window, 99);
  finish(window, 99);
  CHECK(window.credit() == 1);
  deliver(window, 1);
  window.on_unpacked(20);
  CHECK(window.unfinished() == 21);
  CHECK(window.top_up() == 3);
  finish(window, 21);
  CHECK(window.top_up() == 2);
  // The next ones may be others, and are believed by and by.
  for (auto grant : {6U, 11U, 31U, 51U}) {
    deliver(window, 1);
    finish(window, 1);
    CHECK(window.top_up() == grant);
  }
}

TEST_CASE("receive_window: a pack larger than the window comes alone",
          "[bridge][receive_window]") {
  receive_window window{8};
  CHECK(window.fill() == 8);
  deliver(window, 8);
  window.on_unpacked(64);
  CHECK(window.top_up() == 0);
  finish(window, 64);
  CHECK(window.top_up() == 0);
  finish(window, 1);
  CHECK(window.top_up() == 1);
}

TEST_CASE("receive_window: one of a pack that is never done stops nothing",
          "[bridge][receive_window]") {
  receive_window window{8};
  CHECK(window.fill() == 8);
  deliver(window, 8);
  finish(window, 7);
  window.on_unpacked(64);
  finish(window, 63);
  CHECK(window.unfinished() == 2); // it, and its pack
  CHECK(window.top_up() == 1);
}

TEST_CASE("receive_window: slow targets do not let the link run dry for long",
          "[bridge][receive_window]") {
  receive_window window{80};
  CHECK(window.fill() == 80);
  deliver(window, 80);
  finish(window, 9);
  CHECK(window.top_up() == 0);
  finish(window, 1);
  // 70 handlers may take for ever; the rest of the window must still turn.
  CHECK(window.top_up() == 10);
  deliver(window, 10);
  CHECK(window.top_up() == 0);
}

TEST_CASE("receive_window: a window of one message works",
          "[bridge][receive_window]") {
  receive_window window{1};
  CHECK(window.top_up() == 1);
  window.on_delivery();
  CHECK(window.top_up() == 0);
  window.on_finished();
  CHECK(window.top_up() == 1);
}

TEST_CASE("receive_window: a message among packs is no sign that they are over",
          "[bridge][receive_window]") {
  constexpr std::uint32_t pack = 64;
  receive_window window{256};
  std::uint32_t most = 0;
  CHECK(window.fill() == 256);
  deliver(window, 252); // what a full window of credit brings is not counted
  finish(window, 252);
  for (int i = 0; i < 1'000; ++i) {
    while (window.credit() > 0) {
      window.on_delivery();
      if (i % 4 != 3) { // three packs, and one message
        window.on_unpacked(pack);
        window.on_finished(); // its place
      }
      most = i > 10 ? std::max(most, window.unfinished()) : 0;
      ++i;
    }
    while (window.top_up() == 0)
      window.on_finished();
  }
  CHECK(most <= 256 + 2 * pack);
}

TEST_CASE("receive_window: what is unfinished outlives its link",
          "[bridge][receive_window]") {
  receive_window window{10};
  CHECK(window.fill() == 10);
  deliver(window, 4);
  window.on_link_lost();
  CHECK(window.credit() == 0);
  CHECK(window.fill() == 6); // the new link's
  finish(window, 4);
  CHECK(window.fill() == 4);
  CHECK(window.credit() == 10);
}

TEST_CASE("receive_window: no walk loses credit or grants too much",
          "[bridge][receive_window]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  for (std::uint32_t size : {1U, 2U, 3U, 7U, 8U, 9U, 64U, 1000U}) {
    CAPTURE(size);
    receive_window window{size};
    std::uint32_t link = 0; // what the broker believes it may send
    for (int step = 0; step < 20'000; ++step) {
      const auto dice = random.below(100);
      if (dice < 45 && link > 0) {
        --link;
        window.on_delivery();
      } else if (dice < 90 && window.unfinished() > 0) {
        window.on_finished();
      } else if (dice == 99) {
        link = 0;
        window.on_link_lost();
      }
      link += window.top_up();
      REQUIRE(link == window.credit());
      REQUIRE(link + window.unfinished() <= size);
      // Something is always under way.
      REQUIRE(link + window.unfinished() > 0);
    }
    while (window.unfinished() > 0)
      window.on_finished();
    link += window.fill();
    CHECK(link == size);
  }
}
