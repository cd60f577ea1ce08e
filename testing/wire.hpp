#pragma once

#include "bridge/amqp/engine.hpp"
#include "testing/host.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rookery::testing {

/// What a connection does to bytes.
struct wire_terms {
  world::clock::duration latency_min = std::chrono::microseconds{50};
  world::clock::duration latency_max = std::chrono::microseconds{400};
  /// Bytes that arrive at once: 1 or more.
  std::size_t slice_max = 64 * 1024;
  /// Bytes under way, or not yet read, after which an end has to wait before it
  /// writes more: 1 or more.
  std::size_t under_way_max = SIZE_MAX;
  /// Longest frame: both ends take none that is longer. 512 or more.
  std::uint32_t frame_bytes_max = amqp::engine_options{}.frame_bytes_max;
};

/// One connection between two processes: two real AMQP engines, and between
/// them bytes that take their time, may be cut off anywhere, or stop coming
/// without a word. Shared by both ends and by what is on its way.
class wire : public std::enable_shared_from_this<wire> {
public:
  enum side { client = 0, server = 1 };

  wire(world& outside, wire_terms terms) : outside_{outside}, terms_{terms} {}

  /// Both before `start`. The host and the handler must outlive the wire or
  /// `leave` it.
  void join(side which, std::weak_ptr<host> who, amqp::engine_options options,
            amqp::engine_handler& handler);
  /// Begins the conversation.
  void start();
  [[nodiscard]] amqp::engine& engine(side which) {
    return *ends_[which].engine;
  }
  [[nodiscard]] bool joined(side which) const {
    return ends_[which].engine != nullptr;
  }

  /// Runs the engine of one end and sends what it has to say. Does nothing
  /// when called from within.
  void pump(side which);
  /// Tells the engine the time.
  void tick(side which);

  /// This end's process is gone: no handler of it is called any more, and the
  /// other end sees a closed socket.
  void leave(side which);
  /// The connection breaks: of what is on its way a part still arrives, cut
  /// off at any byte, then both ends see it closed.
  void cut();
  /// From now on nothing arrives at `to`, and nobody is told.
  void silence(side to) { ends_[to].silent = true; }
  /// It arrives after all, later.
  void restore();
  /// The same, and the server forgets nothing more.
  void heal();
  /// The server forgets to tell what became of the next `count` things it was
  /// sent: says nothing at all, or says that it is over and not how. Each time
  /// it did, `done` is called.
  enum class lapse : std::uint8_t { silence, no_outcome };
  void forget_outcomes(lapse how, std::size_t count,
                       std::function<void()> done);

  [[nodiscard]] const wire_terms& terms() const { return terms_; }
  [[nodiscard]] std::size_t bytes_under_way() const;
  /// Of these, what waits where an end is silent.
  [[nodiscard]] std::size_t bytes_held_back() const;
  /// An end closed it, though it was not cut and both processes were there.
  [[nodiscard]] bool given_up() const { return !torn_ && closed(); }

private:
  [[nodiscard]] static side other(side x) {
    return x == client ? server : client;
  }

  struct end {
    std::weak_ptr<host> who;
    std::unique_ptr<amqp::engine> engine;
    std::deque<std::string> coming; // towards this end
    std::size_t arrived = 0;        // of these, chunks that may be read
    std::string unread;             // arrived, no room in the engine
    world::clock::time_point last_arrival{};
    bool silent = false;
    bool closing = false; // the socket closes after what is coming
    bool ended = false;   // and all that has arrived
    bool closed = false;  // the engine knows that nothing more comes
    bool left = false;
    bool pumping = false;
    bool writing = false; // what it offered waits for room
  };

  void send(side from, std::string_view bytes);
  void send_with_lapses(std::string_view bytes);
  [[nodiscard]] std::size_t under_way(side to) const;
  // There is room again.
  void go_on(side which);
  void arrive(side at);
  void read(side at);
  void close_after(side at);
  [[nodiscard]] bool closed() const {
    return ends_[client].closed || ends_[server].closed;
  }

  world& outside_;
  wire_terms terms_;
  std::array<end, 2> ends_;
  bool torn_ = false; // cut, or a process gone, while it was open
  lapse lapse_ = lapse::silence;
  std::size_t lapses_ = 0; // to come
  std::function<void()> on_lapse_;
};

} // namespace rookery::testing
