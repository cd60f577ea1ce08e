#include "nodes/client/edge_import.hpp"

#include "actors/log_name.hpp"
#include "nodes/client/ask_all.hpp"
#include "nodes/client/progress.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/log.pb.h"

#include <algorithm>

namespace rookery::nodes {

namespace {

using namespace service::v1;

constexpr std::size_t batch_max = 1'000; // see ImportEdgesRequest
constexpr std::size_t window = 16;

struct batch {
  std::uint32_t shard;
  std::span<const edge> edges;
};

std::vector<batch> batches_of(const std::vector<std::vector<edge>>& by_shard) {
  std::vector<batch> result;
  for (std::uint32_t shard = 0; shard < by_shard.size(); ++shard) {
    std::span<const edge> left{by_shard[shard]};
    while (!left.empty()) {
      auto count = std::min(batch_max, left.size());
      result.push_back({shard, left.first(count)});
      left = left.subspan(count);
    }
  }
  return result;
}

/// Waits until there is somebody who takes them: a batch that nobody took must
/// not fail for a service that is still starting.
std::optional<std::string> wait_for_writers(service_client& client) {
  auto& service = client.service();
  for (std::uint32_t i = 0; i < service.shards; ++i) {
    HeadRequest request;
    request.set_log(actors::follow_log(i));
    if (auto head = client.ask<LogHead>(follow_address(i, service), request);
        !head)
      return head.error();
  }
  return std::nullopt;
}

} // namespace

import_result
import_edges(service_client& client, const std::vector<edge>& edges,
             const std::function<void(std::span<const edge>, bool)>& ended) {
  auto& service = client.service();
  std::vector<std::vector<edge>> by_shard(service.shards);
  for (auto& x : edges)
    by_shard[actors::partition_of(x.follower, service.shards)].push_back(x);
  auto batches = batches_of(by_shard);
  import_result result;
  result.failure = wait_for_writers(client);
  if (result.failure)
    return result;
  progress shown{"import edges", batches.size()};
  ask_all_options<ImportEdgesRequest, ImportEdgesReply> options;
  options.count = batches.size();
  options.window = window;
  options.make = [&](std::size_t i) {
    ImportEdgesRequest request;
    for (auto& x : batches[i].edges) {
      request.add_followers(x.follower);
      request.add_followees(x.followee);
    }
    return std::pair{client.at(follow_address(batches[i].shard, service)),
                     std::move(request)};
  };
  options.done = [&](std::size_t i, caf::expected<ImportEdgesReply> reply) {
    if (ended)
      ended(batches[i].edges, static_cast<bool>(reply));
    if (reply)
      result.added += reply->added();
    else if (!result.failure)
      result.failure = error_text(reply.error());
  };
  options.progress = [&](std::size_t count) { shown.update(count); };
  ask_all(client, std::move(options));
  return result;
}

} // namespace rookery::nodes
