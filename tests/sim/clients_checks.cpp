// What clients compare with their oracle when nobody changes anything.
#include "bridge/errc.hpp"
#include "tests/sim/asker.hpp"
#include "tests/sim/clients.hpp"

#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/timeline.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <algorithm>
#include <cstdint>

namespace rookery::sim {

using namespace service::v1;

namespace {

/// Which of two descending lists has what the other has not, first.
std::string difference(const std::vector<tweet_id>& shown,
                       const std::vector<tweet_id>& due) {
  const auto [a, b] =
      std::mismatch(shown.begin(), shown.end(), due.begin(), due.end());
  if (a != shown.end() && (b == due.end() || *a > *b))
    return "; not due is " + std::to_string(*a);
  return "; not shown is " + std::to_string(*b);
}

/// Questions that are asked at the same time: what was wrong first, once all
/// are answered.
struct poll {
  std::size_t open;
  std::string wrong;
  std::function<void(std::string)> then;

  void answer(std::string what) {
    if (wrong.empty())
      wrong = std::move(what);
    if (--open == 0)
      then(std::move(wrong));
  }
};

} // namespace

void clients::compare(std::function<void(std::string)> then) {
  self_->execute([&] {
    auto all = std::make_shared<poll>(poll{users_, {}, std::move(then)});
    for (user_id user = 0; user < users_; ++user)
      compare_home(user, [all](std::string x) { all->answer(std::move(x)); });
  });
}

void clients::compare_home(user_id user,
                           std::function<void(std::string)> then) {
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
                      + self->self_->system().render(reply.error()));
        std::vector<tweet_id> shown;
        for (auto& x : reply->tweets())
          shown.push_back(x.id());
        auto due = self->past_.home(user);
        auto right = shown == due;
        then(right ? std::string{}
                   : who + " is wrong: " + std::to_string(shown.size())
                         + " shown, " + std::to_string(due.size()) + " due"
                         + difference(shown, due));
      });
}

void clients::look_inside() {
  DumpTimelinesRequest request;
  request.set_entries_max(100'000);
  auto shard = static_cast<std::uint32_t>(outside_.draw(layout_.shards));
  ask<DumpTimelinesReply>(
      *self_, nodes::shard_address(shard, layout_), request,
      [weak = weak_from_this()](caf::expected<DumpTimelinesReply> reply) {
        auto self = weak.lock();
        if (!self || !reply)
          return;
        for (auto& x : reply->timelines())
          if (!x.ids().empty()
              && *std::min_element(x.ids().begin(), x.ids().end()) <= x.floor())
            self->outside_.fail("the home of " + std::to_string(x.user())
                                + " holds what it trimmed before");
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
        if (!reply) // as when our connection took the answer with it
          return self->compare_shard(shard, then);
        for (auto& x : reply->timelines()) {
          // All that is due above what was trimmed, and a page of it at least.
          std::vector<tweet_id> held{x.ids().begin(), x.ids().end()};
          auto due = self->past_.newest(x.user(), SIZE_MAX);
          auto page = std::min(due.size(), self->past_.cap());
          std::erase_if(due, [&](tweet_id id) { return id <= x.floor(); });
          if (held != due || held.size() < page)
            return then("what is held for " + std::to_string(x.user())
                        + " is wrong: " + std::to_string(held.size())
                        + " held, " + std::to_string(due.size())
                        + " due above its floor, at least "
                        + std::to_string(page));
        }
        self->compare_shard(shard + 1, then);
      });
}

void clients::compare_applied(std::function<void(std::string)> then) {
  self_->execute([&] { compare_logs(0, std::move(then)); });
}

void clients::compare_logs(std::uint32_t shard,
                           std::function<void(std::string)> then) {
  if (shard == layout_.shards)
    return then({});
  ask<ShardStatus>(
      *self_, nodes::shard_address(shard, layout_), ShardStatusRequest{},
      [=, weak = weak_from_this()](caf::expected<ShardStatus> reply) {
        auto self = weak.lock();
        if (!self)
          return;
        if (!reply || !reply->ready())
          return then("shard " + std::to_string(shard) + " is not ready");
        self->compare_head(*reply, 0, then);
      });
}

void clients::compare_head(const ShardStatus& status, int log,
                           std::function<void(std::string)> then) {
  if (log == status.applied_size())
    return compare_logs(status.shard() + 1, std::move(then));
  // The follow log comes after those of tweets.
  auto partition = static_cast<std::uint32_t>(log);
  auto whom = partition < layout_.tweet_partitions
                  ? nodes::tweet_address(partition, layout_)
                  : nodes::follow_address(status.shard(), layout_);
  HeadRequest request;
  request.set_log(status.applied(log).log());
  ask<LogHead>(*self_, whom, request,
               [=, weak = weak_from_this()](caf::expected<LogHead> reply) {
                 auto self = weak.lock();
                 if (!self)
                   return;
                 auto& applied = status.applied(log);
                 if (!reply)
                   return then("no head of " + applied.log());
                 if (reply->seq() != applied.seq())
                   return then("a shard applied " + applied.log() + " to "
                               + std::to_string(applied.seq()) + " of "
                               + std::to_string(reply->seq()));
                 self->compare_head(status, log + 1, then);
               });
}

void clients::ask_nobody(std::function<void(std::string)> then) {
  self_->execute([&] {
    ask<PostTweetReply>(
        *self_, bridge::address::queue("nobody"), PostTweetRequest{},
        [then](caf::expected<PostTweetReply> reply) {
          auto right = !reply && reply.error() == bridge::errc::unroutable;
          then(right ? "" : "what nobody can get was not unroutable");
        });
  });
}

} // namespace rookery::sim
