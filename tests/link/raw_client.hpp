#pragma once

#include "tests/link/broker_harness.hpp"
#include "tests/support/raw_end.hpp"
#include "tests/support/raw_frame.hpp"

#include <cstddef>
#include <string>

namespace rookery::tests {

inline constexpr std::size_t unread_bytes_max = 100'000;

/// Shows what it keeps of a session.
struct open_connection : broker::connection {
  using connection::connection;
  void on_session_open(amqp::session s) override {
    connection::on_session_open(s);
    session = static_cast<const broker::session_state*>(s.context());
  }
  const broker::session_state* session = nullptr; // the last that began
};

/// A client of the broker, as far as OPEN, and `more` in one breath.
struct raw_client : broker::output {
  explicit raw_client(broker_harness& at, const amqp::condition& refusal = {},
                      const std::string& more = {},
                      const std::string& open = raw_open(),
                      const std::string& header = amqp_header)
      : handler{at.shared, 1'000, *this, refusal},
        engine{amqp::engine::side::server,
               {.container_id = "broker",
                .message_bytes_max = at.shared.options.message_bytes_max,
                .unread_bytes_max = unread_bytes_max},
               handler},
        far{engine, {.others = [&at] { at.pump(); }}} {
    handler.bind(engine);
    far.say(header + open + more);
  }
  void flush() override {} // `far` sees to it

  open_connection handler;
  amqp::engine engine;
  raw_end far;
};

} // namespace rookery::tests
