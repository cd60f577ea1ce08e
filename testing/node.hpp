#pragma once

#include "bridge/bridge.hpp"
#include "testing/node_loop.hpp"
#include "testing/test_system.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rookery::testing {

/// A node in its simulated process: an actor system of its own and the real
/// bridge, on a connection to the simulated broker. What it does takes time: a
/// few actors get a turn, then others may come between.
///
/// For roles it looks like `rookery::node`, so that the same function, a
/// template, starts them there and here. Nothing here may block: of the bridge,
/// `wait_until_up` and the `stop` that waits would wait for ever.
///
/// Owned by its `cluster`, and there when the process is not. @thread one
class node : public host, public std::enable_shared_from_this<node> {
public:
  /// `types` are the messages it speaks; `options.node_name` is its name.
  node(world& outside, bridge::type_registry types,
       bridge::bridge_options options, std::shared_ptr<uplink> way);
  ~node() override { crash(); }

  /// Called whenever the process starts, before it has anything: here it opens
  /// what its bridge needs, as a spill.
  std::function<void(bridge::bridge_options&)> on_open;
  /// Called whenever the process has started: here it gets its actors.
  std::function<void(node&)> on_start;

  // The process.

  /// Nothing when it is up.
  virtual void start();
  /// Ends as by SIGKILL: no actor of it gets another turn, and nothing it holds
  /// is sent. What the bridge's `on_down` was given is called.
  virtual void crash();
  /// Ends in order, as by SIGTERM, within two seconds.
  void stop();
  /// The same, with a note that it failed.
  void fail(const std::string& why);
  /// Starts it in `delay` unless it is up then.
  void start_after(world::clock::duration delay);
  [[nodiscard]] bool up() const { return inside_ != nullptr; }
  /// Whether it is up and was told to stop.
  [[nodiscard]] bool stopping() const { return up() && ending_; }
  /// Counts its lives, from 1.
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }

  // The way to the broker; `pause` and `resume` of the process are host's.

  /// The connection breaks: of what is on its way a part still arrives, cut
  /// off at any byte. The bridge makes another. Nothing while there is none.
  void cut();
  /// Until `heal`, what is on its way to `to` does not arrive, and nobody is
  /// told. Nothing while there is no connection.
  void silence(wire::side to);
  /// Whether the broker answers a connection that is made from now on; else
  /// nothing answers and nobody says why.
  void set_reachable(bool yes) { way_->reachable = yes; }
  [[nodiscard]] bool reachable() const { return way_->reachable; }
  /// What connections that are made from now on do to bytes.
  void set_terms(const wire_terms& terms) { way_->terms = terms; }
  /// Ends its faults: it runs, is reachable, as fast as others, and what was
  /// silent arrives. One that is stopping starts again after it.
  void heal();

  // While it is up.

  [[nodiscard]] caf::actor_system& system() { return inside_->actors.system(); }
  /// The same, with what a test can do to it.
  [[nodiscard]] test_system& actors() { return inside_->actors; }
  [[nodiscard]] bridge::bridge& network() { return *inside_->network; }
  /// As in `rookery::node`: actors that `make` makes serve the queue `name`,
  /// one at a time, and a new one when one ends.
  void serve(const std::string& name, std::function<caf::actor()> make,
             bridge::serve_options options = {});
  /// An actor handle for whoever serves the queue `name`.
  [[nodiscard]] caf::actor proxy(const std::string& name);

  /// Whether it is up and all that it declared and serves so far is in place.
  [[nodiscard]] bool ready();
  /// Null while there is none.
  [[nodiscard]] std::shared_ptr<wire> line() const;

  // Of all its lives, the present one left out.

  /// Deliveries that came again and were not handed over again.
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::uint64_t reconnects() const { return reconnects_; }
  [[nodiscard]] std::uint64_t packed() const { return packed_; }
  [[nodiscard]] std::uint64_t returned() const { return returned_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

  /// Each turn of its actors takes so many times longer.
  std::uint64_t slowness = 1;

protected:
  /// What there is while it is up. Its members go in the opposite order.
  struct inside {
    test_system actors;
    node_loop* loop = nullptr; // the bridge's
    std::unique_ptr<bridge::bridge> network;
  };

  /// The first half of a crash: up to what is left to be taken apart. One that
  /// is paused `wakes` before, as by SIGCONT, or what waited never happens.
  [[nodiscard]] std::unique_ptr<inside> end(bool wakes = false);
  /// Gives a fresh process its actors.
  virtual void launch();
  /// After actors had their turn.
  virtual void stepped() {}
  /// It ended in order, and its bridge gave up so much; it is still up.
  virtual void stopped(std::size_t /*given_up*/) {}

private:
  void after_event() override;
  [[nodiscard]] bridge::environment environment();
  void pass_time();

  bridge::type_registry types_;
  bridge::bridge_options options_;
  std::shared_ptr<uplink> way_;
  std::unique_ptr<inside> inside_;
  world::clock::time_point told_{}; // what its actors take for now
  std::uint64_t incarnation_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t reconnects_ = 0;
  std::uint64_t packed_ = 0;
  std::uint64_t returned_ = 0;
  std::uint64_t refused_ = 0;
  bool stepping_ = false; // a turn of actors is due
  bool ending_ = false;
};

} // namespace rookery::testing
