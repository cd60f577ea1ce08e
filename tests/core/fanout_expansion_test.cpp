// Goal: every follower is served once by every job, in fair turns, with gaps,
// newcomers, deletions and compaction in between.
// Method: a list of followers in memory, which records who was served.
#include "actors/fanout/expansion.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <string>
#include <vector>

using namespace rookery::actors;

namespace {

class recorder final : public expansion::followers_source {
public:
  std::span<const std::uint32_t> followers(std::uint32_t author) override {
    return lists[author];
  }
  void serve(const expansion_job& job, std::span<const std::uint32_t> followers,
             bool first) override {
    starts += first ? 1 : 0;
    auto& to = served[job.tweet];
    to.insert(to.end(), followers.begin(), followers.end());
    turns += std::to_string(job.tweet) + " ";
  }
  void finished(const expansion_job& job, bool cancelled) override {
    finishes += std::to_string(job.tweet) + (cancelled ? "! " : " ");
  }

  std::map<std::uint32_t, std::vector<std::uint32_t>> lists;
  std::map<tweet_id, std::vector<std::uint32_t>> served;
  int starts = 0;
  std::string turns;
  std::string finishes;
};

std::vector<std::uint32_t> numbers(std::uint32_t count) {
  std::vector<std::uint32_t> result(count);
  for (std::uint32_t i = 0; i < count; ++i)
    result[i] = i;
  return result;
}

expansion_job post(tweet_id tweet, std::uint32_t author) {
  return {.batch = 1, .tweet = tweet, .intended_at_us = 0, .author = author};
}

expansion_job deletion(tweet_id tweet, std::uint32_t author) {
  auto result = post(tweet, author);
  result.erases = true;
  return result;
}

} // namespace

TEST_CASE("expansion: a job goes on where its quantum ended",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(10);
  expansion uut;
  uut.push(post(7, 0));
  uut.work(4, source);
  CHECK(source.served[7].size() == 4);
  CHECK(source.finishes.empty());
  uut.work(4, source);
  uut.work(4, source);
  CHECK(source.served[7] == numbers(10));
  CHECK(source.starts == 1);
  CHECK(source.finishes == "7 ");
  CHECK(uut.empty());
}

TEST_CASE("expansion: a heavy job does not hold up light ones",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(1000);
  source.lists[1] = numbers(2);
  expansion uut;
  uut.push(post(1, 0));
  uut.push(post(2, 1));
  uut.push(post(3, 1));
  uut.work(100, source);
  CHECK(source.finishes.empty());
  uut.work(100, source);
  CHECK(source.finishes == "2 3 ");
  CHECK(source.turns == "1 2 3 1 ");
}

TEST_CASE("expansion: the quantum bounds jobs without followers, too",
          "[actors][fanout]") {
  recorder source;
  expansion uut;
  for (tweet_id tweet = 1; tweet <= 1000; ++tweet)
    uut.push(post(tweet, 0));
  uut.work(512, source);
  CHECK(uut.size() == 1000 - 512 / 8);
}

TEST_CASE("expansion: who follows while a job runs is served at the end",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(4);
  expansion uut;
  uut.push(post(1, 0));
  uut.work(2, source);
  source.lists[0].push_back(4);
  uut.work(10, source);
  CHECK(source.served[1] == numbers(5));
}

TEST_CASE("expansion: an author with many jobs does not hold up others",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(100);
  source.lists[1] = numbers(2);
  expansion uut;
  for (tweet_id tweet = 1; tweet <= 1000; ++tweet)
    uut.push(deletion(tweet, 0));
  uut.push(post(2000, 1));
  CHECK(uut.authors() == 2);
  uut.work(150, source);
  CHECK(source.finishes == "1 ");
  uut.work(150, source);
  CHECK(source.finishes == "1 2000 2 ");
  CHECK(uut.authors() == 1);
}

TEST_CASE("expansion: a deletion ends the expansion of its post first",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(4);
  expansion uut;
  uut.push(post(1, 0));
  uut.push(post(2, 0));
  uut.work(2, source);
  uut.push(deletion(1, 0));
  uut.work(100, source);
  CHECK(source.turns == "1 2 1 ");
  CHECK(source.finishes == "1! 2 1 ");
  CHECK(source.served[1].size() == 2 + 4);
  CHECK(uut.empty());
}

TEST_CASE("expansion: positions follow a list that is compacted",
          "[actors][fanout]") {
  recorder source;
  source.lists[0] = numbers(10);
  source.lists[1] = numbers(10);
  expansion uut;
  uut.push(post(1, 0));
  uut.push(post(2, 1));
  uut.work(6, source);
  uut.work(6, source);
  uut.move_position(0, [](std::uint32_t position) { return position - 5; });
  source.lists[0] = {5, 6, 7, 8, 9}; // the first five have left
  uut.work(100, source);
  CHECK(source.served[1] == numbers(10));
  CHECK(source.served[2] == numbers(10));
}
