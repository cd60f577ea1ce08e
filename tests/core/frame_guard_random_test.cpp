// Goal: no bytes whatever confuse the frame guard. Method: the traffic of two
// engines, cut at random (ROOKERY_SEED), none of which may be refused; and the
// same traffic changed at random, which must neither crash the guard nor be
// judged otherwise for how it was cut.
#include "bridge/amqp/engine.hpp"
#include "testing/seed.hpp"
#include "tests/core/frame_guard_feed.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::tests;
using testing::random_source;
using testing::seed;

namespace {

/// Accepts links and messages; gives credit, and sends when it has some.
struct talker : amqp::engine_handler {
  void on_link_open(amqp::link x, bool ours) override {
    if (!ours)
      x.open(x.remote_terms());
    if (!x.is_sender())
      x.add_credit(20);
  }
  void on_credit(amqp::link x) override {
    for (; x.credit() > 0 && sent < 20; ++sent)
      x.send(sent + 1, std::string(sent == 10 ? 5'000 : 140, 'x'), {},
             sent % 3 == 0);
  }
  void on_message(amqp::link, amqp::delivery d, std::string&) override {
    d.settle(++got % 5 == 0 ? bridge::outcome::rejected("x:y", "no")
                            : bridge::outcome::accepted());
  }
  std::uint64_t sent = 0;
  int got = 0;
};

/// Carries bytes from one engine to the other, and keeps them.
bool carry(amqp::engine& from, amqp::engine& to, std::string& kept) {
  const auto out = from.write_buffer();
  const auto room = to.read_buffer();
  const auto n = std::min(out.size(), room.size());
  if (n == 0)
    return false;
  kept.append(out.data(), n);
  std::copy_n(out.data(), n, room.data());
  to.read_done(n);
  from.write_done(n);
  return true;
}

struct traffic {
  std::string to_server;
  std::string to_client;
};

traffic record() {
  traffic kept;
  talker near;
  talker far;
  amqp::engine client{amqp::engine::side::client,
                      {.container_id = "c",
                       .frame_bytes_max = 1'024,
                       .properties = {{"product", "test"}}},
                      near};
  amqp::engine server{amqp::engine::side::server,
                      {.container_id = "s",
                       .frame_bytes_max = 1'024,
                       .offered_capabilities = {"ANONYMOUS-RELAY", "B"}},
                      far};
  const auto run = [&] {
    for (bool moved = true; moved;) {
      client.dispatch();
      server.dispatch();
      moved = carry(client, server, kept.to_server);
      moved = carry(server, client, kept.to_client) || moved;
    }
  };
  run();
  auto session = client.open_session();
  client.make_sender(session, "out").open({.source = "a", .target = "b"});
  client.make_receiver(session, "in")
      .open({.source = "a", .target = "b", .priority = 3});
  run();
  REQUIRE(near.got == 20);
  REQUIRE(far.got == 20);
  client.close({"amqp:connection:forced", "the end"});
  run();
  return kept;
}

struct stream {
  std::string bytes;
  amqp::frame_guard_options options;
  std::size_t answers;
};

std::vector<stream> streams() {
  const auto kept = record();
  return {{kept.to_server, {.server = true, .frame_bytes_max = 1'024}, 0},
          {kept.to_client, {.frame_bytes_max = 1'024}, 1}};
}

result feed_at_random(const stream& x, const std::string& bytes,
                      random_source& random) {
  amqp::frame_guard guard{x.options};
  for (std::size_t i = 0; i < x.answers; ++i)
    guard.session_begun();
  const std::array<std::size_t, 5> widths{1, 3, 20, 300, 5'000};
  const auto width = widths[random.below(widths.size())];
  result all;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto n = std::min(1 + random.below(width), bytes.size() - at);
    const auto part = feed(guard, std::string_view{bytes}.substr(at, n), n);
    all.passed += part.passed;
    all.reason = part.reason;
    at += n;
  }
  return all;
}

} // namespace

TEST_CASE("frame guard: the traffic of our engines passes however it is cut",
          "[amqp][frame_guard]") {
  INFO("ROOKERY_SEED=" << seed());
  random_source random{seed()};
  for (const auto& each : streams())
    for (int round = 0; round < 100; ++round)
      REQUIRE(feed_at_random(each, each.bytes, random)
              == result{each.bytes.size(), ""});
}

TEST_CASE("frame guard: changed traffic meets the same end however it is cut",
          "[amqp][frame_guard]") {
  INFO("ROOKERY_SEED=" << seed());
  random_source random{seed()};
  int refused = 0;
  for (const auto& each : streams()) {
    for (int round = 0; round < 600; ++round) {
      auto bytes = each.bytes;
      for (auto changes = 1 + random.below(4); changes > 0; --changes) {
        const auto at = random.below(bytes.size());
        if (random.below(3) == 0)
          bytes.erase(at, 1 + random.below(20));
        else
          bytes[at] = static_cast<char>(random());
      }
      const auto once = feed_at_random(each, bytes, random);
      REQUIRE(feed_at_random(each, bytes, random).reason == once.reason);
      refused += once.reason.empty() ? 0 : 1;
    }
  }
  // Else this tested nothing.
  CHECK(refused > 200);
}
