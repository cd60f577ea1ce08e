#pragma once

#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/node/roles.hpp"
#include "nodes/program/broker_thread.hpp"
#include "nodes/program/node_log.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rookery::nodes {

/// One process of the service: an actor system, a bridge, and the roles the
/// configuration names, the embedded broker among them.
/// @thread the one that made it
class node {
public:
  /// @param config validated, with its defaults filled in
  /// @param watcher told of everything that happens
  node(node_config config, std::shared_ptr<node_log> watcher);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Starts everything and waits until it is attached, up to
  /// `connect_timeout`, or until `cancelled`, which is asked ten times a
  /// second. @returns why not, in one sentence, or nothing
  [[nodiscard]] std::optional<std::string>
  start(const std::function<bool()>& cancelled);

  /// Where the embedded broker listens, if there is one.
  [[nodiscard]] std::optional<bridge::endpoint> listens() const;

  /// Whether the broker was heard from lately, if the roles need one.
  [[nodiscard]] bool attached() const;

  /// Takes no more work, ends what is under way, and closes. What is not done
  /// by then is given up: the broker hands it to another node.
  /// @returns messages and deliveries given up
  std::size_t stop(std::chrono::milliseconds timeout);

private:
  [[nodiscard]] bridge::bridge_options bridge_options() const;
  [[nodiscard]] std::optional<std::string>
  wait_for_broker(std::chrono::steady_clock::time_point deadline,
                  const std::function<bool()>& cancelled);

  node_config config_;
  std::shared_ptr<node_log> log_;
  std::unique_ptr<broker_thread> broker_;
  bridge::system_config system_config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<bridge::bridge> bridge_; // before the system goes
  std::unique_ptr<roles> roles_;
};

} // namespace rookery::nodes
