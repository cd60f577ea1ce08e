// Goal: whatever a broker sends, the node's client lives, and is as good as new
// with a broker that keeps to the rules. Method: the input is what the broker
// sends, in slices, to the real engine behind the frame guard; then the
// connection is cut, and another broker gives each message that had no outcome
// one. Each must have exactly one in the end.
#include "bridge/assert.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzzed_client.hpp"
#include "tests/support/memory_wire.hpp"
#include "tests/support/scripted_broker.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;

namespace {

/// The connection that the input speaks on, driven as a socket does.
class raw_broker {
public:
  explicit raw_broker(fuzzed_client& to)
      : to_{to},
        engine_{amqp::engine::side::client, {.container_id = "node"}, to.self} {
    to_.self.connect(engine_);
    run();
  }

  void send(std::string_view bytes, std::chrono::milliseconds span) {
    while (!bytes.empty() && !over_) {
      const auto room = engine_.read_buffer();
      const auto n = std::min(room.size(), bytes.size());
      if (n == 0)
        break; // it takes no more
      std::copy_n(bytes.data(), n, room.data());
      engine_.read_done(n);
      bytes.remove_prefix(n);
      run();
    }
    to_.pass(span);
    run();
  }
  void disconnect() {
    if (std::exchange(over_, true))
      return;
    engine_.read_closed();
    engine_.write_closed();
    engine_.dispatch();
    ROOKERY_ASSERT(engine_.finished());
  }

private:
  void run() {
    for (bool more = true; more && !over_;) {
      engine_.tick(to_.now);
      const auto alive = engine_.dispatch();
      if (!alive || engine_.broken())
        return disconnect();
      const auto n = engine_.write_buffer().size();
      more = n > 0;
      if (more)
        engine_.write_done(n);
    }
  }

  fuzzed_client& to_;
  bool over_ = false;
  amqp::engine engine_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::array<std::size_t, 4> widths{8'192, 1, 7, 100};
  constexpr std::array<std::chrono::milliseconds, 4> spans{0ms, 1ms, 150ms, 2s};
  fuzz_input input{data, size};
  const auto choice = input.choice();
  const auto width = widths[choice & 3];
  const auto span = spans[choice >> 2 & 3];

  fuzzed_client node;
  {
    raw_broker bad{node};
    for (auto left = input.rest(); !left.empty();) {
      const auto n = std::min(width, left.size());
      bad.send(left.substr(0, n), span);
      left.remove_prefix(n);
    }
    bad.disconnect();
  }
  ROOKERY_ASSERT(node.downs == 1);
  ROOKERY_ASSERT(!node.self.connected());
  ROOKERY_ASSERT(node.ends <= fuzzed_client::sends);

  scripted_broker script;
  memory_wire wire{
      {.container_id = "node"}, node.self, {.container_id = "good"}, script};
  node.self.connect(wire.client());
  const auto ups = node.ups;
  // What was put off on the bad one's account is tried again soon.
  for (int i = 0; i < 40 && node.ends < fuzzed_client::sends; ++i) {
    wire.advance(300ms);
    node.pass(300ms);
  }
  wire.pump();
  ROOKERY_ASSERT(node.ups > ups);
  ROOKERY_ASSERT(node.ends == fuzzed_client::sends);
  ROOKERY_ASSERT(node.self.unfinished_sends() == 0);
  wire.cut();
  return 0;
}
