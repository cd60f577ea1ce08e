#pragma once

#include "bridge/bridge.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/wiring/addresses.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <string>

namespace rookery::nodes {

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
        const node_config& config, bool drop_one);

  /// Opens the stores and serves what the roles have to serve.
  /// @returns why a store cannot be used, in one sentence, or empty
  [[nodiscard]] std::string start();

  /// Ends the actors, when the bridge hands over nothing any more.
  void stop();

private:
  class cast;

  [[nodiscard]] std::string serve_tweets();
  [[nodiscard]] std::string serve_follows();
  void serve_shards();
  [[nodiscard]] bridge::serve_options
  options_for(const bridge::address& at, std::uint32_t window,
              bridge::queue_declaration queue) const;

  caf::actor_system& system_;
  bridge::bridge& transport_;
  const node_config& config_;
  bool drop_one_;
  layout layout_;
  std::shared_ptr<cast> cast_; // shared with the factories of actors
};

} // namespace rookery::nodes
