#include "actors/follower/follower.hpp"

#include "actors/log_name.hpp"

#include <utility>
#include <vector>

namespace rookery::actors {

using namespace service::v1;

namespace {

constexpr auto set_changed = [](FollowReply& reply, std::uint64_t edges) {
  reply.set_changed(edges > 0);
};

constexpr auto set_added = [](ImportEdgesReply& reply, std::uint64_t edges) {
  reply.set_added(static_cast<std::uint32_t>(edges));
};

std::optional<store::edge> position(const EdgesRequest& request) {
  if (!request.has_after_follower())
    return std::nullopt;
  return store::edge{request.after_follower(), request.after_followee()};
}

} // namespace

caf::expected<store::group_plan>
follower_role::plan(std::span<const follow_request> group,
                    const store::ownership&, store::key_ledger& keys,
                    store::time_point) {
  std::vector<store::edge> edges;
  for (auto& request : group)
    edges.insert(edges.end(), request.change.edges.begin(),
                 request.change.edges.end());
  auto known = store->known_edges(shard, edges);
  if (!known)
    return std::move(known.error());
  return core.plan(group, std::move(*known), keys);
}

follower_actor::behavior_type
follower(follower_actor::stateful_pointer<follower_state> self,
         follower_options options) {
  auto core = follower_core{options.shard, options.shards};
  auto db = options.store;
  auto shard = options.shard;
  auto& writer = self->state.writer;
  writer.emplace(follower_role{core, shard, db}, db, follow_log(shard),
                 std::move(options.writer));
  return store::writer_behavior<follower_actor>(
      self,
      [=](const FollowRequest& request) -> caf::result<FollowReply> {
        return self->state.writer->serve<FollowReply>(
            self, core.accept(request), 1, set_changed);
      },
      [=](const UnfollowRequest& request) -> caf::result<FollowReply> {
        return self->state.writer->serve<FollowReply>(
            self, core.accept(request), 1, set_changed);
      },
      [=](const ImportEdgesRequest& request) -> caf::result<ImportEdgesReply> {
        auto rows = static_cast<std::size_t>(request.followers_size());
        return self->state.writer->serve<ImportEdgesReply>(
            self, core.accept(request), rows, set_added);
      },
      [=](const EdgesRequest& request) -> caf::result<EdgesReply> {
        if (auto error = core.check(request))
          return error;
        return db->edges(shard, position(request), request.edges_max());
      });
}

} // namespace rookery::actors
