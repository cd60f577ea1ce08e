#include "nodes/node/roles.hpp"

#include "actors/fanout/fanout.hpp"
#include "actors/follower/follower.hpp"
#include "actors/tweet/next_id.hpp"
#include "actors/tweet/tweet.hpp"
#include "nodes/client/error_text.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

namespace rookery::nodes {

namespace {

using namespace service::v1;

// What is sent to roles is at most half as long.
constexpr std::size_t message_bytes_max = 128 * 1024;

// Two clocks may disagree so far.
constexpr std::chrono::minutes ids_ahead_max{1};

/// By how much the newest id of a log is ahead; follow logs have none.
std::chrono::seconds ids_ahead(const store::ownership& by,
                               store::time_point now) {
  if (by.last_id == 0)
    return {};
  const std::chrono::microseconds newest{actors::posted_at_us(by.last_id)};
  return std::chrono::duration_cast<std::chrono::seconds>(
      newest - now.time_since_epoch());
}

std::vector<std::string> tweet_types() {
  return bridge::type_names<PostTweetRequest, DeleteTweetRequest,
                            UserTimelineRequest, GetTweetsRequest, PullRequest,
                            HeadRequest, ReadLogRequest>();
}

std::vector<std::string> follow_types() {
  return bridge::type_names<FollowRequest, UnfollowRequest, ImportEdgesRequest,
                            EdgesRequest, HeadRequest, ReadLogRequest>();
}

std::vector<std::string> shard_types() {
  return bridge::type_names<LogBatch, LogHead, HomeTimelineRequest,
                            ShardStatusRequest, DumpTimelinesRequest,
                            CompletionsRequest>();
}

} // namespace

/// Who acts at present. @thread any
class roles::cast {
public:
  caf::actor put(const bridge::address& at, caf::actor who, bool writer) {
    std::lock_guard guard{mutex_};
    now_[at] = {who, writer};
    return who;
  }

