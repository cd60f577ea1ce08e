#include "tests/sim/clients.hpp"

#include "actors/errc.hpp"
#include "tests/sim/asker.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/log.pb.h"
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
                       x.erase(x.past_.any_tweet(x.outside_.random()));
                     else if (what < 92)
                       x.read();
                     else if (what < 94)
                       x.talk_nonsense();
                     else
                       x.look_inside();
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
                     "refused: " + self->self_->system().render(reply.error()));
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

void clients::erase_newest() {
  constexpr std::size_t newest = 12;
  self_->execute([&] {
    auto posts = past_.posts();
    if (posts > 0)
      erase(past_.any_tweet(
          posts - 1 - outside_.draw(std::min<std::size_t>(posts, newest))));
  });
}

void clients::erase(std::pair<tweet_id, user_id> which) {
  auto id = which.first;
  auto author = which.second;
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

void clients::talk_nonsense() {
  const auto say = [this](const bridge::address& whom, auto what) {
    caf::anon_send(self_->network().proxy(whom), std::move(what));
  };
  LogHead unknown;
  unknown.set_log("nobody's");
  LogBatch impossible; // there is no row 0
  impossible.set_log("tweet/0");
  PostTweetRequest empty;
  switch (outside_.draw(3)) {
  case 0:
    return say(nodes::tweets_exchange(), unknown);
  case 1:
    return say(nodes::tweets_exchange(), impossible);
  default:
    return say(nodes::tweet_address_of(0, layout_), empty);
  }
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

} // namespace rookery::sim
