#pragma once

#include "bridge/amqp/tcp_connection.hpp"
#include "tests/conformance/client_link.hpp"
#include "tests/conformance/event_loop.hpp"

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rookery::conformance {

/// Where the broker is, and who asks.
struct broker_address {
  std::string host;
  std::string port;
  std::string user = {}; // empty: SASL ANONYMOUS
  std::string password = {};
};

/// A connection whose every step waits for the broker's answer, with a
/// deadline: scripts read from top to bottom. What comes unasked is kept in the
/// links and sessions.
///
/// Frames of one session are handled by RabbitMQ in their order, those of two
/// are not; so a script uses the first session for all whose order counts. A
/// session that ended leaves its channel to the next one, and RabbitMQ may then
/// not have noticed its end: after that a script goes on with another client.
/// @throws unfulfilled from everything that waits
class client : private amqp::engine_handler {
public:
  /// Connects and opens.
  client(event_loop& loop, const broker_address& where, const std::string& id);
  /// Ends the connection, without waiting, if it is still there.
  ~client() override;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  [[nodiscard]] const amqp::peer_info& peer() const { return *peer_; }
  [[nodiscard]] client_session& first_session() { return sessions_.front(); }
  client_session& begin();
  void end(client_session& x);
  /// Closes the connection in order.
  void close();
  /// Breaks the connection: the broker sees its end, and no AMQP close.
  void cut();

  /// A link that the broker takes. `to` and `from` are addresses. Credit is
  /// granted when the broker has answered: before, the client does not know the
  /// delivery-count that the credit is counted from.
  client_link& sender(const std::optional<std::string>& to,
                      const link_options& options = {});
  client_link& receiver(const std::string& from,
                        const link_options& options = {});
  /// Sends an attach and does not wait. Links without a name get a number.
  client_link& attach(bool sender, amqp::link_terms terms,
                      const link_options& options, std::string name = {});
  /// The fate of an attach on the first session, which may end by it.
  std::string try_attach(bool sender, const std::optional<std::string>& to);
  void close(client_link& x);

  /// Sends one message when there is credit for it. With `settled` no outcome
  /// comes.
  void send(client_link& to, std::string_view bytes, bool settled = false);
  void send(client_link& to, const proton::message& x, bool settled = false);
  /// Sends one message; its outcome.
  bridge::outcome publish(client_link& to, const proton::message& x);

  void grant(client_link& to, std::uint32_t credit);
  /// The next delivery, when it is here.
  received take(client_link& from);
  std::vector<received> take(client_link& from, std::size_t count);
  /// All that `credit` more brings, and no more after that: what the broker
  /// does not use it gives back.
  std::vector<received> drain(client_link& from, std::uint32_t credit = 100);
  void settle(received& x, const bridge::outcome& how);

  /// Waits for what is seen in a link or session.
  template <class F>
  void wait(const std::string& what, F done) {
    pump();
    loop_.wait(what, [&] { return closed_ || done(); });
    if (!done())
      throw unfulfilled{"while it waited for " + what
                        + ", the connection closed: " + closed_->text()};
  }

private:
  explicit client(event_loop& loop) : loop_{loop} {}
  void connect(const broker_address& where, const std::string& id);
  void pump();
  [[nodiscard]] amqp::engine& engine();

  void on_open(const amqp::peer_info& x) override { peer_ = x; }
  void on_session_closed(amqp::session s, const amqp::condition& why) override;
  void on_link_open(amqp::link x, bool ours) override;
  void on_link_closed(amqp::link x, const amqp::condition& why) override;
  void on_message(amqp::link x, amqp::delivery d, std::string& bytes) override;
  void on_outcome(amqp::link x, std::uint64_t number,
                  const bridge::outcome& how) override;
  void on_withdrawn(amqp::link x, amqp::delivery d) override;
  void on_closed(const amqp::condition& why) override { closed_ = why; }

  event_loop& loop_;
  std::shared_ptr<amqp::tcp_connection> connection_; // null until connected
  int descriptor_ = -1;                              // of its socket
  std::optional<amqp::peer_info> peer_;
  std::optional<amqp::condition> closed_;
  std::list<client_session> sessions_; // lists: contexts point into them
  std::list<client_link> links_;
};

} // namespace rookery::conformance
