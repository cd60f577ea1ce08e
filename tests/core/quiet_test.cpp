// Goal: nothing is called quiet that is not.
#include "nodes/client/quiet.hpp"

#include "tests/support/catch.hpp"

namespace {

using namespace rookery::nodes;
using rookery::service::v1::ShardStatus;

ShardStatus shard(std::uint32_t index,
                  const std::map<std::string, std::uint64_t>& applied) {
  ShardStatus result;
  result.set_shard(index);
  result.set_ready(true);
  for (auto& [log, seq] : applied) {
    auto& entry = *result.add_applied();
    entry.set_log(log);
    entry.set_seq(seq);
  }
  return result;
}

const log_heads heads = {{"tweet/0", 5}, {"follow/0", 2}, {"follow/1", 3}};

} // namespace

TEST_CASE("quiet: every shard has all tweets and its own follows",
          "[nodes][quiet]") {
  CHECK(unquiet(heads, {shard(0, {{"tweet/0", 5}, {"follow/0", 2}}),
                        shard(1, {{"tweet/0", 5}, {"follow/1", 3}})})
        == "");
}

TEST_CASE("quiet: a shard behind a log is not", "[nodes][quiet]") {
  CHECK(unquiet(heads, {shard(0, {{"tweet/0", 4}, {"follow/0", 2}})})
        == "shard 0 has applied 4 of 5 rows of tweet/0");
  CHECK(unquiet(heads, {shard(1, {{"tweet/0", 5}, {"follow/1", 2}})})
        == "shard 1 has applied 2 of 3 rows of follow/1");
  CHECK(unquiet(heads, {shard(1, {{"tweet/0", 5}})})
        == "shard 1 has applied 0 of 3 rows of follow/1");
}

TEST_CASE("quiet: a shard that works or starts is not", "[nodes][quiet]") {
  auto working = shard(0, {{"tweet/0", 5}, {"follow/0", 2}});
  working.set_jobs(3);
  CHECK(unquiet(heads, {working}) == "shard 0 has 3 tweets to expand");
  auto starting = shard(0, {{"tweet/0", 5}, {"follow/0", 2}});
  starting.set_ready(false);
  CHECK(unquiet(heads, {starting}) == "shard 0 is still starting");
}

TEST_CASE("quiet: a shard ahead of the store is not", "[nodes][quiet]") {
  CHECK(unquiet(heads, {shard(0, {{"tweet/0", 6}, {"follow/0", 2}})}) != "");
}
