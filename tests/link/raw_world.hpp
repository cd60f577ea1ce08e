#pragma once

#include "tests/link/client_world.hpp"
#include "tests/support/raw_end.hpp"
#include "tests/support/raw_manners.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace rookery::tests {

/// A client with something to send and something to consume, and one raw broker
/// after the other.
struct raw_world {
  explicit raw_world(std::uint32_t window = 4) {
    static_cast<void>(client.add_sender(std::nullopt, queue));
    static_cast<void>(client.add_receiver("in", window, {}));
  }

  void connect(raw_manners with = {}) {
    if (far)
      far->disconnect();
    manners = std::move(with);
    heard.clear();
    engine.emplace(amqp::engine::side::client,
                   amqp::engine_options{.container_id = "node"}, client);
    client.connect(*engine);
    far.emplace(*engine,
                raw_end::settings{.others = [this] { client.flush(now); }});
    run();
  }
  void run() {
    for (far->run();;) {
      heard += far->heard();
      const auto answer = manners.answers_to(heard);
      if (answer.empty() || !far->say(answer))
        return;
    }
  }
  void say(const std::string& bytes) {
    far->say(bytes);
    run();
  }
  /// The node's link of that direction.
  [[nodiscard]] raw_manners::link link(bool node_sends) const {
    for (const auto& each : manners.plain_links())
      if (each.node_sends == node_sends)
        return each;
    throw std::logic_error{"the node attached no such link"};
  }
  [[nodiscard]] std::string
  deliver(char number,
          const std::string& payload = raw_transfer{}.payload) const {
    const auto to = link(false);
    return raw_transfer{.handle = to.handle,
                        .delivery_id = hex("52") + number,
                        .payload = payload}
        .frame(to.channel);
  }

  amqp::client::clock::time_point now{std::chrono::hours{1}};
  client_recorder owner;
  amqp::client client{{.profile = &bridge::rabbitmq4(),
                       .name = "test",
                       .now = [this] { return now; }},
                      owner};
  std::shared_ptr<amqp::outgoing_queue> queue = make_queue();
  std::optional<amqp::engine> engine;
  std::optional<raw_end> far;
  raw_manners manners;
  std::string heard; // less than a frame
};

} // namespace rookery::tests
