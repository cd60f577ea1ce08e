#pragma once

#include "bridge/address.hpp"
#include "bridge/bridge_options.hpp"
#include "bridge/environment.hpp"
#include "bridge/errc.hpp"
#include "bridge/observer.hpp"
#include "bridge/send_lost.hpp"
#include "bridge/send_options.hpp"
#include "bridge/send_ready.hpp"
#include "bridge/topology.hpp"
#include "bridge/type_registry.hpp"
#include "bridge/typed.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace rookery::bridge {

/// Carries messages between the actors of this process and those of others,
/// through an AMQP 1.0 broker.
///
/// A proxy is an actor handle: what is sent to it arrives at whoever serves
/// its address, and answers come back as if the other were local. Messages are
/// single registered Protobuf messages. Monitors of, and links to, a proxy are
/// of the actor that serves its address when they are made. Serving means that
/// each delivery reaches the target as a request, and is settled by its
/// response; at most `window` are in the target at once. Of all times that it
/// is told, in options as well, more than ten years are ten years.
///
/// Owns one IO thread and one connection to one of the brokers, redone when it
/// breaks. The actor system must outlive the bridge; make it from a
/// `system_config`, or answers come late.
/// @thread any, unless a member says otherwise
class bridge {
public:
  /// Starts connecting at once; never blocks. `watcher` may be null.
  bridge(caf::actor_system& system, type_registry types, bridge_options options,
         std::shared_ptr<observer> watcher = nullptr,
         environment world = machine());

  /// Stops, waiting for nothing that is still on its way.
  ~bridge();

  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  /// Asks the broker for an exchange, a queue or a binding, now and after each
  /// reconnect. Where it refuses, the observer is told ("declaration-refused")
  /// and it is asked again every five seconds: until it agrees no connection
  /// comes up, and on one that is up nothing new is served, nor sent to what is
  /// declared here; all else goes on. It is never taken back: what belongs to
  /// an actor that ends is better declared by `serve`.
  void declare(declaration what);

  /// A local handle for what `to` names. Cheap to copy; the same address and
  /// options give the same actor, which is kept as long as the bridge: use few
  /// different options. A ttl that is out of its range, or overflow::spill
  /// without a spill or at level `fire`, aborts here.
  [[nodiscard]] caf::actor proxy(const address& to, send_options how = {});
  template <std::same_as<level> Level> // or {} would be the first of them
  [[nodiscard]] caf::actor proxy(const address& to, Level how) {
    return proxy(to, send_options{how});
  }

  /// The same as a handle of a typed actor, whose messages the compiler checks.
  /// Whoever serves the address may be another: what it does not take or
  /// answers amiss ends as an error.
  template <typed_interface Handle>
  [[nodiscard]] Handle proxy(const address& to, send_options how = {}) {
    return caf::actor_cast<Handle>(proxy(to, how));
  }

  /// Finds out whether an actor serves `to`: `done` gets the handle when one
  /// does, or else an error by `timeout`: errc::unroutable, there is no such
  /// queue; errc::target_down, or why the last one ended; errc::reply_timeout,
  /// nobody said. What is sent to a handle waits for an actor without this.
  /// @param done must not block; called once, on the IO thread, on this one, or
  /// on the one that ends the bridge
  void resolve(const address& to, std::chrono::milliseconds timeout,
               std::function<void(caf::expected<caf::actor>)> done);

  /// Sends `who` a `send_ready` when the send queue of `to` is at most half
  /// full, at once if it is. For those who can wait before they send more;
  /// asked again before it came, it comes once. May be up to 50 ms late.
  void when_ready(const address& to, const caf::actor& who);

  /// Lets `target` handle what comes to the queue `at`. When the target ends,
  /// the deliveries it holds end as modified(failed), the link is closed, and
  /// the queue and bindings of its options are not asked for any more; the
  /// broker keeps them. A handle of a bridge never ends, so what is served by
  /// one is until the bridge stops. An address that is no queue, a window of 0,
  /// a type that is not registered or delays out of order abort here.
  void serve(const address& at, caf::actor target, serve_options options = {});

