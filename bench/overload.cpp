// What bench/overload runs: nodes that send more than is taken.
//   overload source HOST PORT QUEUE RATE [SPILL]  sends RATE messages a second;
//                                  SPILL is the file for what finds no room
//   overload sink   HOST PORT QUEUE RATE          handles RATE a second; 0 =
//                                  as many as come
// Each prints its counters once a second, as one JSON object, until SIGTERM.
#include "bridge/bridge.hpp"
#include "bridge/send_lost.hpp"
#include "bridge/system_config.hpp"

#include "tell.pb.h"

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <string>

using namespace rookery;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t text_bytes = 128;
constexpr auto pulse = 10ms;
constexpr auto stop_time = 30s;

using pulse_atom = caf::atom_constant<caf::atom("pulse")>;

struct counts {
  std::atomic<std::uint64_t> sent = 0, told_refused = 0, told_other = 0,
                             handled = 0;
};

using clock_type = std::chrono::steady_clock;

// What is due of `rate` a second since `begin`.
std::uint64_t due(std::uint64_t rate, clock_type::time_point begin) {
  const auto ms = (clock_type::now() - begin) / 1ms;
  return static_cast<std::uint64_t>(ms) * rate / 1'000;
}

/// Sends `rate` a second, in pulses, and hears what became of each.
caf::behavior source(caf::event_based_actor* self, caf::actor to,
                     std::uint64_t rate, counts* count) {
  self->send(self, pulse_atom::value);
  const auto begin = clock_type::now();
  return {[=](pulse_atom) {
            self->delayed_send(self, pulse, pulse_atom::value);
            tell::Tweet message;
            message.set_text(std::string(text_bytes, 'x'));
            for (const auto now = due(rate, begin); count->sent < now;) {
              message.set_id(++count->sent);
              self->send(to, message);
            }
          },
          [=](const bridge::send_lost& x) {
            // Refused: nobody has it. Else somebody may.
            ++(x.why == bridge::errc::queue_full ? count->told_refused
                                                 : count->told_other);
          }};
}

/// Handles `rate` a second; what came stays unsettled until its turn.
struct sink_state {
  std::deque<caf::response_promise> open;
  std::uint64_t done = 0;
};
caf::behavior sink(caf::stateful_actor<sink_state>* self, std::uint64_t rate,
                   counts* count) {
  if (rate > 0)
    self->send(self, pulse_atom::value);
  const auto begin = clock_type::now();
  return {[=](const tell::Tweet&) -> caf::result<void> {
            if (rate == 0) {
              ++count->handled;
              return caf::unit;
            }
            self->state.open.push_back(self->make_response_promise());
            return self->state.open.back();
          },
          [=](pulse_atom) {
            self->delayed_send(self, pulse, pulse_atom::value);
            auto& [open, done] = self->state;
            for (const auto now = due(rate, begin); done < now; ++done) {
              if (open.empty()) {
                done = now; // what was not there to do is not made up for
                break;
              }
              ++count->handled;
              open.front().deliver(caf::unit);
              open.pop_front();
            }
          }};
}

struct arguments {
  std::string mode;
  bridge::bridge_options options;
  bridge::address queue;
  std::uint64_t rate;
  bool spills;
};

arguments parse(int argc, char** argv) {
  arguments result{argv[1],
                   {},
                   bridge::address::queue(argv[4]),
                   std::strtoull(argv[5], nullptr, 10),
                   argc > 6};
  result.options.node_name = result.mode + "-" + argv[4];
  result.options.brokers = {
      {argv[2], static_cast<std::uint16_t>(std::atoi(argv[3]))}};
  if (result.spills) {
    auto file = bridge::open_spill({.file = argv[6]});
    if (!file) {
      std::cerr << file.error() << '\n';
      std::exit(1);
    }
    result.options.spill = *file;
  }
  return result;
}

bridge::type_registry types() {
  bridge::type_registry result;
  result.add<tell::Tweet>();
  return result;
}

void print(const counts& x, const bridge::bridge_counters& y) {
  std::cout << "{\"sent\": " << x.sent << ", \"accepted\": " << y.accepted
            << ", \"refused\": " << y.queue_full
            << ", \"told_refused\": " << x.told_refused
            << ", \"told_other\": " << x.told_other
            << ", \"spilled\": " << y.spilled << ", \"handled\": " << x.handled
            << ", \"duplicates\": " << y.duplicates << "}" << std::endl;
}

// Once a second, until somebody wants this to end.
void report(const counts& x, const bridge::bridge& node, const sigset_t& end) {
  const timespec second{1, 0};
  while (sigtimedwait(&end, nullptr, &second) < 0)
    print(x, node.counters());
}

int run(const arguments& what, const sigset_t& end) {
  bridge::system_config config;
  caf::actor_system system{config};
  bridge::bridge node{system, types(), what.options};
  const bridge::queue_declaration queue{.name = what.queue.name()};
  node.declare(queue);
  if (auto error = node.wait_until_up(10s)) {
    std::cerr << system.render(error) << '\n';
    return 1;
  }
  counts count;
  bridge::send_options how;
  how.tell_losses = !what.spills; // else each in the file is in memory, too
  how.when_full =
      what.spills ? bridge::overflow::spill : bridge::overflow::fail;
  caf::actor worker;
  if (what.mode == "source")
    worker =
        system.spawn(source, node.proxy(what.queue, how), what.rate, &count);
  else
    node.serve(what.queue, worker = system.spawn(sink, what.rate, &count),
               {.queue = queue});
  report(count, node, end);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  node.stop(stop_time);
  print(count, node.counters());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::cerr << "usage: overload source|sink HOST PORT QUEUE RATE [SPILL]\n";
    return 2;
  }
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, nullptr); // before any thread
  return run(parse(argc, argv), end);
}
