// Goal: the follower actor keeps the graph of its shard, commits in groups,
// and publishes the changes to its shard.
// Method: the actor over a real store, in virtual time; the shard is a
// recorder. What all writers share is told in tweet_test.cpp.
#include "actors/follower/follower.hpp"

#include "actors/errc.hpp"
#include "testing/test_system.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::actors;
using namespace service::v1;
using namespace std::chrono_literals;
using testing::recorder;
using testing::test_system;

namespace {

template <class Request>
Request one(user_id follower, user_id followee, const std::string& key) {
  Request result;
  result.set_follower(follower);
  result.set_followee(followee);
  result.set_idempotency_key(key);
  return result;
}

FollowRequest follow(user_id follower, user_id followee,
                     const std::string& key = "") {
  return one<FollowRequest>(follower, followee, key);
}

UnfollowRequest unfollow(user_id follower, user_id followee,
                         const std::string& key = "") {
  return one<UnfollowRequest>(follower, followee, key);
}

/// `count` edges of followers first, first + 1, ... to user 0.
ImportEdgesRequest import_of(user_id first, int count) {
  ImportEdgesRequest result;
  for (int i = 0; i < count; ++i) {
    result.add_followers(first + static_cast<user_id>(i));
    result.add_followees(0);
  }
  return result;
}

/// The writer of the only shard.
struct fixture {
  fixture() : writer(spawn()) {}

  follower_actor spawn() {
    auto store =
        store::follow_store::open({temp.path(), 1, {.busy_timeout = 0ms}});
    REQUIRE(store);
    return t.spawn(follower,
                   follower_options{*store, 0, 1, {shard.handle(), t.clock()}});
  }

  bool ask(const FollowRequest& x) {
    auto reply = t.ask<FollowReply>(writer, x);
    REQUIRE(reply);
    return reply->changed();
  }
  bool ask(const UnfollowRequest& x) {
    auto reply = t.ask<FollowReply>(writer, x);
    REQUIRE(reply);
    return reply->changed();
  }

  const std::vector<LogBatch>& batches() const {
    return shard.seen<LogBatch>();
  }

  temp_directory temp;
  test_system t;
  recorder<LogBatch, LogHead> shard = t.spawn_recorder<LogBatch, LogHead>();
  follower_actor writer;
};

} // namespace

TEST_CASE("follower: a change is kept and published", "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2)));
  CHECK(s.ask(unfollow(1, 2)));
  REQUIRE(s.batches().size() == 2);
  CHECK(s.batches()[0].log() == "follow/0");
  CHECK(s.batches()[0].first_seq() == 1);
  CHECK(s.batches()[0].rows(0).kind() == LogRow::FOLLOWED);
  CHECK(s.batches()[0].rows(0).user() == 1);
  CHECK(s.batches()[0].rows(0).subject() == 2);
  CHECK(s.batches()[1].first_seq() == 2);
  CHECK(s.batches()[1].rows(0).kind() == LogRow::UNFOLLOWED);
}

TEST_CASE("follower: what changes nothing makes no row", "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2)));
  CHECK_FALSE(s.ask(follow(1, 2)));
  CHECK_FALSE(s.ask(unfollow(2, 1)));
  CHECK_FALSE(s.ask(follow(3, 3)));
  CHECK(s.batches().size() == 1);
}

TEST_CASE("follower: one group keeps the order of its requests", "[follower]") {
  fixture s;
  auto a = s.t.start<FollowReply>(s.writer, follow(1, 2));
  auto b = s.t.start<FollowReply>(s.writer, unfollow(1, 2));
  auto c = s.t.start<FollowReply>(s.writer, follow(1, 2));
  auto d = s.t.start<FollowReply>(s.writer, follow(1, 2));
  s.t.run();
  CHECK(a.get()->changed());
  CHECK(b.get()->changed());
  CHECK(c.get()->changed());
  CHECK_FALSE(d.get()->changed());
  REQUIRE(s.batches().size() == 1);
  CHECK(s.batches()[0].rows_size() == 3);
  EdgesRequest request;
  request.set_edges_max(10);
  auto edges = s.t.ask<EdgesReply>(s.writer, request);
  REQUIRE(edges->seqs_size() == 1);
  CHECK(edges->seqs(0) == 3);
  CHECK(edges->head() == 3);
}

