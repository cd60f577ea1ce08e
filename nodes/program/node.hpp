#pragma once

#include "bridge/bridge.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rookery {

/// A program that is one node: an actor system, a bridge to the broker, and
/// roles of your own, of which the command line chooses. `run` does the rest:
/// flags, configuration file and environment (see `node_flags`), a log on
/// stderr, the embedded broker where `--listen` asks for it, signals, and an
/// end in order.
///
///     rookery::node node;
///     node.messages<Job, Result>();
///     node.role("worker", [](rookery::node& self) {
///       self.serve("jobs", [&self] { return self.system().spawn(work); });
///     });
///     return node.run(argc, argv);
///
/// Call `run` before the program has any thread: it takes the signals. @thread
/// the main one, but for `stop` and `fail`
class node {
public:
  /// Starts a role. It must not block: spawn actors for what takes time, and
  /// give them the handles they need. What it throws ends the program.
  using starter = std::function<void(node&)>;

  node();
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// The Protobuf messages this node speaks. Before `run`.
  template <protobuf_message... Ts>
  node& messages() {
    (types().add<Ts>(), ...);
    return *this;
  }

  /// A role that `--roles` may name. Before `run`. A program without any has no
  /// such flag.
  node& role(std::string name, starter start, std::string about = {});

  /// Changes what the command line does not say, just before the bridge is
  /// made. Before `run`.
  node& configure(std::function<void(bridge::bridge_options&)> change);

  /// Runs until SIGINT, SIGTERM, `stop` or `fail`. @returns the program's exit
  /// code: 0, 1 when something did not work, 2 when the command line is wrong
  [[nodiscard]] int run(int argc, const char* const* argv);

  // For roles, while it runs.

  /// What `--name` says, or the host and the process.
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] caf::actor_system& system();
  /// All that the bridge can do beyond the shorthands below.
  [[nodiscard]] bridge::bridge& network();

  /// Lets actors that `make` makes serve the queue `name`, one at a time: a new
  /// one when one ends. `make` is called on the IO thread.
  void serve(const std::string& name, std::function<caf::actor()> make,
             bridge::serve_options options = {});
  /// An actor handle for whoever serves the queue `name`.
  [[nodiscard]] caf::actor proxy(const std::string& name);
  /// Ends the program as SIGTERM does, so also from a handler; once is enough.
  /// @thread any, until `run` returns
  void stop();
  /// The same for a program that cannot do its work: logs `why`, and `run`
  /// says it and returns 1. Of several the first counts, and none that comes
  /// when the program is stopping already. @thread any, until `run` returns
  void fail(const std::string& why);

private:
  struct impl;

  [[nodiscard]] bridge::type_registry& types();

  std::unique_ptr<impl> impl_;
};

} // namespace rookery
