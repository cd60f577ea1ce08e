#pragma once

#include "bridge/amqp/engine.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace rookery::tests {

/// The far end of an engine, written down byte by byte: no AMQP of its own, no
/// socket, and a clock that stands still until it is told. The engine is driven
/// as a socket does it: who breaks the protocol is cut off.
class raw_end {
public:
  struct settings {
    /// Takes what the engine writes; else that waits, as for a full socket.
    bool reads = true;
    /// Whatever else has to run when something came.
    std::function<void()> others = [] {};
  };

  raw_end(amqp::engine& to, settings how) : to_{to}, how_{std::move(how)} {}

  /// False when the engine takes no more.
  bool say(std::string_view bytes) {
    while (!bytes.empty() && !over_) {
      const auto room = to_.read_buffer();
      const auto n = std::min(room.size(), bytes.size());
      if (n == 0)
        break;
      std::copy_n(bytes.data(), n, room.data());
      to_.read_done(n);
      bytes.remove_prefix(n);
      run();
    }
    return bytes.empty() && !over_;
  }
  void pass(std::chrono::milliseconds span) {
    now_ += span;
    run();
  }
  /// From now on it takes nothing, as a full socket does, or again.
  void read(bool on) {
    how_.reads = on;
    run();
  }
  void disconnect() {
    if (std::exchange(over_, true))
      return;
    to_.read_closed();
    to_.write_closed();
    to_.dispatch();
    how_.others();
  }
  /// Lets what was done on the engine's side come here.
  void run() {
    for (bool more = true; more && !over_;) {
      to_.tick(now_);
      const auto alive = to_.dispatch();
      how_.others();
      more = false;
      if (how_.reads || !stuck_) {
        const auto out = to_.write_buffer();
        stuck_ = !how_.reads && !out.empty();
        more = how_.reads && !out.empty();
        if (more) {
          heard_.append(out.data(), out.size());
          to_.write_done(out.size());
        }
      }
      if (!alive || (to_.broken() && !more))
        disconnect();
    }
  }

  /// What the engine said since the last look.
  std::string heard() { return std::exchange(heard_, {}); }
  /// The connection has ended.
  [[nodiscard]] bool over() const { return over_; }

private:
  amqp::engine& to_;
  settings how_;
  // Not the epoch: zero means "never" to Proton.
  amqp::engine::clock::time_point now_{std::chrono::hours{1}};
  std::string heard_;
  bool stuck_ = false; // a write waits
  bool over_ = false;
};

} // namespace rookery::tests
