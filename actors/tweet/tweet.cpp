#include "actors/tweet/tweet.hpp"

#include "actors/log_name.hpp"

#include <limits>
#include <utility>
#include <vector>

namespace rookery::actors {

using namespace service::v1;

namespace {

constexpr std::uint32_t limit_default = 20;
constexpr auto id_max = std::numeric_limits<tweet_id>::max();

} // namespace

caf::expected<store::group_plan>
tweet_role::plan(std::span<const tweet_request> group,
                 const store::ownership& owner, store::key_ledger& keys,
                 store::time_point now) {
  std::vector<tweet_id> doomed;
  for (auto& request : group)
    if (auto deletion = std::get_if<tweet_deletion>(&request.change))
      doomed.push_back(deletion->id);
  auto authors = store->authors(doomed);
  if (!authors)
    return std::move(authors.error());
  return core.plan(group, owner.last_id, std::move(*authors), keys, now);
}

tweet_actor::behavior_type
tweet(tweet_actor::stateful_pointer<tweet_state> self, tweet_options options) {
  auto core = tweet_core{options.partition, options.partitions};
  auto db = options.store;
  auto log = tweet_log(options.partition);
  auto& writer = self->state.writer;
  writer.emplace(tweet_role{core, db}, db, log, std::move(options.writer));
  return store::writer_behavior<tweet_actor>(
      self,
      [=](const PostTweetRequest& request) -> caf::result<PostTweetReply> {
        return self->state.writer->serve<PostTweetReply>(
            self, core.accept(request), 1,
            [](auto& reply, auto id) { reply.set_tweet_id(id); });
      },
      [=](const DeleteTweetRequest& request) -> caf::result<DeleteTweetReply> {
        return self->state.writer->serve<DeleteTweetReply>(
            self, core.accept(request), 1,
            [](auto& reply, auto existed) { reply.set_existed(existed); });
      },
      [=](const UserTimelineRequest& request) -> caf::result<Tweets> {
        if (auto error = core.check(request))
          return error;
        auto limit = request.limit() == 0 ? limit_default : request.limit();
        auto max_id = request.has_max_id() ? request.max_id() : id_max;
        return db->user_timeline(request.user(), request.since_id(), max_id,
                                 limit);
      },
      [=](const GetTweetsRequest& request) -> caf::result<Tweets> {
        if (auto error = core.check(request))
          return error;
        return db->tweets({request.ids().data(),
                           static_cast<std::size_t>(request.ids_size())});
      },
      [=](const PullRequest& request) -> caf::result<PullReply> {
        if (auto error = core.check(request))
          return error;
        return db->pull(log,
                        {request.authors().begin(), request.authors().end()},
                        request.above_id(), request.limit());
      });
}

} // namespace rookery::actors
