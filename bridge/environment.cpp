#include "bridge/environment.hpp"

#include "bridge/amqp/io_loop.hpp"

#include <random>

namespace rookery::bridge {

environment machine() {
  return {std::chrono::steady_clock::now,
          [] {
            thread_local std::mt19937_64 engine = [] {
              std::random_device source;
              std::seed_seq seed{source(), source(), source(), source()};
              return std::mt19937_64{seed};
            }();
            return engine();
          },
          [](const amqp::loop_options& options, amqp::client& client,
             amqp::loop_owner& owner) -> std::unique_ptr<amqp::loop> {
            return std::make_unique<amqp::io_loop>(options, client, owner);
          }};
}

} // namespace rookery::bridge
