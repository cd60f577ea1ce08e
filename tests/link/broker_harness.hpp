#pragma once

#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "broker/connection.hpp"
#include "broker/dispatcher.hpp"
#include "tests/support/memory_wire.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::tests {

using texts = std::vector<std::string>;

/// The encoded message whose body is `text`.
inline std::string message_of(std::string_view text, std::string_view to = {}) {
  bridge::envelope x;
  x.to = to;
  x.body = text;
  std::string bytes;
  amqp::encode_message(x, bytes);
  return bytes;
}

/// One end of a client's link, and all that happened to it.
struct client_link {
  struct received {
    amqp::delivery handle;
    std::string bytes;

    [[nodiscard]] bridge::envelope message() const {
      return amqp::decode_message(bytes)->to_envelope();
    }
    [[nodiscard]] std::string text() const { return message().body; }
  };

  amqp::link self;
  bool open = false;       // the broker attached its half
  amqp::link_terms agreed; // and what it said
  std::optional<amqp::condition> closed;
  std::uint64_t sent = 0; // the number of the last send
  std::vector<bridge::outcome> outcomes;
  std::vector<received> deliveries; // not settled by the test yet
  std::size_t accepted = 0;         // settled by `auto_accept`
  bool auto_accept = false;
  /// With `auto_accept`: credit is filled up to this.
  std::uint32_t window = 0;

  void send(std::string_view bytes, bool presettled = false) {
    self.send(++sent, bytes, {}, presettled);
  }
  void send_text(std::string_view text, std::string_view to = {}) {
    send(message_of(text, to));
  }
  /// Receiver: of the credit granted, so much is granted no more.
  void take_back(int credit) {
    self.add_credit(static_cast<std::uint32_t>(-credit));
  }
  void settle_first(const bridge::outcome& how) {
    deliveries.front().handle.settle(how);
    deliveries.erase(deliveries.begin());
  }
  [[nodiscard]] texts bodies() const {
    texts all;
    for (const auto& each : deliveries)
      all.push_back(each.text());
    return all;
  }
};

/// A client of the broker, written down.
class test_client : public amqp::engine_handler {
public:
  client_link& attach(bool sender, const std::string& name,
                      const amqp::link_terms& terms,
                      std::optional<amqp::session> on = {}) {
    auto s = on ? *on : engine->open_session();
    auto& made = links.emplace_back();
    made.self =
        sender ? engine->make_sender(s, name) : engine->make_receiver(s, name);
    made.self.set_context(&made);
    made.self.open(terms);
    return made;
  }

  client_link& sender(const std::optional<std::string>& to) {
    return attach(true, "sender-" + std::to_string(links.size()),
                  {.source = "client", .target = to});
  }
  client_link& receiver(const std::string& from, std::uint32_t credit = 0,
                        std::optional<std::int32_t> priority = {}) {
    auto& made =
        attach(false, "receiver-" + std::to_string(links.size()),
               {.source = from, .target = "client", .priority = priority});
    if (credit > 0)
      made.self.add_credit(credit);
    return made;
  }

  void on_open(const amqp::peer_info& x) override { peer = x; }
  void on_session_closed(amqp::session, const amqp::condition& why) override {
    ended_sessions.push_back(why);
  }
  void on_link_open(amqp::link x, bool) override {
    of(x).open = true;
    of(x).agreed = x.remote_terms();
  }
  void on_link_closed(amqp::link x, const amqp::condition& why) override {
    of(x).closed = why;
  }
  void on_outcome(amqp::link x, std::uint64_t,
                  const bridge::outcome& how) override {
    of(x).outcomes.push_back(how);
  }
  void on_message(amqp::link x, amqp::delivery d, std::string& bytes) override {
    auto& mine = of(x);
    if (!mine.auto_accept) {
      mine.deliveries.push_back({d, std::move(bytes)});
      return;
    }
    d.settle(bridge::outcome::accepted());
    ++mine.accepted;
    if (mine.window > 0)
      mine.self.add_credit(1);
  }
  void on_closed(const amqp::condition& why) override { closed = why; }

