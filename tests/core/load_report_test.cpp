// Goal: what a load measured is put together and told rightly.
#include "nodes/drive/load_report.hpp"

#include "nodes/load/completion_tracker.hpp"
#include "nodes/load/json_object.hpp"
#include "nodes/load/lag_log.hpp"
#include "nodes/load/shard_progress.hpp"
#include "tests/support/catch.hpp"

#include <sstream>

using namespace rookery::nodes;

TEST_CASE("completions: a tweet is as late as its slowest shard",
          "[nodes][load]") {
  completion_tracker uut{2, 100};
  uut.add(1, 10);
  CHECK(uut.latencies().count() == 0);
  uut.add(1, 30);
  CHECK(uut.latencies().count() == 1);
  CHECK(uut.latencies().max() == 30);
}

TEST_CASE("completions: shards may say nothing", "[nodes][load]") {
  completion_tracker uut{8, 100};
  uut.add(1, 10);
  uut.add(2, 20);
  uut.finish();
  CHECK(uut.latencies().count() == 2);
}

TEST_CASE("completions: what waits is bounded", "[nodes][load]") {
  completion_tracker uut{2, 3};
  for (std::uint64_t tweet = 1; tweet <= 10; ++tweet)
    uut.add(tweet, tweet);
  CHECK(uut.latencies().count() == 7);
  CHECK(uut.latencies().max() == 7);
}

TEST_CASE("shard progress: who does not answer is silent", "[nodes][load]") {
  shard_progress uut{2};
  uut.begin();
  uut.take(0, true, 0);
  CHECK(uut.silent() == 1);
  uut.take(1, false, 0); // starts
  CHECK(uut.silent() == 1);
  uut.begin();
  CHECK(uut.silent() == 2);
}

TEST_CASE("shard progress: entries are counted over a shard's lives",
          "[nodes][load]") {
  shard_progress uut{1};
  uut.take(0, true, 100); // before
  uut.take(0, true, 130);
  uut.take(0, false, 7); // another life
  uut.take(0, true, 10);
  CHECK(uut.pushed() == 40);
}

TEST_CASE("lags: a tweet lags from its acknowledgement to its slowest shard",
          "[nodes][load]") {
  lag_log uut;
  uut.told(1, 30);
  uut.acknowledged(1, 1'020, 1'000);
  uut.told(1, 50);
  uut.acknowledged(2, 1'030, 1'010);
  uut.told(2, 20); // readable when it was acknowledged
  uut.acknowledged(3, 1'100, 1'010);
  uut.told(3, 200);
  std::ostringstream out;
  uut.write(out, 1'100);
  const std::string begin = "1767225600000000 "; // what these ids say
  CHECK(out.str() == begin + "1020 1050\n");
  uut.write(out, 1'101);
  CHECK(out.str() == begin + "1020 1050\n" + begin + "1100 1210\n");
}

TEST_CASE("lags: what no shard told of is written with when it was posted",
          "[nodes][load]") {
  lag_log uut;
  uut.acknowledged(7 << 22, 1'020, 1'000);
  std::ostringstream out;
  uut.write(out, 1'100);
  CHECK(out.str() == "1767225600007000 1020 0\n");
}

TEST_CASE("lags: of too many tweets the oldest are left out", "[nodes][load]") {
  lag_log uut{2};
  for (std::uint64_t tweet = 1; tweet <= 3; ++tweet) {
    uut.acknowledged(tweet, tweet, 0);
    uut.told(tweet, 10 + tweet);
  }
  std::ostringstream out;
  uut.write(out, 100);
  CHECK(out.str() == "1767225600000000 2 12\n1767225600000000 3 13\n");
}

TEST_CASE("load report: retries are told", "[nodes][load]") {
  load_report x;
  auto& reads =
      x.results.operations[static_cast<std::size_t>(operation_kind::read)];
  reads = {.asked = 10, .attempts = 14, .acknowledged = 8, .failed = 2};
  std::ostringstream out;
  print(out, x);
  CHECK(out.str().find("read                   10       14        8        0"
                       "        2")
        != std::string::npos);
  CHECK(out.str().find("2 operations were given up") != std::string::npos);
  CHECK(to_json(x, {}).find(R"("asked": 10, "attempts": 14, "retries": 4)")
        != std::string::npos);
}

TEST_CASE("json: texts are quoted", "[nodes][load]") {
  json_object inner;
  inner.add("n", std::uint64_t{7});
  json_object uut;
  uut.add("a \"b\"", "c\\d\ne").add("o", inner);
  CHECK(uut.text() == R"({"a \"b\"": "c\\d\u000ae", "o": {"n": 7}})");
}

TEST_CASE("load report: rates are over load and drain", "[nodes][load]") {
  load_report x;
  x.load_seconds = 8;
  x.drain_seconds = 2;
  x.deliveries = 1'000;
  auto& posts =
      x.results.operations[static_cast<std::size_t>(operation_kind::post)];
  posts.acknowledged = 80;
  CHECK(x.tweets_per_second() == 10.0);
  CHECK(x.deliveries_per_second() == 100.0);
  CHECK(load_report{}.deliveries_per_second() == 0.0);
}

TEST_CASE("load report: everything that went wrong is told", "[nodes][load]") {
  load_report x;
  x.results.errors["no reply in time"] = 3;
  x.results.bad_reads = 1;
  x.results.bad_read = "home of 4: tweet 9 is in it twice";
  x.results.left_out = 5;
  x.completions_lost = 6;
  std::ostringstream out;
  print(out, x);
  auto text = out.str();
  CHECK(text.find("3 x no reply in time") != std::string::npos);
  CHECK(text.find("home of 4: tweet 9 is in it twice") != std::string::npos);
  CHECK(text.find("5 operations were due, but never sent")
        != std::string::npos);
  CHECK(text.find("6 times from post to timeline were lost")
        != std::string::npos);
}