  template <class F>
  void for_each(F f) {
    std::lock_guard guard{mutex_};
    for (auto& [at, x] : now_)
      f(x.who, x.writer);
  }

private:
  struct entry {
    caf::actor who;
    bool writer = false;
  };
  std::mutex mutex_; // guards now_
  std::map<bridge::address, entry> now_;
};

roles::roles(caf::actor_system& system, bridge::bridge& transport,
             const node_config& config, bool drop_one, role_environment world)
    : system_(system),
      transport_(transport),
      config_(config),
      drop_one_(drop_one),
      world_(std::move(world)),
      layout_{config.shards, config.tweet_partitions},
      cast_(std::make_shared<cast>()) {}

std::string roles::open_existing() {
  return open_where([this](const char* file) {
    const std::filesystem::path directory{config_.store};
    std::error_code failure;
    std::filesystem::create_directories(directory, failure);
    // Where it cannot be made, opening says why.
    return failure || std::filesystem::exists(directory / file, failure);
  });
}

std::string roles::open() {
  return open_where([](const char*) { return true; });
}

std::vector<bridge::declaration> roles::store_agreements() const {
  std::vector<bridge::declaration> result;
  // Who writes to another store would split what was acknowledged.
  if (!tweets_.empty())
    result.push_back(store_agreement("tweets", tweets_.front()->id()));
  if (!follows_.empty())
    result.push_back(store_agreement("follows", follows_.front()->id()));
  return result;
}

void roles::serve() {
  serve_tweets();
  serve_follows();
  if (config_.has(role::fanout))
    serve_shards();
  // So that shards hear at once how far the logs are.
  transport_.on_up([cast = cast_] {
    cast->for_each([](auto& who, bool writer) {
      if (writer)
        caf::anon_send(who, store::publish_head_atom::value);
    });
  });
  // Another node may have the shards now; what these hold is to be read again.
  transport_.on_down([cast = cast_] {
    cast->for_each([](auto& who, bool writer) {
      if (!writer)
        caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
    });
  });
}

void roles::stop() {
  cast_->for_each([](auto& who, bool) {
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  });
}

bridge::serve_options roles::options_for(const bridge::address& at,
                                         std::uint32_t window,
                                         bridge::queue_declaration queue,
                                         std::vector<std::string> types) const {
  bridge::serve_options result;
  result.window = window;
  result.priority = consumer_priority(config_.node_name, at.name());
  result.queue = std::move(queue);
  result.types = std::move(types);
  result.message_bytes_max = message_bytes_max;
  result.is_poison = is_final;
  return result;
}

template <class Writer, class Options>
caf::actor roles::spawn_writer(Writer writer, const Options& options) {
  return caf::actor_cast<caf::actor>(
      world_.detached ? system_.spawn<caf::detached>(writer, options)
                      : system_.spawn(writer, options));
}

/// For connection number `index` of this process to one of its files.
store::store_options roles::store_of(std::uint32_t index,
                                     std::uint32_t count) const {
  store::store_options result;
  result.directory = config_.store;
  result.count = count;
  result.database = world_.database;
  result.database.settles_wal = index == 0;
  return result;
}

store::writer_options
roles::writer_options_for(const bridge::address& publish_to) const {
  store::writer_options result;
  result.publisher = transport_.proxy(publish_to);
  result.clock = world_.wall_clock;
  result.steady_clock = world_.steady_clock;
  result.on_taken_over = [clock = result.clock, owned = world_.on_owned,
                          tell =
                              world_.on_ids_ahead](const store::ownership& by) {
    if (owned)
      owned(by.log);
    auto ahead = ids_ahead(by, clock());
    if (tell && ahead > ids_ahead_max)
      tell(by.log, ahead);
  };
  return result;
}

/// Opens the stores of which `wanted` says so of the file.
template <class F>
std::string roles::open_where(F wanted) {
  std::string why;
  if (config_.has(role::tweet) && wanted(store::tweet_store::file))
    why = open_all(layout_.tweet_partitions, tweets_);
  if (why.empty() && config_.has(role::follower)
      && wanted(store::follow_store::file))
    why = open_all(layout_.shards, follows_);
  return why;
}

/// Opens what is not open.
/// @returns why not
template <class Store>
std::string roles::open_all(std::uint32_t count,
                            std::vector<std::shared_ptr<Store>>& into) const {
  for (auto i = static_cast<std::uint32_t>(into.size()); i < count; ++i) {
    auto opened = Store::open(store_of(i, count));
    if (!opened)
      return error_text(opened.error());
    into.push_back(std::move(*opened));
  }
  return {};
}

void roles::serve_tweets() {
  for (std::uint32_t i = 0; i < tweets_.size(); ++i) {
    actors::tweet_options options;
    options.store = std::move(tweets_[i]);
    options.partition = i;
    options.partitions = layout_.tweet_partitions;
    options.writer = writer_options_for(tweets_exchange());
    auto at = tweet_address(i, layout_);
    transport_.serve(
        at,
        [this, at, options] {
          return cast_->put(at, spawn_writer(actors::tweet, options), true);
        },
        options_for(at, config_.writer_window, writer_queue(at),
                    tweet_types()));
  }
}

void roles::serve_follows() {
  for (std::uint32_t i = 0; i < follows_.size(); ++i) {
    actors::follower_options options;
    options.store = std::move(follows_[i]);
    options.shard = i;
    options.shards = layout_.shards;
    options.writer = writer_options_for(shard_address(i, layout_));
    auto at = follow_address(i, layout_);
    transport_.serve(
        at,
        [this, at, options] {
          return cast_->put(at, spawn_writer(actors::follower, options), true);
        },
        options_for(at, config_.writer_window, writer_queue(at),
                    follow_types()));
  }
}

void roles::serve_shards() {
  actors::fanout_wiring wiring;
  wiring.clock = [wall = world_.wall_clock, steady = world_.steady_clock] {
    const auto since = wall().time_since_epoch();
    return actors::moment{
        steady(),
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(since)
                .count())};
  };
  // Nobody waits longer, and it is asked again.
  const bridge::send_options question{
      .ttl = actors::fanout_options{}.request_timeout};
  for (std::uint32_t i = 0; i < layout_.tweet_partitions; ++i)
    wiring.tweet_writers.push_back(
        transport_.proxy(tweet_address(i, layout_), question));
  for (std::uint32_t i = 0; i < layout_.shards; ++i) {
    actors::fanout_options options;
    options.shard = i;
    options.shards = layout_.shards;
    options.tweet_partitions = layout_.tweet_partitions;
    options.timeline_cap = config_.timeline_cap;
    // Neither reads nor batches that wait keep the others at the broker.
    options.reads_max = std::max(1U, config_.shard_window / 2);
    options.batches_max =
        std::max(1U, config_.shard_window - options.reads_max);
    options.hash_seed = world_.random();
    options.drop_one = drop_one_;
    wiring.follow_writer =
        transport_.proxy(follow_address(i, layout_), question);
    auto at = shard_address(i, layout_);
    auto served = options_for(at, config_.shard_window,
                              shard_queue(at, config_.shard_queue_length_max),
                              shard_types());
    // The bridge counts from the mailbox on: half of it is for the wait there.
    options.held_max = served.handler_timeout / 2;
    transport_.serve(
        at,
        [this, at, options, wiring]() mutable {
          wiring.lease = transport_.lease();
          auto who = system_.spawn(actors::fanout, options, wiring);
          return cast_->put(at, caf::actor_cast<caf::actor>(who), false);
        },
        std::move(served));
  }
}

} // namespace rookery::nodes
