// Sends Pings to the address "pong", one after the other, and prints each
// answer. Usage: ping HOST:PORT COUNT.
#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"

#include "ping_pong/ping_pong.pb.h"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>

using namespace rookery;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  auto broker = argc == 3 ? bridge::parse_endpoint(argv[1]) : std::nullopt;
  const auto last = argc == 3 ? std::atoi(argv[2]) : 0;
  if (!broker || last < 1) {
    std::cerr << "usage: ping HOST:PORT COUNT\n";
    return 2;
  }
  bridge::system_config config;
  caf::actor_system system{config};

  bridge::type_registry types;
  types.add<ping_pong::Ping>().add<ping_pong::Pong>();

  bridge::bridge_options options;
  options.node_name = "ping";
  options.brokers = {*broker};
  bridge::bridge node{system, types, options};

  auto pong = node.proxy(bridge::address::queue("pong"));
  caf::scoped_actor self{system};
  int status = 0;
  for (auto count = last; count >= 0 && status == 0; --count) {
    ping_pong::Ping ping;
    ping.set_count(static_cast<std::uint32_t>(count));
    self->request(pong, 10s, ping)
        .receive(
            [](const ping_pong::Pong& answer) {
              std::cout << "pong " << answer.count() << std::endl;
            },
            [&](const caf::error& error) {
              std::cerr << system.render(error) << '\n';
              status = 1;
            });
  }
  node.stop(5s);
  return status;
}
