#pragma once

#include "bridge/bridge.hpp"
#include "bridge/expected.hpp"
#include "bridge/system_config.hpp"
#include "nodes/client/client_options.hpp"
#include "nodes/client/error_text.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace rookery::nodes {

/// A client of the service: a small actor system and a bridge that serves
/// nothing. @thread any
class service_client {
public:
  explicit service_client(client_options options);
  ~service_client();
  service_client(const service_client&) = delete;
  service_client& operator=(const service_client&) = delete;

  /// Waits for the broker, up to the timeout.
  /// @returns why it cannot be used, in one sentence, or nothing
  [[nodiscard]] std::optional<std::string> connect();

  /// The actor behind an address of the service. What it is sent is worth
  /// `patience`, the timeout mostly: nobody works for one who waits no more.
  /// Each patience makes a handle, which is kept: few, please.
  [[nodiscard]] caf::actor at(const bridge::address& x,
                              std::chrono::milliseconds patience) {
    return bridge_.proxy(x, bridge::send_options{.ttl = patience});
  }
  [[nodiscard]] caf::actor at(const bridge::address& x) {
    return at(x, options_.timeout);
  }

  /// Asks and waits, up to the timeout, also for the queue of a service that is
  /// still starting; what finds one late may be done after that. Fails with a
  /// sentence.
  template <class Reply, class Request>
  [[nodiscard]] bridge::expected<Reply, std::string>
  ask(const bridge::address& whom, const Request& what) {
    const auto began = clock::now();
    auto result = ask_until<Reply>(whom, what, began + options_.timeout);
    while (!result && waits_for_queue(result.error(), began)) {
      auto again = ask_until<Reply>(whom, what, began + options_.timeout);
      // The last may be too short for an answer of any kind.
      if (again || again.error() != caf::sec::request_timeout)
        result = std::move(again);
    }
    if (result)
      return std::move(*result);
    in_doubt_ = !is_refusal(result.error());
    return bridge::unexpected{error_text(result.error())};
  }

  /// Whether what the last question that failed asked for may have been done
  /// all the same: it went out, and no answer came.
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }

  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] const layout& service() const { return options_.service; }
  [[nodiscard]] std::chrono::milliseconds timeout() const {
    return options_.timeout;
  }

private:
  using clock = std::chrono::steady_clock;

  template <class Reply, class Request>
  caf::expected<Reply> ask_until(const bridge::address& whom,
                                 const Request& what,
                                 clock::time_point deadline) {
    caf::expected<Reply> result{caf::error{}};
    caf::scoped_actor self{system_};
    self->request(at(whom), caf::timespan{deadline - clock::now()}, what)
        .receive([&](Reply& x) { result = std::move(x); },
                 [&](caf::error& x) { result = std::move(x); });
    return result;
  }

  /// Whether to ask again, after a pause: no queue took the question, which
  /// therefore nobody can have done, and there is time left.
  bool waits_for_queue(const caf::error& why, clock::time_point began);

  client_options options_;
  bool in_doubt_ = false;
  bool told_ = false; // what it waits for
  bridge::system_config config_;
  caf::actor_system system_;
  bridge::bridge bridge_; // after the system: it must not outlive it
};

} // namespace rookery::nodes
