// The library as a program uses it. HOST PORT are the broker's; a USER comes
// with its password in ROOKERY_PASSWORD.
//   tell declare HOST PORT QUORUM [USER]       makes the queues: "bench.tell",
//                                  "bench.ask", "bench.reply"; where QUORUM is
//                                  0, classic ones, "bench.classic.tell", ...
//   tell sink    HOST PORT COUNT [USER]        serves "bench.tell"
//   tell source  HOST PORT COUNT [USER]        sends there, as fast as it may
//   tell packs   HOST PORT COUNT [USER]        the same, many in one transfer
//   tell echo    HOST PORT COUNT [USER]        serves "bench.ask"
//   tell ask     HOST PORT COUNT [USER]        asks there, one at a time
#include "bench/result.hpp"
#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"

#include "tell.pb.h"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <cstdlib>
#include <string>
#include <thread>

using namespace rookery;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t text_bytes = 128;
constexpr std::uint64_t warm_up = 2'000; // requests that are not timed

struct arguments {
  std::string mode;
  bridge::bridge_options options;
  std::uint64_t count;
};

arguments parse(int argc, char** argv) {
  arguments result{argv[1], {}, std::strtoull(argv[4], nullptr, 10)};
  result.options.node_name = "bench-" + result.mode;
  result.options.brokers = {
      {argv[2], static_cast<std::uint16_t>(std::atoi(argv[3]))}};
  if (argc > 5) {
    result.options.user = argv[5];
    const auto* password = std::getenv("ROOKERY_PASSWORD");
    result.options.password = password != nullptr ? password : "";
  }
  return result;
}

tell::Tweet tweet(std::uint64_t id) {
  tell::Tweet result;
  result.set_id(id);
  result.set_text(std::string(text_bytes, 'x'));
  return result;
}

// The queues of the other modes are as `declare` made them.
bridge::serve_options as_declared() {
  bridge::serve_options result;
  result.window = 1'000;
  result.queue.reset();
  return result;
}

class program {
public:
  explicit program(const arguments& x)
      : count_{x.count},
        node_{system_, types(), x.options} {}

  int declare() {
    const auto quorum = count_ != 0;
    const std::string prefix = quorum ? "bench." : "bench.classic.";
    for (const auto* name : {"tell", "ask", "reply"})
      node_.declare(bridge::queue_declaration{.name = prefix + name,
                                              .replicated = quorum});
    return up();
  }

  int sink() {
    auto target = [](caf::event_based_actor* self,
                     std::uint64_t count) -> caf::behavior {
      return {[self, count, seen = std::uint64_t{0},
               begin = bench::clock::time_point{}](const tell::Tweet&) mutable {
        if (++seen == 1)
          begin = bench::clock::now();
        if (seen == count) {
          bench::print_rate(count, begin);
          self->quit();
        }
      }};
    };
    return serve("bench.tell", system_.spawn(target, count_));
  }

  int source(bridge::send_options how) {
    if (up() != 0)
      return 1;
    auto to = node_.proxy(bridge::address::queue("bench.tell"), how);
    std::uint64_t refused = 0;
    for (std::uint64_t id = 0; id < count_; ++id) {
      caf::anon_send(to, tweet(id));
      // A full send queue refuses, and the sender hears of it at once.
      for (auto now = node_.counters().queue_full; now != refused;
           now = node_.counters().queue_full) {
        refused = now;
        std::this_thread::sleep_for(500us);
        caf::anon_send(to, tweet(id));
      }
    }
    return node_.stop(60s) == 0 ? 0 : 1;
  }

  int echo() {
    auto target = [](caf::event_based_actor* self,
                     std::uint64_t count) -> caf::behavior {
      return {[self, left = count + warm_up](const tell::Tweet& x) mutable {
        if (--left == 0)
          self->quit();
        return x;
      }};
    };
    return serve("bench.ask", system_.spawn(target, count_));
  }

  int ask() {
    if (up() != 0)
      return 1;
    auto to = node_.proxy(bridge::address::queue("bench.ask"));
    caf::scoped_actor self{system_};
    nodes::histogram latencies;
    bench::clock::time_point begin;
    bool failed = false;
    for (std::uint64_t id = 0; id < count_ + warm_up && !failed; ++id) {
      if (id == warm_up)
        begin = bench::clock::now();
      auto asked = bench::clock::now();
      self->request(to, 10s, tweet(id))
          .receive([](const tell::Tweet&) {},
                   [&](const caf::error& error) {
                     std::cerr << system_.render(error) << '\n';
                     failed = true;
                   });
      if (id >= warm_up)
        latencies.record(static_cast<std::uint64_t>(
            std::chrono::nanoseconds{bench::clock::now() - asked}.count()));
    }
    if (!failed)
      bench::print_latencies(latencies, begin);
    return failed ? 1 : 0;
  }

private:
  static bridge::type_registry types() {
    bridge::type_registry result;
    result.add<tell::Tweet>();
    return result;
  }

  int up() {
    auto error = node_.wait_until_up(10s);
    if (error)
      std::cerr << system_.render(error) << '\n';
    return error ? 1 : 0;
  }

  int serve(const std::string& queue, const caf::actor& target) {
    node_.serve(bridge::address::queue(queue), target, as_declared());
    if (up() != 0)
      return 1;
    std::cerr << "ready" << std::endl;
    system_.await_all_actors_done();
    return node_.stop(10s) == 0 ? 0 : 1;
  }

  std::uint64_t count_;
  bridge::system_config config_;
  caf::actor_system system_{config_};
  bridge::bridge node_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: tell MODE HOST PORT COUNT [USER]\n";
    return 2;
  }
  auto what = parse(argc, argv);
  program self{what};
  if (what.mode == "declare")
    return self.declare();
  if (what.mode == "sink")
    return self.sink();
  if (what.mode == "source")
    return self.source({});
  if (what.mode == "packs")
    return self.source({.pack = true});
  if (what.mode == "echo")
    return self.echo();
  return self.ask();
}
