#pragma once

#include "bridge/amqp/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace rookery::tests {

/// Two real AMQP engines, a client and a server, joined by pipes in memory:
/// no socket, no thread, and a clock that stands still until it is told.
/// The same bytes flow in the same order on every run.
class memory_wire {
public:
  using clock = amqp::engine::clock;

  struct settings {
    /// Bytes carried at a time, each way; 0 = as many as fit.
    std::size_t chunk_bytes = 0;
    /// A conversation that takes more steps than this is stuck.
    std::size_t steps_max = 10'000'000;
  };

  /// The handlers must outlive the wire.
  memory_wire(amqp::engine_options client_options,
              amqp::engine_handler& client_handler,
              amqp::engine_options server_options,
              amqp::engine_handler& server_handler)
      : memory_wire{std::move(client_options), client_handler,
                    std::move(server_options), server_handler, settings{}} {}
  memory_wire(amqp::engine_options client_options,
              amqp::engine_handler& client_handler,
              amqp::engine_options server_options,
              amqp::engine_handler& server_handler, settings how)
      : settings_{how},
        client_{{amqp::engine::side::client, std::move(client_options),
                 client_handler}},
        server_{{amqp::engine::side::server, std::move(server_options),
                 server_handler}} {}

  [[nodiscard]] amqp::engine& client() { return client_.engine; }
  [[nodiscard]] amqp::engine& server() { return server_.engine; }
  [[nodiscard]] clock::time_point now() const { return now_; }
  /// Both ends saw the end of the connection.
  [[nodiscard]] bool finished() const {
    return client_.engine.finished() && server_.engine.finished();
  }

  /// Runs both handlers and carries one chunk each way.
  /// @returns false when nothing moved: without a new deed or time it is quiet.
  bool step() {
    client_.engine.tick(now_);
    server_.engine.tick(now_);
    client_.engine.dispatch();
    server_.engine.dispatch();
    const auto there = carry(client_, server_);
    const auto back = carry(server_, client_);
    give_up(client_);
    give_up(server_);
    if (there || back)
      return true;
    // What came in last may have made events.
    client_.engine.dispatch();
    server_.engine.dispatch();
    return false;
  }

  /// Steps until it is quiet.
  void pump() {
    for (std::size_t i = 0; step(); ++i)
      if (i > settings_.steps_max)
        throw std::runtime_error{"the wire does not come to rest"};
  }

  /// Lets time pass for both ends, in slices, so that what is due happens on
  /// the way, and pumps.
  void advance(clock::duration time) {
    constexpr clock::duration slice = std::chrono::milliseconds{100};
    while (time > clock::duration::zero()) {
      const auto part = std::min(time, slice);
      now_ += part;
      time -= part;
      pump();
    }
  }

  /// The connection breaks, now: what is under way is lost, and both ends
  /// learn of it.
  void cut() {
    for (auto* each : {&client_, &server_}) {
      each->engine.read_closed();
      each->engine.write_closed();
      each->engine.dispatch();
    }
  }

  /// While stalled, nothing is carried and nobody learns of it, as behind a
  /// cable that was pulled or in front of a process that was stopped.
  void stall(bool on) { stalled_ = on; }

  /// Bytes carried so far, from and to the client.
  [[nodiscard]] std::size_t bytes_sent() const { return client_.written; }
  [[nodiscard]] std::size_t bytes_received() const { return server_.written; }

private:
  struct end {
    amqp::engine engine;
    std::size_t written = 0;
  };

  /// As a socket does: what a broken end had to say was worth one try.
  void give_up(end& x) {
    if (!x.engine.broken() || x.engine.finished()
        || (!stalled_ && !x.engine.write_buffer().empty()))
      return;
    x.engine.read_closed();
    x.engine.write_closed();
    x.engine.dispatch();
  }

  bool carry(end& from, end& to) {
    if (stalled_)
      return false;
    if (from.engine.finished()) {
      if (to.engine.finished())
        return false;
      to.engine.read_closed();
      to.engine.write_closed();
      return true;
    }
    const auto out = from.engine.write_buffer();
    if (out.empty())
      return false;
    const auto in = to.engine.read_buffer();
    auto n = settings_.chunk_bytes == 0 ? out.size() : settings_.chunk_bytes;
    n = std::min(n, out.size());
    if (in.empty()) {
      // The other end takes no more: the bytes go where they go when a peer
      // closed its socket.
      from.engine.write_done(n);
      return true;
    }
    n = std::min(n, in.size());
    std::copy_n(out.data(), n, in.data());
    to.engine.read_done(n);
    from.engine.write_done(n);
    from.written += n;
    return true;
  }

  settings settings_;
  // Not the epoch: zero means "never" to Proton.
  clock::time_point now_{std::chrono::hours{1}};
  end client_;
  end server_;
  bool stalled_ = false;
};

} // namespace rookery::tests
