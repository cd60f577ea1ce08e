#pragma once

#include "actors/fanout/fanout_core.hpp"
#include "actors/store/follow_store.hpp"
#include "actors/store/log_publisher.hpp"
#include "actors/store/tweet_store.hpp"
#include "bridge/bridge.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/wiring/addresses.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace rookery::nodes {

/// What the actors of a node take from the machine. A simulation gives its own.
struct role_environment {
  /// Writers get threads of their own, because they wait for the disk.
  bool detached = true;
  std::function<store::time_point()> wall_clock =
      std::chrono::system_clock::now;
  std::function<actors::steady_time()> steady_clock =
      std::chrono::steady_clock::now;
  /// Uniform numbers.
  std::function<std::uint64_t()> random = [] { return std::random_device{}(); };
  /// Told which log this node has begun to own, "tweet/3", say. Called by
  /// writers, on any thread; may be empty.
  std::function<void(const std::string& log)> on_owned = {};
  /// Told then by how much, more than a minute, the newest id of that log is
  /// ahead of the wall clock; as on_owned.
  std::function<void(const std::string& log, std::chrono::seconds ahead)>
      on_ids_ahead = {};
  /// How the stores are opened.
  store::database_options database = {};
};

/// The actors of a node: makes them, serves their addresses through the
/// bridge, and makes them again when they end.
///
/// Every node of a role serves all its queues; the broker chooses the one
/// consumer. A writer takes over its log with its first change, and a shard
/// starts with its first delivery, so one that stands by disturbs nobody.
/// @thread the one that made it
class roles {
public:
  /// `system` and `transport` must outlive it. @param drop_one a debugging
  /// switch: each shard withholds one insertion
  roles(caf::actor_system& system, bridge::bridge& transport,
        const node_config& config, bool drop_one, role_environment world = {});

  /// Opens the stores that are there, and makes their directory. First, and
  /// before the broker is asked for the layout: it remembers what only the
  /// store may have known to be wrong.
  /// @returns why a store cannot be used, in one sentence, or empty
  [[nodiscard]] std::string open_existing();

  /// Opens the others too, which makes them. When the broker has agreed to the
  /// layout: a store is made for one, and fits no other afterwards.
  /// @returns as `open_existing`
  [[nodiscard]] std::string open();

  /// What the broker must agree to, besides the layout, before anything else is
  /// declared or served, one after the other: so a node that does not fit in
  /// leaves nothing there. Between open() and serve().
  [[nodiscard]] std::vector<bridge::declaration> store_agreements() const;

  /// Serves what the roles have to serve. Once.
  void serve();

  /// Ends the actors, when the bridge hands over nothing any more.
  void stop();

private:
  class cast;
  using tweets_file = std::shared_ptr<store::tweet_store>;
  using follows_file = std::shared_ptr<store::follow_store>;

  template <class Writer, class Options>
  [[nodiscard]] caf::actor spawn_writer(Writer writer, const Options& options);
  [[nodiscard]] store::store_options store_of(std::uint32_t index,
                                              std::uint32_t count) const;
  [[nodiscard]] store::writer_options
  writer_options_for(const bridge::address& publish_to) const;
  template <class F>
  [[nodiscard]] std::string open_where(F wanted);
  template <class Store>
  [[nodiscard]] std::string
  open_all(std::uint32_t count,
           std::vector<std::shared_ptr<Store>>& into) const;
  void serve_tweets();
  void serve_follows();
  void serve_shards();
  [[nodiscard]] bridge::serve_options
  options_for(const bridge::address& at, std::uint32_t window,
              bridge::queue_declaration queue,
              std::vector<std::string> types) const;

  caf::actor_system& system_;
  bridge::bridge& transport_;
  const node_config& config_;
  bool drop_one_;
  role_environment world_;
  layout layout_;
  std::vector<tweets_file> tweets_; // one for each partition, until serve()
  std::vector<follows_file> follows_;
  std::shared_ptr<cast> cast_; // shared with the factories of actors
};

} // namespace rookery::nodes
