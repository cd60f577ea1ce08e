#include "tests/sim/clients.hpp"

#include "actors/errc.hpp"
#include "tests/sim/asker.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <algorithm>

namespace rookery::sim {

namespace {

using namespace service::v1;
using namespace std::chrono_literals;

// Whether asking again may help.
bool may_pass(const caf::error& x) {
  using actors::errc;
  return x.category() != caf::atom("service") || x == errc::store_failed
         || x == errc::not_complete || x == errc::overloaded
         || x == errc::fenced;
}

} // namespace

void clients::start(world::clock::duration pace) {
  running_ = true;
  act(pace);
}

void clients::act(world::clock::duration pace) {
  outside_.after(outside_.between(pace / 4, pace * 2), weak_from_this(),
                 [pace](clients& x) {
                   if (!x.running_)
                     return;
                   x.self_->execute([&x] {
                     auto what = x.outside_.draw(100);
                     if (what < 45)
                       x.post();
                     else if (what < 60)
                       x.follow(false);
                     else if (what < 68)
                       x.follow(true);
                     else if (what < 76)
                       x.erase();
                     else
                       x.read();
                   });
                   x.act(pace);
                 });
}

template <class Reply, class Request>
void clients::change(bridge::address whom, Request request,
                     std::function<void(const Reply&)> done) {
  ask<Reply>(*self_, whom, request,
             [=, weak = weak_from_this()](caf::expected<Reply> reply) {
               auto self = weak.lock();
               if (!self)
                 return;
               if (reply)
                 return done(*reply);
               if (!may_pass(reply.error()))
                 return self->outside_.fail(
                     "refused: "
                     + self->self_->system().system().render(reply.error()));
               self->outside_.after(
                   self->outside_.between(50ms, 300ms), weak, [=](clients& x) {
                     x.self_->execute([&x, whom, request, done] {
                       x.change<Reply>(whom, request, done);
                     });
                   });
             });
}

void clients::post() {
  auto author = outside_.draw(users_);
  auto op = past_.post_issued(author);
  PostTweetRequest request;
  request.set_author(author);
  request.set_text(std::string{"t"}.append(std::to_string(op)));
  request.set_idempotency_key(key());
  ++open_;
  auto whom = nodes::tweet_address_of(author, layout_);
  auto again = std::make_shared<bool>(outside_.chance(8));
  change<PostTweetReply>(whom, request, [=, this](const PostTweetReply& x) {
    outside_.note("client", "posted", x.tweet_id());
    past_.posted(op, x.tweet_id());
    --open_;
    if (std::exchange(*again, false)) { // the same key, the same answer
      ++open_;
      change<PostTweetReply>(whom, request, [=, this](const PostTweetReply& y) {
        past_.posted(op, y.tweet_id());
        --open_;
      });
    }
  });
}

void clients::erase() {
  auto [id, author] = past_.any_tweet(outside_.random());
  if (id == 0)
    return;
  past_.delete_issued(id);
  DeleteTweetRequest request;
  request.set_author(author);
  request.set_tweet_id(id);
  request.set_idempotency_key(key());
  ++open_;
  change<DeleteTweetReply>(nodes::tweet_address_of(author, layout_), request,
                           [=, this](const DeleteTweetReply& x) {
                             outside_.note("client", "deleted", id);
                             if (!x.existed())
                               outside_.fail(
                                   "I1: an acknowledged tweet did not exist: "
                                   + std::to_string(id));
                             past_.deleted(id);
                             --open_;
                           });
}

void clients::follow(bool unfollow) {
  auto follower = outside_.draw(users_);
  auto author = outside_.draw(users_);
  std::pair edge{follower, author};
  if (follower == author || changing_.count(edge) > 0
      || past_.follows(follower, author) != unfollow)
    return;
  changing_.insert(edge);
  past_.follow_issued(follower, author, unfollow);
  ++open_;
  auto done = [=, this](const FollowReply& x) {
    outside_.note("client", unfollow ? "unfollowed" : "followed",
                  follower * 1000 + author);
    if (!x.changed())
      outside_.fail("I1: an acknowledged edge was lost or doubled: "
                    + std::to_string(follower) + " " + std::to_string(author));
    past_.follow_changed(follower, author, unfollow);
    changing_.erase(edge);
    --open_;
  };
  auto whom = nodes::follow_address_of(follower, layout_);
  auto fill = [&](auto request) {
    request.set_follower(follower);
    request.set_followee(author);
    request.set_idempotency_key(key());
    change<FollowReply>(whom, request, done);
  };
  if (unfollow)
    fill(UnfollowRequest{});
  else
    fill(FollowRequest{});
}

void clients::read() {
  auto user = outside_.draw(users_);
  if (!reading_.insert(user).second)
    return;
  HomeTimelineRequest request;
  request.set_user(user);
  request.set_limit(200);
  ask<HomeTimelineReply>(
      *self_, nodes::shard_address_of(user, layout_), request,
      [=, weak = weak_from_this(),
       expected = past_.expect(user)](caf::expected<HomeTimelineReply> reply) {
        auto self = weak.lock();
        if (!self)
          return;
        self->reading_.erase(user);
        if (!reply && !may_pass(reply.error()))
          return self->outside_.fail("a read was refused");
        if (!reply)
          return;
        self->outside_.note("client", "read",
                            static_cast<std::uint64_t>(reply->tweets_size()));
        self->past_.check(expected, *reply);
      });
}

void clients::compare(std::function<void(std::string)> then) {
  self_->execute([&] { compare_next(0, std::move(then)); });
}

void clients::compare_next(user_id user,
                           std::function<void(std::string)> then) {
  if (user == users_)
    return then({});
  HomeTimelineRequest request;
  request.set_user(user);
  request.set_limit(200);
  request.set_ids_only(true);
  ask<HomeTimelineReply>(
      *self_, nodes::shard_address_of(user, layout_), request,
      [=, weak = weak_from_this()](caf::expected<HomeTimelineReply> reply) {
        auto self = weak.lock();
        if (!self)
          return;
        auto who = "the home of " + std::to_string(user);
        if (!reply)
          return then(who + " cannot be read: "
                      + self->self_->system().system().render(reply.error()));
        std::vector<tweet_id> shown;
        for (auto& x : reply->tweets())
          shown.push_back(x.id());
        if (shown != self->past_.home(user))
          return then(who + " is wrong: " + std::to_string(shown.size())
                      + " shown, "
                      + std::to_string(self->past_.home(user).size()) + " due");
        self->compare_next(user + 1, then);
      });
}

void clients::compare_dumps(std::function<void(std::string)> then) {
  self_->execute([&] { compare_shard(0, std::move(then)); });
}

void clients::compare_shard(std::uint32_t shard,
                            std::function<void(std::string)> then) {
  if (shard == layout_.shards)
    return then({});
  DumpTimelinesRequest request;
  request.set_entries_max(100'000);
  ask<DumpTimelinesReply>(
      *self_, nodes::shard_address(shard, layout_), request,
      [=, weak = weak_from_this()](caf::expected<DumpTimelinesReply> reply) {
        auto self = weak.lock();
        if (!self)
          return;
        if (!reply)
          return then("no dump of shard " + std::to_string(shard));
        for (auto& x : reply->timelines()) {
          auto due = self->past_.home(x.user());
          std::vector<tweet_id> held{x.ids().begin(), x.ids().end()};
          held.resize(std::min(held.size(), self->past_.cap()));
          if (held != due)
            return then("what is held for " + std::to_string(x.user())
                        + " is wrong: " + std::to_string(held.size())
                        + " held, " + std::to_string(due.size()) + " due");
        }
        self->compare_shard(shard + 1, then);
      });
}

} // namespace rookery::sim
