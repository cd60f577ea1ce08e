// Goal: rows of a log are taken once and in order, whatever comes twice, too
// early or never; batches are done when their last row is; completions keep
// the newest.
#include "actors/fanout/completions.hpp"
#include "actors/fanout/inbox.hpp"
#include "actors/fanout/log_cursor.hpp"
#include "tests/support/catch.hpp"

using namespace rookery::actors;

namespace {

std::vector<tweet_row> rows(tweet_id first, std::size_t count) {
  std::vector<tweet_row> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({1, first + i, 0, false});
  return result;
}

bool judged(const log_cursor::verdict& x, std::uint64_t known,
            std::uint64_t fresh) {
  return x.known == known && x.fresh == fresh;
}

} // namespace

TEST_CASE("log_cursor: takes the next rows and drops known ones",
          "[actors][fanout]") {
  log_cursor uut;
  CHECK(judged(uut.offer(1, 3), 0, 3));
  CHECK(judged(uut.offer(1, 3), 3, 0));
  CHECK(judged(uut.offer(2, 4), 2, 2));
  CHECK(judged(uut.offer(6, 0), 0, 0));
  CHECK(uut.taken() == 5);
  CHECK_FALSE(uut.is_behind());
  CHECK(uut.gaps() == 0);
}

TEST_CASE("log_cursor: rows behind a gap are read back once",
          "[actors][fanout]") {
  log_cursor uut;
  CHECK(judged(uut.offer(4, 2), 0, 0));
  CHECK(uut.taken() == 0);
  CHECK(uut.is_behind());
  CHECK(uut.begin_read());
  CHECK_FALSE(uut.begin_read());
  CHECK(judged(uut.offer(6, 1), 0, 0)); // comes meanwhile
  CHECK(judged(uut.offer(1, 5), 0, 5)); // what was read
  uut.end_read();
  CHECK(uut.begin_read());
  CHECK(judged(uut.offer(6, 1), 0, 1));
  uut.end_read();
  CHECK_FALSE(uut.is_behind());
  CHECK(uut.gaps() == 1);
}

TEST_CASE("log_cursor: a higher head is a gap, a lower one is not",
          "[actors][fanout]") {
  log_cursor uut;
  uut.skip_to(7);
  uut.raise_head(7);
  uut.raise_head(3);
  CHECK_FALSE(uut.is_behind());
  uut.raise_head(9);
  CHECK(uut.is_behind());
  CHECK(uut.gaps() == 1);
  CHECK(uut.begin_read());
  uut.end_read();
  uut.found_nothing();
  CHECK_FALSE(uut.is_behind());
  CHECK(uut.taken() == 7);
}

TEST_CASE("log_cursor: a read that found nothing says nothing of later rows",
          "[actors][fanout]") {
  log_cursor uut;
  uut.raise_head(2);
  CHECK(uut.begin_read());
  uut.raise_head(3);
  uut.end_read();
  uut.found_nothing();
  CHECK(uut.is_behind());
}

TEST_CASE("inbox: a batch is done with its last row", "[actors][fanout]") {
  inbox uut;
  uut.add(70, 0, 1, rows(100, 2), {});
  uut.add(std::nullopt, 1, 5, rows(200, 1), {});
  auto first = uut.take();
  auto second = uut.take();
  auto third = uut.take();
  REQUIRE((first && second && third));
  CHECK(first->row.tweet == 100);
  CHECK(second->row.tweet == 101);
  CHECK(third->row.tweet == 200);
  CHECK_FALSE(uut.take());
  CHECK(uut.size() == 2);
  CHECK_FALSE(uut.close(second->batch));
  CHECK_FALSE(uut.close(third->batch)); // read back: nobody to answer
  CHECK(uut.close(first->batch) == 70U);
  CHECK(uut.size() == 0);
}

TEST_CASE("inbox: only what is to be answered is a delivery held",
          "[actors][fanout]") {
  inbox uut;
  const auto came =
      std::chrono::steady_clock::time_point{std::chrono::seconds{9}};
  uut.add(std::nullopt, 0, 1, rows(100, 1), came);
  CHECK_FALSE(uut.holds_delivery(came));
  uut.add(7, 0, 2, rows(101, 1), came);
  CHECK(uut.holds_delivery(came));
  CHECK_FALSE(uut.holds_delivery(came + std::chrono::milliseconds{1}));
  while (auto row = uut.take())
    static_cast<void>(uut.close(row->batch));
  CHECK_FALSE(uut.holds_delivery(came));
}

TEST_CASE("inbox: applied stays below the first open batch of a log",
          "[actors][fanout]") {
  inbox uut;
  uut.add(1, 0, 11, rows(100, 2), {});
  uut.add(2, 0, 13, rows(102, 2), {});
  uut.add(3, 1, 50, rows(200, 1), {});
  CHECK(uut.applied(0, 14) == 10);
  CHECK(uut.applied(1, 50) == 49);
  CHECK(uut.applied(2, 7) == 7);
  auto a = uut.take();
  auto b = uut.take();
  (void)uut.close(a->batch);
  CHECK(uut.applied(0, 14) == 10);
  (void)uut.close(b->batch);
  CHECK(uut.applied(0, 14) == 12);
}

TEST_CASE("completions: pages go on where the last one ended",
          "[actors][fanout]") {
  completions uut{3};
  CHECK(uut.read(0, 9).entries.empty());
  uut.push({100, 1});
  uut.push({101, 2});
  auto page = uut.read(0, 1);
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].tweet == 100);
  CHECK(page.next == 1);
  page = uut.read(page.next, 9);
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].latency_us == 2);
  CHECK(page.next == 2);
  CHECK(page.lost == 0);
  page = uut.read(page.next, 9);
  CHECK(page.entries.empty());
  CHECK(page.next == 2);
}

TEST_CASE("completions: overwritten entries are counted", "[actors][fanout]") {
  completions uut{3};
  for (tweet_id tweet = 1; tweet <= 8; ++tweet)
    uut.push({tweet, 0});
  auto page = uut.read(2, 9);
  REQUIRE(page.entries.size() == 3);
  CHECK(page.entries[0].tweet == 6);
  CHECK(page.entries[2].tweet == 8);
  CHECK(page.next == 8);
  CHECK(page.lost == 3);
}

TEST_CASE("completions: a reader of an earlier shard starts anew",
          "[actors][fanout]") {
  completions uut{3};
  uut.push({1, 0});
  auto page = uut.read(500, 9);
  CHECK(page.entries.size() == 1);
  CHECK(page.next == 1);
  CHECK(page.lost == 0);
}
