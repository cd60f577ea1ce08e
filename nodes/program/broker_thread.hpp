#pragma once

#include "bridge/bridge_options.hpp"
#include "bridge/expected.hpp"
#include "broker/server.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace rookery::nodes {

/// The embedded broker in a thread of its own. @thread the one that made it
class broker_thread {
public:
  /// Listens at once. `sink` must outlive it.
  /// On failure: one sentence with address, port and reason.
  [[nodiscard]] static bridge::expected<std::unique_ptr<broker_thread>,
                                        std::string>
  start(const bridge::endpoint& listen, broker::event_sink& sink);

  /// Stops at once, unless `stop` did.
  ~broker_thread();
  broker_thread(const broker_thread&) = delete;
  broker_thread& operator=(const broker_thread&) = delete;

  /// Where it listens, with the port it got.
  [[nodiscard]] const bridge::endpoint& listens() const { return listens_; }

  /// Where this process reaches it, also when it listens everywhere.
  [[nodiscard]] bridge::endpoint reachable() const;

  /// Closes all connections, up to the timeout.
  void stop(std::chrono::milliseconds timeout);

private:
  broker_thread() = default;

  asio::io_context io_;
  bridge::endpoint listens_;
  std::unique_ptr<broker::server> server_; // touched by thread_ while it runs
  std::thread thread_;
};

} // namespace rookery::nodes