  amqp::engine* engine = nullptr;
  std::optional<amqp::peer_info> peer;
  std::vector<amqp::condition> ended_sessions;
  std::optional<amqp::condition> closed;
  std::list<client_link> links; // a list: contexts point into it

private:
  static client_link& of(amqp::link x) {
    return *static_cast<client_link*>(x.context());
  }
};

/// What the broker's sink was told.
class recording_sink : public broker::event_sink {
public:
  void connection_closed(std::uint64_t,
                         std::string_view why) noexcept override {
    closed.emplace_back(why);
  }
  void attach_refused(std::uint64_t, std::string_view,
                      std::string_view why) noexcept override {
    refused_attaches.emplace_back(why);
  }
  void message_refused(std::uint64_t, std::string_view,
                       std::string_view why) noexcept override {
    refused_messages.emplace_back(why);
  }

  void consumer_active(std::string_view queue,
                       std::string_view peer) noexcept override {
    active.push_back(std::string{queue} + " " + std::string{peer});
  }

  texts closed;
  texts refused_attaches;
  texts refused_messages;
  texts active; // "QUEUE PEER"
};

/// A whole broker and its clients in one thread, without sockets.
class broker_harness {
public:
  explicit broker_harness(const broker::broker_options& options = {},
                          std::size_t chunk_bytes = 0)
      : shared{with_clock(options), sink, "cafe", [this] { turn_due_ = true; },
               [this](broker::time_point when) { alarm_ = when; }},
        chunk_bytes_{chunk_bytes} {}

  /// Lets time pass; without this it stands still.
  void pass(std::chrono::milliseconds span) {
    now += span;
    turn_due_ = turn_due_ || alarm_ <= now;
    pump();
  }

  /// A client with an open connection.
  test_client& connect() {
    auto& made = *peers_.emplace_back(std::make_unique<peer>());
    made.handler =
        std::make_unique<broker::connection>(shared, peers_.size(), made);
    amqp::engine_options server{.container_id = "broker"};
    server.message_bytes_max = shared.options.message_bytes_max;
    made.wire = std::make_unique<memory_wire>(
        amqp::engine_options{.container_id = "client"}, made.client, server,
        *made.handler, memory_wire::settings{.chunk_bytes = chunk_bytes_});
    made.handler->bind(made.wire->server());
    made.client.engine = &made.wire->client();
    pump();
    return made.client;
  }

  /// Runs wires and turns until all is quiet.
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& each : peers_)
        moved = each->wire->step() || moved;
      if (std::exchange(turn_due_, false)) {
        shared.run();
        moved = true;
      }
    }
  }

  /// Breaks the client's connection.
  void cut(const test_client& x) {
    wire_of(x).cut();
    pump();
  }
  memory_wire& wire_of(const test_client& x) {
    for (auto& each : peers_)
      if (&each->client == &x)
        return *each->wire;
    throw std::logic_error{"not a client of this broker"};
  }

  void declare(const std::string& name,
               const broker::queue_options& options = {}) {
    auto made = shared.host.declare_queue(name, options, 0);
    if (!made)
      throw std::logic_error{made.error().text};
  }
  [[nodiscard]] broker::queue_counts counts(const std::string& queue) const {
    return shared.host.find_queue(queue)->counts();
  }
  /// Publishes from within, without a connection.
  void put(const std::string& queue, const texts& all) {
    for (const auto& text : all) {
      auto fresh = std::make_shared<broker::message>();
      fresh->bytes = message_of(text);
      fresh->header_bytes = static_cast<std::uint32_t>(
          amqp::parse_header_facts(fresh->bytes)->header_bytes);
      shared.host.publish("", queue, fresh);
    }
    shared.wake();
    pump();
  }

  recording_sink sink;
  broker::time_point now{}; // what `shared` is told
  broker::dispatcher shared;

private:
  struct peer : broker::output {
    void flush() override {} // `pump` steps every wire anyway

    test_client client;
    std::unique_ptr<broker::connection> handler;
    std::unique_ptr<memory_wire> wire;
  };

  broker::broker_options with_clock(broker::broker_options options) {
    options.host.time.now = [this] { return now; };
    return options;
  }

  std::size_t chunk_bytes_;
  bool turn_due_ = false;
  broker::time_point alarm_ = broker::never;
  std::vector<std::unique_ptr<peer>> peers_;
};

} // namespace rookery::tests
