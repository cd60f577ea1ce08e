// Serves the address "pong": answers every Ping with a Pong.
// Usage: pong HOST:PORT. Runs until it has answered the Ping with count 0.
#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"

#include "ping_pong/ping_pong.pb.h"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <iostream>

using namespace rookery;
using namespace std::chrono_literals;

caf::behavior pong(caf::event_based_actor* self) {
  return {
      [self](const ping_pong::Ping& ping) {
        if (ping.count() == 0)
          self->quit();
        ping_pong::Pong answer;
        answer.set_count(ping.count());
        return answer;
      },
  };
}

int main(int argc, char** argv) {
  auto broker = argc == 2 ? bridge::parse_endpoint(argv[1]) : std::nullopt;
  if (!broker) {
    std::cerr << "usage: pong HOST:PORT\n";
    return 2;
  }
  bridge::system_config config;
  caf::actor_system system{config};

  bridge::type_registry types;
  types.add<ping_pong::Ping>().add<ping_pong::Pong>();

  bridge::bridge_options options;
  options.node_name = "pong";
  options.brokers = {*broker};
  bridge::bridge node{system, types, options};

  node.serve(bridge::address::queue("pong"), system.spawn(pong));
  if (auto error = node.wait_until_up(10s)) {
    std::cerr << system.render(error) << '\n';
    return 1;
  }
  std::cout << "pong: ready" << std::endl;
  system.await_all_actors_done(); // pong quits at count 0
  node.stop(5s);
  return 0;
}
