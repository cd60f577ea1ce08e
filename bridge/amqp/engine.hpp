#pragma once

#include "bridge/amqp/link.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::amqp {

/// What one connection says in OPEN, and its limits.
struct engine_options {
  /// Names our end in the peer's logs. Required.
  std::string container_id;
  /// Client: the host or virtual host asked for.
  std::string hostname = {};
  /// Client: SASL PLAIN when `user` is set, else ANONYMOUS.
  std::string user = {};
  std::string password = {};
  /// Largest frame we accept, bytes.
  std::uint32_t frame_bytes_max = 128 * 1024;
  /// Largest message we accept, bytes; a peer that sends more is cut off.
  std::uint64_t message_bytes_max = 16 * 1024 * 1024;
  /// Sessions at a time on one connection, 1..32768; a peer that begins more
  /// is cut off.
  std::uint32_t sessions_max = 64;
  /// Taken from the peer beyond what it takes from us while there is something
  /// to write, bytes; then no more is read until it takes more, or the idle
  /// timeout has passed.
  /// Answers that a peer does not read would fill our memory. Of two ends that
  /// talk to each other one must allow more than lies between them, or each
  /// could wait for the other.
  std::uint64_t unread_bytes_max = 16 * 1024 * 1024;
  /// The connection ends when the peer is silent for so long; zero = never.
  std::chrono::milliseconds idle_timeout{10'000};
  /// Connection properties, for example product and version.
  std::vector<std::pair<std::string, std::string>> properties = {};
  /// Capabilities we offer, for example ANONYMOUS-RELAY.
  std::vector<std::string> offered_capabilities = {};
};

/// What the peer said in OPEN.
struct peer_info {
  std::string container_id;
  std::string hostname = {};
  std::vector<std::pair<std::string, std::string>> properties = {};
  std::vector<std::string> offered_capabilities = {};
  /// It wants to hear from us so often; zero = it never gives up. What it
  /// announces should be half the time after which it does.
  /// @source AMQP 1.0, part 2, 2.4.5 "Idle Timeout Of A Connection"
  std::chrono::milliseconds idle_timeout{0};
};

/// Where an engine reports. Every call comes from `engine::dispatch`, on the
/// thread that drives the engine, and may call the engine back.
class engine_handler {
public:
  virtual ~engine_handler() = default;
  /// Bytes came; what they hold is told next.
  virtual void on_received() {}
  /// The peer's OPEN came; ours has been sent.
  virtual void on_open(const peer_info&) {}
  /// The peer began a session. The default accepts it.
  virtual void on_session_open(session s) { s.open(); }
  /// The peer ended a session, or agreed to our end of it; its links are
  /// reported closed first. The handle is invalid afterwards.
  virtual void on_session_closed(session, const condition&) {}
  /// The peer attached a link: either its half of ours, or one of its own that
  /// waits for `open` or `refuse` (`ours` tells).
  virtual void on_link_open(link, bool ours) = 0;
  /// A link ended, by itself or with its session, whose reason it then is. The
  /// handle is invalid afterwards.
  virtual void on_link_closed(link, const condition&) {}
  /// Sender: the credit may be another, zero too, or the peer asks to drain,
  /// or does not any more. Told as well when a message was written.
  virtual void on_credit(link) {}
  /// Receiver: a whole message came, never an empty one. `bytes` may be moved
  /// out.
  virtual void on_message(link, delivery, std::string& bytes) = 0;
  /// Sender: the peer settled or gave the outcome of send number `number`.
  virtual void on_outcome(link, std::uint64_t /* number */,
                          const bridge::outcome&) {}
  /// Receiver: the peer settled a delivery that we still hold, or gave it an
  /// outcome, which is confirmed. The handle is invalid afterwards.
  virtual void on_withdrawn(link, delivery) {}
  /// What came in was handled: a good time to send and grant what that made
  /// room for, before anything is written.
  virtual void on_dispatched() {}
  /// `count` bytes went out since the last `dispatch`; `drained`: and nothing
  /// is left to write. There may be room again for somebody who held back:
  /// what `link::send` takes is not limited by what the socket takes.
  virtual void on_written(std::size_t /* count */, bool /* drained */) {}
  /// The connection is over, for whatever reason; exactly once, and last. All
  /// handles are invalid; links and sessions are not reported one by one.
  virtual void on_closed(const condition&) {}
};

/// One AMQP connection without IO: bytes in, bytes out, time as an argument.
/// Sockets drive it in production, in-memory pipes in tests and simulation.
///
/// It sits on Proton's C `pn_connection_driver`, not on the C++ class of that
/// name: the C++ one decodes every message before it shows it, hides raw
/// bytes, reject reasons, modified flags and size limits, and throws at an
/// empty transfer. The engine below both is the same.
/// @thread one at a time; not thread-safe
class engine {
public:
  enum class side : std::uint8_t { client, server };

  using clock = std::chrono::steady_clock;

  /// `handler` must outlive the engine. A client sends its OPEN at once, a
  /// server when the peer's came.
  engine(side role, engine_options options, engine_handler& handler);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Where to put received bytes; empty when no more can be taken now, which
  /// may be over when something was written.
  [[nodiscard]] std::span<char> read_buffer();
  /// `n` bytes were put there.
  void read_done(std::size_t n);
  /// No more bytes will come.
  void read_closed();

  /// Bytes to send; they stay valid until `write_done`, so ask once.
  [[nodiscard]] std::span<const char> write_buffer();
  void write_done(std::size_t n);
  /// No more bytes can be sent.
  void write_closed();

  /// Runs all events through the handler. False when the connection is over.
  /// An exception in the handler ends this connection, and only it.
  bool dispatch();

  /// Tells the time; returns when to call again, nothing for "not needed".
  std::optional<clock::time_point> tick(clock::time_point now);

  /// Starts an orderly close; the peer answers, then `on_closed` comes.
  void close(const condition& why = {});
  /// Ends everything with this reason; see `broken`.
  void abort(const condition& why);

  /// A session of our own, begun at once.
  /// @throws std::runtime_error when the peer allows no more of them, which
  /// ends the connection
  [[nodiscard]] session open_session();
  /// A link of our own; call `open` on it next. Names are unique per peer and
  /// direction and appear in logs.
  [[nodiscard]] link make_sender(session s, const std::string& name);
  [[nodiscard]] link make_receiver(session s, const std::string& name);

  /// Bytes given to `link::send` that are not in frames yet, with what the
  /// transfers take besides: behind a session window that the peer shut, what
  /// `on_written` says has left all the same. Too many, until nothing waits,
  /// where links ended with such.
  [[nodiscard]] std::size_t unwritten_bytes() const;

  [[nodiscard]] bool finished() const;
  /// Whether there is output that the socket has not taken. What a session of
  /// the peer has no window for is no output yet.
  [[nodiscard]] bool writing() const;
  /// It failed: the peer broke the protocol or fell silent, a handler threw,
  /// or `abort` was called. What there is left to write, the reason, is worth
  /// one try, then the IO ends it: such a peer may never read it.
  [[nodiscard]] bool broken() const;
  /// Both OPENs were exchanged and nobody closed.
  [[nodiscard]] bool opened() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace rookery::amqp
