#pragma once

#include "bridge/amqp/management.hpp"
#include "bridge/amqp/tcp_connection.hpp"
#include "bridge/expected.hpp"
#include "nodes/client/client_options.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::nodes {

/// Why something did not work, one sentence; nothing when it did.
using fault = std::optional<std::string>;

/// One connection to a broker for a command that does one thing after the
/// other: every step waits for the broker's answer, up to the timeout, on the
/// thread of the caller. Unlike the bridge it never connects again: what it has
/// taken and not settled goes back to its queue when the connection ends,
/// however it ends, so whoever is told that something failed may just run the
/// command again.
class broker_client : private amqp::engine_handler {
public:
  explicit broker_client(const client_options& options);
  /// Ends the connection, without waiting, if it is still there.
  ~broker_client() override;
  broker_client(const broker_client&) = delete;
  broker_client& operator=(const broker_client&) = delete;

  /// Tries the brokers in turn.
  [[nodiscard]] fault connect();
  /// Ends the connection in order: what was settled is known to the broker
  /// when this returns without a fault.
  [[nodiscard]] fault close();

  /// Whether the connection has ended.
  [[nodiscard]] bool over() const { return over_.has_value(); }

  /// How many messages wait in `queue`; fails where there is none.
  [[nodiscard]] bridge::expected<std::uint64_t, std::string>
  count(const std::string& queue);
  /// Throws away all that wait there; how many they were.
  [[nodiscard]] bridge::expected<std::uint64_t, std::string>
  purge(const std::string& queue);

  /// A message that was taken; `number` names it for `settle`.
  struct taken {
    std::uint64_t number;
    std::string bytes;
  };
  /// Attaches to a queue, which `count` has found; once.
  [[nodiscard]] fault consume(const std::string& queue);
  /// What waits there, at most so many, and no more after that.
  [[nodiscard]] bridge::expected<std::vector<taken>, std::string>
  take(std::uint32_t count_max);
  /// @returns false when it is not here any more: its queue has it again
  bool settle(std::uint64_t number, const bridge::outcome& how);
  /// Puts all that was taken and is not settled back where it was.
  void give_back();

  /// Makes `queue` one that can be sent to; looked for once.
  [[nodiscard]] fault open_target(const std::string& queue);
  /// Sends a message to `queue`; `number` names it for `outcome_of`. Requires
  /// `open_target`.
  [[nodiscard]] fault send(const std::string& queue, std::uint64_t number,
                           std::string_view bytes);
  /// Waits for the broker's word on what was sent to `queue`. A queue for which
  /// it once was late is not waited for again, nor sent to.
  [[nodiscard]] bridge::expected<bridge::outcome, std::string>
  outcome_of(const std::string& queue, std::uint64_t number);

private:
  struct link_state {
    amqp::link self;
    bool attached = false;
    std::optional<amqp::condition> lost;
    fault missing; // a target: why it cannot be sent to
  };
  using milliseconds = std::chrono::milliseconds;

  fault connect(const bridge::endpoint& where);
  fault dial(const bridge::endpoint& where);
  bridge::expected<std::uint64_t, std::string>
  ask(const std::string& queue,
      void (amqp::management::*what)(const std::string&,
                                     amqp::management::counted));
  fault attach(link_state& x, bool sender, const std::string& queue);
  fault source_fault() const;
  void ended(const amqp::condition& why);
  template <class F>
  fault wait(const std::string& what, F done);

  void on_open(const amqp::peer_info&) override;
  void on_session_closed(amqp::session s, const amqp::condition& why) override;
  void on_link_open(amqp::link x, bool ours) override;
  void on_link_closed(amqp::link x, const amqp::condition& why) override;
  void on_credit(amqp::link x) override;
  void on_message(amqp::link x, amqp::delivery d, std::string& bytes) override;
  void on_outcome(amqp::link x, std::uint64_t number,
                  const bridge::outcome& how) override;
  void on_withdrawn(amqp::link x, amqp::delivery d) override;
  void on_closed(const amqp::condition& why) override { ended(why); }

  client_options options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::shared_ptr<amqp::tcp_connection> connection_; // null until connected
  bool opened_ = false;                              // the peer's OPEN came
  bool late_ = false; // the broker did not answer; it is not asked again
  std::optional<amqp::condition> over_;          // the connection is, and why
  std::unique_ptr<amqp::management> management_; // there once open
  amqp::session session_;
  link_state source_;
  std::map<std::string, link_state> targets_; // by queue; they never move
  std::vector<taken> arrived_;                // and not handed out yet
  std::uint32_t wanted_ = 0;                  // of these, at most
  std::uint64_t arrivals_ = 0;                // numbers what is taken
  std::map<std::uint64_t, amqp::delivery> held_;
  std::map<std::uint64_t, bridge::outcome> outcomes_;
};

} // namespace rookery::nodes
