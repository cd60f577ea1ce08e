#pragma once

#include "bridge/amqp/client.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/assert.hpp"
#include "bridge/profiles/rabbitmq4.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rookery::tests {

/// A node's half of the conversation with a broker: something to declare, a
/// queue to send to and one to consume, three messages to send, of which the
/// last is worth sending for a second only. Time stands
/// still until it is told. Seeds are recorded with one like this, so that what
/// a broker said then fits.
class fuzzed_client : amqp::client_handler {
public:
  using clock = amqp::client::clock;

  static constexpr std::size_t sends = 3;
  /// What it consumes, as the broker spells it.
  static constexpr auto source = "/queues/in";

  fuzzed_client() : self{options(), *this} {
    self.declare(bridge::queue_declaration{.name = "in"});
    self.add_receiver("in", 4, 1);
    self.add_sender(bridge::address::queue("out"), queue_);
    self.add_sender(std::nullopt, empty_);
    for (std::size_t i = 0; i < sends; ++i) {
      amqp::outgoing item{message(i)};
      if (i + 1 == sends)
        item.expires = now + std::chrono::seconds{1};
      const auto expires = item.expires;
      const auto bytes = item.bytes.size();
      ROOKERY_ASSERT(
          bridge::accepted(queue_->push(std::move(item), bytes, expires)));
    }
  }

  /// Lets time pass and does what is due, as the IO loop does.
  void pass(std::chrono::milliseconds span) {
    now += span;
    self.check(now);
    self.expire(now);
    self.flush(now);
  }

  clock::time_point now{std::chrono::hours{1}};
  amqp::client self;
  std::size_t ends = 0; // of sends
  std::size_t ups = 0;
  std::size_t downs = 0;

private:
  amqp::client_options options() {
    amqp::client_options result;
    result.profile = &bridge::rabbitmq4();
    result.name = "fuzzed";
    result.idle_timeout = std::chrono::seconds{4};
    result.now = [this] { return now; };
    return result;
  }

  static std::string message(std::size_t i) {
    bridge::envelope head;
    head.message_id = std::to_string(i);
    head.ttl = std::chrono::seconds{1};
    std::string result;
    amqp::encode_head(head, 1, result);
    return result + static_cast<char>('a' + i);
  }

  void on_up(const amqp::peer_info&) override { ++ups; }
  void on_down(const amqp::condition&) override { ++downs; }
  void on_refused(const std::string&, const std::string&) override {}
  void on_message(std::size_t, std::uint64_t delivery, std::string& bytes,
                  std::chrono::steady_clock::time_point) override {
    ROOKERY_ASSERT(!bytes.empty());
    // Sometimes late, when the connection may be gone.
    late_.push_back(delivery);
    if (late_.size() < 2)
      return;
    for (auto each : std::exchange(late_, {}))
      self.settle(each, each % 3 == 0 ? bridge::outcome::failure()
                                      : bridge::outcome::accepted());
  }
  void on_outcome(std::size_t sender, amqp::outgoing&& what,
                  const bridge::outcome&) override {
    on_end(sender, what);
  }
  void on_expired(std::size_t sender, amqp::outgoing&& what, bool) override {
    ROOKERY_ASSERT(what.expires <= now);
    on_end(sender, what);
  }
  void on_end(std::size_t sender, const amqp::outgoing& what) {
    ROOKERY_ASSERT(sender == 0 && what.bytes.size() == message(0).size());
    ++ends;
  }

  std::shared_ptr<amqp::outgoing_queue> queue_ =
      std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
  std::shared_ptr<amqp::outgoing_queue> empty_ =
      std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
  std::vector<std::uint64_t> late_;
};

} // namespace rookery::tests
