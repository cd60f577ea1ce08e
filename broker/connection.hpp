#pragma once

#include "bridge/amqp/engine.hpp"
#include "broker/core/consumer.hpp"
#include "broker/endpoint.hpp"
#include "broker/session_state.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::broker {

class dispatcher;

/// What carries a connection's bytes to its client.
class output {
public:
  virtual ~output() = default;
  /// Sends what the engine has to say.
  virtual void flush() = 0;
  /// Called from within the engine's callbacks: sends nothing before `flush`.
  virtual void hold() {}
};

/// One client: its sessions and links, joined to the virtual host. It drives
/// no IO; the engine it listens to is a socket's or a test's.
///
/// Whatever a client does wrong in attaching a link ends the session, as in
/// RabbitMQ, not the link alone.
/// @thread the dispatcher's
class connection : public amqp::engine_handler {
public:
  /// With a `refusal`, the client is told it and turned away at its OPEN.
  connection(dispatcher& shared, connection_id id, output& out,
             amqp::condition refusal = {});
  ~connection() override;

  /// The engine whose handler this is; once, before any bytes.
  void bind(amqp::engine& e) { engine_ = &e; }
  /// Called when the connection is over; the caller may then destroy it, but
  /// not before the engine's `dispatch` returned.
  std::function<void()> on_gone;

  void flush() { out_.flush(); }
  /// Starts an orderly close, or ends at once what is not open.
  void close(const amqp::condition& why);

  // For endpoints.
  [[nodiscard]] dispatcher& shared() { return shared_; }
  [[nodiscard]] connection_id id() const { return id_; }
  /// The client's container id.
  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// Ends the session of `where` and all its links, this endpoint among them.
  void end_session(const endpoint& where, const amqp::condition& why);
  /// Detaches one link for a reason, and destroys the endpoint.
  void end_link(endpoint& which, const amqp::condition& why);
  /// So many bytes were sent. When they are too many each endpoint is told, by
  /// `on_full`, and when there is room again by `on_room`.
  void sent(std::size_t bytes);
  /// Whether endpoints should send no more until `on_room`.
  [[nodiscard]] bool full() const { return full_; }
  /// Whether it is over, and its links are given up.
  [[nodiscard]] bool going() const { return going_; }
  /// Its exclusive queues are to go with it.
  void owns_queues() { owns_queues_ = true; }

  /// The dispatcher's: it is in the list of connections to flush.
  bool touched = false;

  void on_open(const amqp::peer_info& peer) override;
  void on_session_open(amqp::session s) override;
  void on_session_closed(amqp::session s, const amqp::condition& why) override;
  void on_link_open(amqp::link x, bool ours) override;
  void on_link_closed(amqp::link x, const amqp::condition& why) override;
  void on_credit(amqp::link x) override;
  void on_message(amqp::link x, amqp::delivery d, std::string& bytes) override;
  void on_outcome(amqp::link x, std::uint64_t number,
                  const bridge::outcome& how) override;
  void on_dispatched() override;
  void on_written(std::size_t count, bool drained) override;
  void on_closed(const amqp::condition& why) override;

private:
  void end_session(session_state& which, const amqp::condition& why);
  void remove(endpoint& which, detach_reason why);
  void release();

  dispatcher& shared_;
  connection_id id_;
  output& out_;
  amqp::condition refusal_;
  amqp::engine* engine_ = nullptr;
  std::string peer_;
  bool opened_ = false; // the sink was told of it
  bool owns_queues_ = false;
  std::vector<std::unique_ptr<session_state>> sessions_;
  /// What was sent and not written yet, counted as somewhat too much; known
  /// again whenever all was written that the client's windows let out.
  std::uint64_t output_bytes_ = 0;
  bool full_ = false;
  bool going_ = false;
};

} // namespace rookery::broker
