#pragma once

#include "nodes/parked/broker_client.hpp"

#include <string>

namespace rookery::nodes {

/// Runs the connection until `done()`.
/// @returns why that will not be, or was not in time
template <class F>
fault broker_client::wait(const std::string& what, F done) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  if (connection_)
    connection_->pump();
  while (!over_ && !done())
    if (io_.run_one_until(deadline) == 0) {
      late_ = true;
      return "no answer from the broker in time (" + what + ")";
    }
  if (done())
    return std::nullopt;
  return "the connection to the broker ended (" + over_->text() + ")";
}

} // namespace rookery::nodes