  /// The same for a target that `factory` makes, and makes again, with a
  /// backoff, each time it ends. A factory that throws or makes none is tried
  /// again like that too. It must not block: it is called on the IO thread.
  /// The backoff begins anew with one that has handled something; one that
  /// outlived its connection is made again at once.
  void serve(const address& at, std::function<caf::actor()> factory,
             serve_options options = {});

  /// The same for typed actors. Unless `options.types` says otherwise, only
  /// what their interface has is taken.
  template <typed_interface Handle>
  void serve(const address& at, const Handle& target,
             serve_options options = {}) {
    serve(at, caf::actor_cast<caf::actor>(target),
          with_types<Handle>(std::move(options)));
  }
  template <class Factory>
  requires typed_interface<std::invoke_result_t<Factory&>>
  void serve(const address& at, Factory factory, serve_options options = {}) {
    serve(at,
          std::function<caf::actor()>{[make = std::move(factory)]() mutable {
            return caf::actor_cast<caf::actor>(make());
          }},
          with_types<std::invoke_result_t<Factory&>>(std::move(options)));
  }

  /// Calls `f` once after each connect, when everything is declared and
  /// attached, but for queues that the broker does not let this node consume
  /// ("queue-refused"). What it throws is reported, not thrown on.
  /// @param f must not block; called on the IO thread
  void on_up(std::function<void()> f);

  /// Calls `f` each time a connection ends, however it did; also when the
  /// bridge stops.
  /// @param f must not block; called on the IO thread, or on the one that
  /// destroys the bridge
  void on_down(std::function<void()> f);

  /// Whether this node may take itself for the owner of what it serves: it is
  /// connected and heard from the broker within `idle_timeout`. A broker gives
  /// what is ours to others when it misses us for long enough; we may not see
  /// it, because this process was stopped or the line is cut.
  [[nodiscard]] bool lease_held() const;

  /// The same of one connection: the present one or, while there is none, the
  /// next. Once it is over the function says no for ever, so what was begun
  /// for that connection does not go on under another. Never outdated when
  /// asked for by a factory of `serve`. May outlive the bridge.
  [[nodiscard]] std::function<bool()> lease() const;

  /// Waits until everything declared so far exists and all links are attached.
  /// A served queue that is missing or forbidden is not waited for: the
  /// observer is told ("queue-refused"), and it is asked for every 5 s.
  /// @returns errc::unreachable when that took longer than `timeout`, or
  /// errc::refused when the broker said no; the context holds the reason. After
  /// stop(): errc::closed.
  [[nodiscard]] caf::error wait_until_up(std::chrono::milliseconds timeout);

  /// Ends in order: takes no more deliveries, lets the handlers that run
  /// finish, sends and settles what is left, then closes. What is not done by
  /// `timeout` is given up, but what may be in the spill, which stays there.
  /// Later sends get errc::closed, and so do requests without a reply. Call it
  /// outside of actors' handlers.
  /// @returns messages and deliveries given up; at once, and 0, when the bridge
  /// was stopped before.
  std::size_t stop(std::chrono::milliseconds timeout);

  /// The same without waiting, so also from a handler: `done` is called with
  /// what was given up. It must not block; called on the IO thread, once, and
  /// never when the bridge was stopped before or is destroyed meanwhile.
  void stop(std::chrono::milliseconds timeout,
            std::function<void(std::size_t)> done);

  [[nodiscard]] bridge_counters counters() const;

  /// Sends and deliveries that have not ended, as of at most 50 ms ago.
  [[nodiscard]] std::size_t unfinished() const;

private:
  template <typed_interface Handle>
  static serve_options with_types(serve_options options) {
    if (options.types.empty())
      options.types = input_names<Handle>();
    return options;
  }

  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace rookery::bridge
