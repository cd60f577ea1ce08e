#include "nodes/client/service_client.hpp"

#include "bridge/errc.hpp"
#include "nodes/wiring/service_types.hpp"

#include <caf/sec.hpp>

#include <iostream>
#include <thread>
#include <unistd.h>
#include <utility>

namespace rookery::nodes {

namespace {

bridge::system_config& configured(bridge::system_config& x) {
  x.set("scheduler.max-threads", 2);
  return x;
}

bridge::bridge_options bridge_options_of(const client_options& x) {
  bridge::bridge_options result;
  result.node_name = "client-" + std::to_string(getpid());
  result.brokers = x.brokers;
  result.user = x.user;
  result.password = x.password;
  result.open_timeout = std::min(x.timeout, result.open_timeout);
  return result;
}

std::string broker_names(const client_options& x) {
  std::string result;
  for (const auto& each : x.brokers)
    result.append(result.empty() ? "" : ", ").append(to_string(each));
  return result;
}

std::string complaint(const client_options& x, const caf::error& why) {
  return "broker " + broker_names(x) + ": " + error_text(why);
}

constexpr std::chrono::milliseconds stop_timeout{2'000};

// So long nobody wonders what it waits for.
constexpr std::chrono::milliseconds silence_max{1'000};

} // namespace

service_client::service_client(client_options options)
    : options_(std::move(options)),
      system_(configured(config_)),
      bridge_(system_, service_types(), bridge_options_of(options_)) {}

service_client::~service_client() {
  bridge_.stop(std::min(options_.timeout, stop_timeout));
}

std::optional<std::string> service_client::connect() {
  const auto soon = std::min(options_.timeout, silence_max);
  auto why = bridge_.wait_until_up(soon);
  if (why && soon < options_.timeout) {
    std::cerr << complaint(options_, why) << "; trying on\n";
    why = bridge_.wait_until_up(options_.timeout - soon);
  }
  return why ? std::optional{complaint(options_, why)} : std::nullopt;
}

bool service_client::waits_for_queue(const caf::error& why,
                                     clock::time_point began) {
  constexpr std::chrono::milliseconds pause{100};
  const auto waited = clock::now() - began;
  if (!nodes::waits_for_queue(why) || waited + pause >= options_.timeout)
    return false;
  if (waited >= silence_max && !std::exchange(told_, true))
    std::cerr << error_text(why) << " Trying on.\n";
  std::this_thread::sleep_for(pause);
  return true;
}

} // namespace rookery::nodes