TEST_CASE("follower: a key has one answer", "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2, "k")));
  CHECK(s.ask(unfollow(1, 2)));
  CHECK(s.ask(follow(1, 2, "k"))); // the answer of the first time
  CHECK(s.batches().size() == 2);
  CHECK(s.t.ask<FollowReply>(s.writer, unfollow(1, 2, "k"))
        == errc::key_conflict);
}

TEST_CASE("follower: imports edges in batches of a thousand rows",
          "[follower]") {
  fixture s;
  auto a = s.t.start<ImportEdgesReply>(s.writer, import_of(1, 1000));
  auto b = s.t.start<ImportEdgesReply>(s.writer, import_of(901, 600));
  auto c = s.t.start<ImportEdgesReply>(s.writer, import_of(1501, 400));
  auto d = s.t.start<ImportEdgesReply>(s.writer, import_of(1, 1000));
  s.t.run();
  CHECK(a.get()->added() == 1000);
  CHECK(b.get()->added() == 500);
  CHECK(c.get()->added() == 400);
  CHECK(d.get()->added() == 0);
  REQUIRE(s.batches().size() == 2);
  CHECK(s.batches()[0].rows_size() == 1000);
  CHECK(s.batches()[1].first_seq() == 1001);
  CHECK(s.batches()[1].rows_size() == 900);
  CHECK(s.t.ask<ImportEdgesReply>(s.writer, import_of(1, 1001))
        == errc::invalid_argument);
}

TEST_CASE("follower: pages its edges from the extremes of users",
          "[follower]") {
  fixture s;
  CHECK(s.ask(follow(0, UINT64_MAX)));
  CHECK(s.ask(follow(UINT64_MAX, 0)));
  EdgesRequest request;
  request.set_edges_max(1);
  auto first = s.t.ask<EdgesReply>(s.writer, request);
  REQUIRE(first->followers_size() == 1);
  CHECK_FALSE(first->last());
  request.set_after_follower(first->followers(0));
  CHECK(s.t.ask<EdgesReply>(s.writer, request) == errc::invalid_argument);
  request.set_after_followee(first->followees(0));
  auto second = s.t.ask<EdgesReply>(s.writer, request);
  REQUIRE(second->followers_size() == 1);
  CHECK(second->last());
  CHECK(second->followers(0) == ~first->followers(0));
  CHECK(second->followees(0) == ~first->followees(0));
}

TEST_CASE("follower: publishes its head every second and when told to",
          "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2)));
  s.t.advance_time(2s);
  s.t.tell(s.writer, store::publish_head_atom::value);
  s.t.run();
  auto& heads = s.shard.seen<LogHead>();
  REQUIRE(heads.size() == 3);
  CHECK(heads[2].log() == "follow/0");
  CHECK(heads[2].seq() == 1);
}

TEST_CASE("follower: a log is read back as it was published", "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2)));
  CHECK(s.ask(follow(3, 4)));
  ReadLogRequest request;
  request.set_log("follow/0");
  request.set_after_seq(1);
  request.set_rows_max(1000);
  auto batch = s.t.ask<LogBatch>(s.writer, request);
  REQUIRE(batch);
  CHECK(batch->SerializeAsString() == s.batches()[1].SerializeAsString());
}

TEST_CASE("follower: a fenced writer changes and answers nothing, and ends",
          "[follower]") {
  fixture s;
  CHECK(s.ask(follow(1, 2)));
  auto other = s.spawn();
  CHECK(s.t.ask<FollowReply>(other, unfollow(1, 2))->changed());
  CHECK(s.t.ask<FollowReply>(s.writer, follow(1, 3))
        == caf::sec::request_receiver_down);
  CHECK(s.t.ask<FollowReply>(s.writer, follow(1, 3))
        == caf::sec::request_receiver_down);
  CHECK(s.t.ask<FollowReply>(other, follow(1, 2))->changed());
  CHECK(s.batches().size() == 3);
  CHECK(s.batches()[2].first_seq() == 3);
}
