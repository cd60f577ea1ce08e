#include "tests/conformance/client.hpp"

#include "tests/conformance/messages.hpp"

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>

#include <algorithm>
#include <iterator>
#include <sys/socket.h>

namespace rookery::conformance {

namespace {

using asio::ip::tcp;

/// What an attempt to connect needs for as long as it lasts, which is longer
/// than a wait that gives up.
struct attempt {
  explicit attempt(asio::io_context& io) : socket{io}, resolver{io} {}

  tcp::socket socket;
  tcp::resolver resolver;
  std::optional<asio::error_code> result;
};

client_link& of(amqp::link x) {
  return *static_cast<client_link*>(x.context());
}

} // namespace

std::string client_link::fate() const {
  // A session's end is told after that of its links.
  if (on->ended)
    return "session ends " + on->ended->name;
  if (closed)
    return "link closes " + closed->name;
  return attached ? "attached" : "no answer";
}

client::client(event_loop& loop, const broker_address& where,
               const std::string& id)
    // Whole from here on: what throws below still ends the connection.
    : client{loop} {
  connect(where, id);
  wait("OPEN", [this] { return peer_.has_value(); });
  begin();
}

client::~client() {
  if (connection_ && !closed_)
    connection_->abort({});
}

void client::connect(const broker_address& where, const std::string& id) {
  const auto tried = std::make_shared<attempt>(loop_.io);
  tried->resolver.async_resolve(
      where.host, where.port,
      [tried](asio::error_code failed, const tcp::resolver::results_type& to) {
        if (failed)
          tried->result = failed;
        else
          asio::async_connect(tried->socket, to,
                              [tried](asio::error_code result, const auto&) {
                                tried->result = result;
                              });
      });
  loop_.wait("a connection", [&] { return tried->result.has_value(); });
  if (*tried->result)
    throw unfulfilled{"no connection to " + where.host + ":" + where.port + ": "
                      + tried->result->message()};
  descriptor_ = tried->socket.native_handle();
  amqp::engine_options options{.container_id = id};
  options.hostname = where.host;
  options.user = where.user;
  options.password = where.password;
  amqp::engine_handler& told = *this;
  connection_ = std::make_shared<amqp::tcp_connection>(
      std::move(tried->socket), amqp::engine::side::client, options, told);
  connection_->start(event_loop::patience);
}

void client::pump() {
  if (!closed_)
    connection_->pump();
}

amqp::engine& client::engine() {
  if (closed_)
    throw unfulfilled{"the connection closed: " + closed_->text()};
  return connection_->engine();
}

client_session& client::begin() {
  auto& made = sessions_.emplace_back();
  made.self = engine().open_session();
  made.self.set_context(&made);
  return made;
}

void client::end(client_session& x) {
  x.self.close();
  wait("the end of a session", [&] { return x.ended.has_value(); });
}

void client::close() {
  engine().close();
  pump();
  loop_.wait("CLOSE", [this] { return closed_.has_value(); });
}

void client::cut() {
  ::shutdown(descriptor_, SHUT_RDWR);
  loop_.wait("the end of the connection",
             [this] { return closed_.has_value(); });
}

client_link& client::attach(bool sender, amqp::link_terms terms,
                            const link_options& options, std::string name) {
  auto& made = links_.emplace_back();
  made.on = options.on != nullptr ? options.on : &first_session();
  if (made.on->ended)
    throw unfulfilled{"the session had ended: " + made.on->ended->text()};
  terms.presettled = terms.presettled || options.settled;
  terms.priority = options.priority;
  if (name.empty())
    name = "link-" + std::to_string(links_.size());
  made.self = sender ? engine().make_sender(made.on->self, name)
                     : engine().make_receiver(made.on->self, name);
  made.self.set_context(&made);
  made.self.open(terms);
  pump();
  return made;
}

client_link& client::sender(const std::optional<std::string>& to,
                            const link_options& options) {
  auto& made = attach(true, {.source = "here", .target = to}, options);
  wait("an attach", [&] { return made.answered(); });
  if (made.lost())
    throw unfulfilled{"refused a sender: " + made.fate()};
  return made;
}

client_link& client::receiver(const std::string& from,
                              const link_options& options) {
  auto& made = attach(false, {.source = from, .target = "here"}, options);
  wait("an attach", [&] { return made.answered(); });
  if (made.lost())
    throw unfulfilled{"refused a receiver: " + made.fate()};
  if (options.credit > 0)
    grant(made, options.credit);
  return made;
}

std::string client::try_attach(bool sender,
                               const std::optional<std::string>& to) {
  amqp::link_terms terms{.source = "here", .target = to};
  if (!sender)
    terms = {.source = to, .target = "here"};
  auto& made = attach(sender, terms, {});
  wait("an attach", [&] { return made.answered(); });
  return made.fate();
}

void client::close(client_link& x) {
  x.self.close();
  wait("a detach", [&] { return x.lost(); });
}

void client::send(client_link& to, std::string_view bytes, bool settled) {
  wait("credit", [&] { return to.lost() || to.self.credit() > 0; });
  if (to.lost())
    throw unfulfilled{"cannot send: " + to.fate()};
  to.self.send(++to.sent, bytes, {}, settled);
  pump();
}

void client::send(client_link& to, const proton::message& x, bool settled) {
  send(to, encoded(x), settled);
}

bridge::outcome client::publish(client_link& to, const proton::message& x) {
  send(to, x);
  const auto number = to.sent;
  wait("an outcome", [&] { return to.outcomes.contains(number) || to.lost(); });
  if (!to.outcomes.contains(number))
    throw unfulfilled{"no outcome: " + to.fate()};
  return to.outcomes.at(number);
}

void client::grant(client_link& to, std::uint32_t credit) {
  to.self.add_credit(credit);
  pump();
}

received client::take(client_link& from) {
  wait("a delivery", [&] { return !from.deliveries.empty() || from.lost(); });
  if (from.deliveries.empty())
    throw unfulfilled{"no delivery: " + from.fate()};
  auto first = std::move(from.deliveries.front());
  from.deliveries.pop_front();
  return first;
}

std::vector<received> client::take(client_link& from, std::size_t count) {
  std::vector<received> result;
  while (result.size() < count)
    result.push_back(take(from));
  return result;
}

std::vector<received> client::drain(client_link& from, std::uint32_t credit) {
  from.self.drain(credit);
  wait("the end of a drain",
       [&] { return from.lost() || from.self.credit() == 0; });
  if (from.lost())
    throw unfulfilled{"cannot drain: " + from.fate()};
  std::vector<received> result{std::make_move_iterator(from.deliveries.begin()),
                               std::make_move_iterator(from.deliveries.end())};
  from.deliveries.clear();
  return result;
}

void client::settle(received& x, const bridge::outcome& how) {
  x.handle.settle(how);
  pump();
}

void client::on_session_closed(amqp::session s, const amqp::condition& why) {
  auto& ended = *static_cast<client_session*>(s.context());
  ended.ended = why;
  ended.self = {};
}

void client::on_link_open(amqp::link x, bool ours) {
  if (ours)
    of(x).attached = true;
  else
    x.refuse({"amqp:not-implemented", "a script takes no links"});
}

void client::on_link_closed(amqp::link x, const amqp::condition& why) {
  if (x.context() == nullptr)
    return; // theirs, which was refused
  of(x).closed = why;
  of(x).self = {};
}

void client::on_message(amqp::link x, amqp::delivery d, std::string& bytes) {
  of(x).deliveries.push_back({d, decoded(bytes)});
}

void client::on_outcome(amqp::link x, std::uint64_t number,
                        const bridge::outcome& how) {
  of(x).outcomes[number] = how;
}

void client::on_withdrawn(amqp::link x, amqp::delivery d) {
  std::erase_if(of(x).deliveries,
                [&](const received& each) { return each.handle == d; });
}

} // namespace rookery::conformance
