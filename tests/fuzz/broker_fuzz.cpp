// Goal: whatever a client sends, the embedded broker lives, forgets it when it
// is gone, and serves others as before. Method: the input is what the client
// sends, in slices, to the real engine behind the frame guard and to the whole
// broker; a well-behaved client beside it sends itself a message before and
// after. What the broker answers is thrown away, or not even read.
#include "bridge/assert.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/link/broker_harness.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;

namespace {

/// So small that short inputs reach the limits of each client. What all share
/// is larger than one input can fill, or the well-behaved one would rightly be
/// refused.
broker::broker_options small_limits() {
  broker::broker_options result;
  result.host.queues_max = 12;
  result.host.exchanges_max = 10;
  result.host.bindings_max = 20;
  result.host.consumers_per_queue_max = 3;
  result.host.queue_bytes_max = 6'000;
  result.links_per_session_max = 5;
  result.publisher_window = 4;
  result.unsettled_max = 3;
  result.message_bytes_max = 1'500;
  result.queue_high_water_bytes = 3'000;
  result.output_bytes_max = 1'000;
  return result;
}

/// The connection that the input speaks on.
class raw_client : broker::output {
public:
  raw_client(broker_harness& at, bool reads)
      : at_{at},
        reads_{reads},
        handler_{at.shared, 1'000, *this},
        engine_{amqp::engine::side::server, options_at(at), handler_} {
    handler_.bind(engine_);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty() && !over_) {
      const auto room = engine_.read_buffer();
      const auto n = std::min(room.size(), bytes.size());
      if (n == 0)
        return; // it takes no more
      std::copy_n(bytes.data(), n, room.data());
      engine_.read_done(n);
      bytes.remove_prefix(n);
      run();
    }
  }
  void tick(std::chrono::milliseconds span) {
    now_ += span;
    at_.pass(span);
    if (over_)
      return;
    engine_.tick(now_);
    run();
  }
  void disconnect() {
    if (std::exchange(over_, true))
      return;
    engine_.read_closed();
    engine_.write_closed();
    engine_.dispatch();
    ROOKERY_ASSERT(engine_.finished());
    at_.pump();
  }

private:
  static amqp::engine_options options_at(const broker_harness& at) {
    amqp::engine_options result{.container_id = "broker"};
    result.message_bytes_max = at.shared.options.message_bytes_max;
    result.sessions_max = 8;
    return result;
  }
  void flush() override {} // `run` does
  /// As a socket does it: who broke the protocol is cut off.
  void run() {
    for (bool more = true; more && !over_;) {
      more = false;
      const auto alive = engine_.dispatch();
      at_.pump();
      if (!alive || engine_.broken())
        return disconnect();
      if (const auto n = engine_.write_buffer().size(); n > 0 && reads_) {
        engine_.write_done(n);
        more = true;
      }
    }
  }

  broker_harness& at_;
  bool reads_;
  bool over_ = false;
  amqp::engine::clock::time_point now_{1h};
  broker::connection handler_;
  amqp::engine engine_;
};

/// A client that does nothing wrong, on a queue that is only its own.
class neighbour {
public:
  explicit neighbour(broker_harness& at) : at_{at}, client_{at.connect()} {
    broker::queue_options own;
    own.type = broker::queue_type::classic;
    own.durable = false;
    own.exclusive = true;
    ROOKERY_ASSERT(at.shared.host.declare_queue("own", own, 1));
    to_ = &client_.sender("/queues/own");
    from_ = &client_.receiver("/queues/own", 10);
    at.pump();
    ROOKERY_ASSERT(to_->open && from_->open);
  }

  /// Sends itself a message. Others may publish to its queue, too.
  void check() {
    const auto text = "mine " + std::to_string(to_->outcomes.size());
    to_->send_text(text);
    at_.pump();
    ROOKERY_ASSERT(!to_->outcomes.empty());
    ROOKERY_ASSERT(to_->outcomes.back() == bridge::outcome::accepted());
    ROOKERY_ASSERT(to_->outcomes.size() == to_->sent);
    bool came = false;
    while (!from_->deliveries.empty()) {
      const auto x = amqp::decode_message(from_->deliveries.front().bytes);
      came = came || (x && x->body() == text);
      from_->settle_first(bridge::outcome::accepted());
      from_->self.add_credit(1);
      at_.pump();
    }
    ROOKERY_ASSERT(came);
  }

private:
  broker_harness& at_;
  test_client& client_;
  client_link* to_;
  client_link* from_;
};

/// What a client can find there.
void furnish(broker_harness& at) {
  broker::queue_options classic;
  classic.type = broker::queue_type::classic;
  classic.length_max = 2;
  classic.message_ttl = 200ms;
  classic.expires = 4s;
  classic.dead_letter_exchange = "x";
  classic.dead_letter_key = "k";
  at.declare("q");
  at.declare("c", classic);
  auto& host = at.shared.host;
  ROOKERY_ASSERT(
      host.declare_exchange("x", broker::exchange_type::topic, true));
  ROOKERY_ASSERT(host.bind("x", "q", "k.#", 0));
  at.put("q", {"one", "two"});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::array<std::size_t, 4> widths{8'192, 1, 7, 100};
  constexpr std::array<std::chrono::milliseconds, 4> spans{0ms, 1ms, 150ms, 5s};
  fuzz_input input{data, size};
  const auto choice = input.choice();
  const auto width = widths[choice & 3];
  const auto span = spans[choice >> 2 & 3];
  const auto reads = (choice & 16) == 0;
  const auto small = (choice & 32) == 0;

  broker_harness all{small ? small_limits() : broker::broker_options{}};
  furnish(all);
  neighbour good{all};
  good.check();
  {
    raw_client bad{all, reads};
    for (auto left = input.rest(); !left.empty();) {
      const auto n = std::min(width, left.size());
      bad.send(left.substr(0, n));
      left.remove_prefix(n);
      bad.tick(span);
    }
    good.check();
    bad.disconnect();
  }
  good.check();
  ROOKERY_ASSERT(all.shared.connections().size() == 1);
  all.shared.host.each_queue([](const broker::queue& each) {
    ROOKERY_ASSERT(each.counts().unsettled == 0);
  });
  return 0;
}
