#include "nodes/client/quiet.hpp"

#include "actors/log_name.hpp"
#include "nodes/client/ask_all.hpp"

#include "rookery/service/v1/log.pb.h"

#include <algorithm>
#include <thread>

namespace rookery::nodes {

namespace {

using namespace service::v1;

using shard_states = std::vector<ShardStatus>;

/// A follow log of another shard is no matter of this one.
bool reads(const ShardStatus& shard, const std::string& log) {
  auto name = actors::parse_log_name(log);
  return name
         && (name->kind == actors::log_name::kind_type::tweet
             || name->index == shard.shard());
}

std::string behind(const ShardStatus& shard, const log_heads& heads) {
  std::map<std::string, std::uint64_t> applied;
  for (auto& x : shard.applied())
    applied[x.log()] = x.seq();
  for (auto& [log, seq] : heads)
    if (reads(shard, log) && applied[log] != seq)
      return "has applied " + std::to_string(applied[log]) + " of "
             + std::to_string(seq) + " rows of " + log;
  return {};
}

} // namespace

std::string unquiet(const log_heads& heads, const shard_states& shards) {
  for (auto& shard : shards) {
    std::string why;
    if (!shard.ready())
      why = "is still starting";
    else if (shard.jobs() > 0)
      why = "has " + std::to_string(shard.jobs()) + " tweets to expand";
    else
      why = behind(shard, heads);
    if (!why.empty())
      return "shard " + std::to_string(shard.shard()) + " " + why;
  }
  return {};
}

bridge::expected<shard_states, std::string>
ask_shards(service_client& client, std::chrono::milliseconds timeout) {
  auto& service = client.service();
  shard_states result(service.shards);
  std::string why;
  ask_all_options<ShardStatusRequest, ShardStatus> options;
  options.timeout = timeout;
  options.count = service.shards;
  options.window = service.shards;
  options.make = [&](std::size_t i) {
    auto shard = static_cast<std::uint32_t>(i);
    return std::pair{client.at(shard_address(shard, service)),
                     ShardStatusRequest{}};
  };
  options.done = [&](std::size_t i, caf::expected<ShardStatus> reply) {
    if (reply)
      result[i] = std::move(*reply);
    else
      why = "shard " + std::to_string(i) + ": " + error_text(reply.error());
  };
  ask_all(client, std::move(options));
  if (!why.empty())
    return bridge::unexpected{why};
  return result;
}

bridge::expected<log_heads, std::string>
ask_heads(service_client& client, std::chrono::milliseconds timeout) {
  auto& service = client.service();
  std::vector<std::pair<std::string, bridge::address>> writers;
  for (std::uint32_t i = 0; i < service.tweet_partitions; ++i)
    writers.emplace_back(actors::tweet_log(i), tweet_address(i, service));
  for (std::uint32_t i = 0; i < service.shards; ++i)
    writers.emplace_back(actors::follow_log(i), follow_address(i, service));
  log_heads result;
  std::string why;
  ask_all_options<HeadRequest, LogHead> options;
  options.timeout = timeout;
  options.count = writers.size();
  options.window = writers.size();
  options.make = [&](std::size_t i) {
    HeadRequest request;
    request.set_log(writers[i].first);
    return std::pair{client.at(writers[i].second), std::move(request)};
  };
  options.done = [&](std::size_t i, caf::expected<LogHead> reply) {
    if (reply)
      result[reply->log()] = reply->seq();
    else
      why = "the writer of " + writers[i].first + ": "
            + error_text(reply.error());
  };
  ask_all(client, std::move(options));
  if (!why.empty())
    return bridge::unexpected{why};
  return result;
}

bridge::expected<shard_states, std::string>
wait_until_quiet(service_client& client,
                 const std::function<bridge::expected<log_heads, std::string>(
                     std::chrono::milliseconds)>& heads,
                 std::chrono::milliseconds timeout) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds pause{50};
  auto deadline = clock::now() + timeout;
  auto left = [&] {
    using std::chrono::milliseconds;
    return std::clamp(
        std::chrono::duration_cast<milliseconds>(deadline - clock::now()),
        milliseconds{100}, client.timeout());
  };
  for (;;) {
    std::string why;
    auto before = heads(left());
    auto shards = ask_shards(client, left());
    auto after = heads(left());
    if (!before || !after)
      why = before ? after.error() : before.error();
    else if (!shards)
      why = shards.error();
    else if (*before != *after)
      why = "something is still written";
    else
      why = unquiet(*after, *shards);
    if (why.empty())
      return shards;
    if (clock::now() + pause >= deadline)
      return bridge::unexpected{"not quiet: " + why};
    std::this_thread::sleep_for(pause);
  }
}

} // namespace rookery::nodes
