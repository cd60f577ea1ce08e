#include "tests/conformance/event_loop.hpp"

#include <asio/steady_timer.hpp>

#include <memory>

namespace rookery::conformance {

void event_loop::pass(std::chrono::milliseconds span) {
  // Shared: a wait that throws leaves before the timer does.
  const auto over = std::make_shared<bool>(false);
  asio::steady_timer timer{io, span};
  timer.async_wait([over](asio::error_code) { *over = true; });
  wait("time to pass", [&] { return *over; });
}

} // namespace rookery::conformance
