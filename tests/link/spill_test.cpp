// Goal: what finds no room waits in a file, in its order, and is sent when
// there is room, if need be by the next process; what has ended is not sent
// again. Method: two nodes and the broker in virtual time, the file on the real
// disk.
#include "bridge/send_lost.hpp"
#include "testing/cluster.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>
#include <sqlite3.h>

#include <filesystem>
#include <numeric>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using bridge::overflow;
using bridge::send_lost;
using service::v1::PostTweetRequest;
using testing::cluster;
using testing::node;

namespace {

PostTweetRequest message(std::uint64_t author) {
  PostTweetRequest result;
  result.set_author(author);
  return result;
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> result(last - first + 1);
  std::iota(result.begin(), result.end(), first);
  return result;
}

constexpr bridge::send_options spilling{.when_full = overflow::spill};

/// A node with a spill that sends to the queue "q", and one that notes what
/// comes there.
struct pair {
  explicit pair(bridge::spill_options options = {}, std::uint64_t seed = 1,
                std::size_t queue_max = 8'192)
      : c{seed} {
    options.file = directory.path() / "sender.spill";
    c.messages<PostTweetRequest>();
    receiver = &c.add_node("receiver", [this](node& self) {
      self.serve(
          "q", [&self, this] { return self.system().spawn(noter, this); }, {});
    });
    sender = &c.add_node("sender", [this](node& self) {
      told.emplace(self.actors().spawn_recorder<send_lost>());
    });
    sender->crash();
    sender->on_open = [options, queue_max](bridge::bridge_options& x) {
      x.send_queue.messages_max = queue_max;
      x.in_flight_max = queue_max;
      auto file = bridge::open_spill(options);
      REQUIRE(file);
      x.spill = *file;
    };
    sender->start();
    REQUIRE(
        c.run_until([&] { return sender->ready() && receiver->ready(); }, 1s));
  }

  static caf::behavior noter(caf::event_based_actor*, pair* into) {
    return {
        [=](const PostTweetRequest& x) { into->seen.push_back(x.author()); }};
  }

  /// The broker does not answer the sender any more.
  void cut_off() {
    sender->set_reachable(false);
    sender->cut();
    REQUIRE(c.run_until([&] { return !sender->ready(); }, 1s));
  }

  void send(std::uint64_t first, std::uint64_t last,
            bridge::send_options how = spilling,
            const std::string& queue = "q") {
    auto to = sender->network().proxy(address::queue(queue), how);
    sender->execute([=, this] {
      for (auto i = first; i <= last; ++i)
        caf::send_as(told->handle(), to, message(i));
    });
    c.run(1s);
  }

  [[nodiscard]] std::uint64_t spilled() const {
    return sender->network().counters().spilled;
  }

  /// The sender is back, and everything has arrived.
  void reconnect() {
    sender->set_reachable(true);
    sender->start();
    CHECK(c.run_until([&] { return sender->ready(); }, 60s));
    CHECK(c.run_until([&] { return spilled() == 0; }, 60s));
    c.run(2s);
  }

  temp_directory directory;
  cluster c;
  node* sender = nullptr;
  node* receiver = nullptr;
  std::optional<testing::recorder<send_lost>> told; // of the present process
  std::vector<std::uint64_t> seen;
};

/// Nothing of it but its first page is what it was.
void wipe(const std::filesystem::path& file) {
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, std::min<std::uintmax_t>(size, 4'096));
  std::filesystem::resize_file(file, size);
}

} // namespace

TEST_CASE("spill: what finds no room in memory arrives, in its order",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}};
  p.cut_off();
  p.send(1, 1'000);
  CHECK(p.spilled() == 996);
  p.reconnect();
  CHECK(p.seen == numbers(1, 1'000));
  CHECK(p.sender->network().counters().queue_full == 0);
}

TEST_CASE("spill: while it has any, what comes later waits behind",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 64}};
  p.cut_off();
  p.send(1, 500);
  p.sender->set_reachable(true);
  for (std::uint64_t i = 501; p.spilled() > 0; ++i) {
    auto to = p.sender->network().proxy(address::queue("q"), spilling);
    p.sender->execute([&] { caf::anon_send(to, message(i)); });
    p.c.run(1ms);
  }
  p.c.run(5s);
  REQUIRE(p.seen.size() > 500);
  CHECK(p.seen == numbers(1, p.seen.size()));
}

TEST_CASE("spill: what is in the file is sent by the next process",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}};
  p.cut_off();
  p.send(1, 100);
  p.sender->crash();
  p.reconnect();
  CHECK(p.seen == numbers(5, 100)); // memory is lost with the process
}

TEST_CASE("spill: with nothing in memory a killed process loses nothing",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 0}};
  p.cut_off();
  p.send(1, 100);
  p.sender->crash();
  p.sender->start();
  p.c.run(10s);
  p.sender->crash(); // and again, before anything was sent
  p.reconnect();
  CHECK(p.seen == numbers(1, 100));
}

TEST_CASE("spill: what the last process left goes first", "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}};
  p.cut_off();
  p.send(1, 50);
  p.sender->crash();
  p.sender->start();
  p.send(51, 100);
  p.reconnect();
  CHECK(p.seen == numbers(5, 100));
}

TEST_CASE("spill: a node that stops leaves everything to the next process",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 8}};
  p.cut_off();
  p.send(1, 50);
  CHECK(p.spilled() == 42);
  p.sender->stop();
  p.c.run(5s);
  REQUIRE(!p.sender->up());
  p.reconnect();
  CHECK(p.seen == numbers(1, 50));
}

TEST_CASE("spill: a stop counts what it could not write any more",
          "[link][spill]") {
  sim::disk storage{1};
  auto process = storage.start(1);
  pair p{{.messages_in_memory_max = 0, .vfs = process.vfs()}};
  p.cut_off();
  process.faults().left = sim::disk_faults::space::no_write;
  const auto to = p.sender->network().proxy(address::queue("q"), spilling);
  p.sender->execute([&] { caf::anon_send(to, message(1)); });
  std::optional<std::size_t> given_up; // that was still on its way there
  p.sender->network().stop(1s, [&](std::size_t x) { given_up = x; });
  REQUIRE(p.c.run_until([&] { return given_up.has_value(); }, 1s));
  CHECK(*given_up == 1);
  p.sender->crash(); // before its disk goes
}

TEST_CASE("spill: what has arrived is not sent by the next process",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}};
  p.cut_off();
  p.send(1, 100);
  p.reconnect();
  const auto received = p.receiver->network().counters().received;
  p.sender->crash();
  p.sender->start();
  p.c.run(10s);
  CHECK(p.receiver->network().counters().received == received);
}

TEST_CASE("spill: what was under way when its process died is handled once",
          "[link][spill]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{21}));
  CAPTURE(seed);
  pair p{{.messages_in_memory_max = 0}, seed};
  p.cut_off();
  p.send(1, 300);
  p.sender->set_reachable(true);
  // Somewhere between the first outcome and the last.
  CHECK(p.c.run_until([&] { return p.seen.size() > seed * 10; }, 60s));
  p.sender->crash();
  p.reconnect();
  CHECK(p.seen == numbers(1, 300));
}

TEST_CASE("spill: the sender is told when the file is full", "[link][spill]") {
  pair p{{.bytes_max = 10'000, .messages_in_memory_max = 4}};
  p.cut_off();
  p.send(1, 200, {.tell_losses = true, .when_full = overflow::spill});
  const auto told = p.told->seen<send_lost>();
  REQUIRE(!told.empty());
  for (const auto& x : told) {
    CHECK(x.why == errc::queue_full);
    CHECK(caf::to_string(x.why).find("spill: ") != std::string::npos);
  }
  p.reconnect();
  CHECK(p.seen == numbers(1, 200 - told.size()));
}

TEST_CASE("spill: the time to live goes on in the file, and across processes",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 0}};
  p.cut_off();
  p.send(1, 10, {.ttl = 20s, .when_full = overflow::spill});
  p.send(11, 20, {.ttl = 300s, .when_full = overflow::spill});
  p.sender->crash();
  p.c.run(30s);
  p.reconnect();
  CHECK(p.seen == numbers(11, 20));
  CHECK(p.sender->network().counters().expired == 10);
}

TEST_CASE("spill: a wall clock that is set back makes no time to live longer "
          "than the wire has room for",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 0}};
  p.cut_off();
  p.send(1, 10, {.ttl = 20s, .when_full = overflow::spill});
  p.sender->crash();
  p.c.outside().jump_wall(-24h * 100);
  p.reconnect();
  CHECK(p.seen == numbers(1, 10));
}

TEST_CASE("spill: a message that was damaged in the file is lost alone",
          "[link][spill]") {
  const std::string damaged =
      GENERATE("x'00'", "x''", "substr(bytes, 1, length(bytes) - 1)");
  INFO(damaged);
  const bool pack = GENERATE(false, true);
  pair p{{.messages_in_memory_max = 0}};
  p.cut_off();
  if (pack)
    p.send(1, 10, {.when_full = overflow::spill, .pack = true});
  else
    p.send(1, 10, {.ttl = 300s, .when_full = overflow::spill});
  p.sender->crash();
  const auto file = p.directory.path() / "sender.spill";
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle,
                     ("UPDATE message SET bytes = " + damaged
                      + " WHERE place = (SELECT min(place) FROM message)")
                         .c_str(),
                     nullptr, nullptr, nullptr)
        == SQLITE_OK);
  sqlite3_close(handle);
  p.reconnect();
  CHECK(p.seen == numbers(2, 10));
}

TEST_CASE("spill: who sent what a damaged file has is told, and what finds "
          "room in memory goes on",
          "[link][spill]") {
  constexpr std::uint64_t last = 300;
  pair p{{.messages_in_memory_max = 4}};
  p.cut_off();
  const auto send = [&](std::uint64_t from, std::uint64_t to) {
    p.sender->execute([&] {
      auto queue = p.sender->network().proxy(
          address::queue("q"),
          {.tell_losses = true, .when_full = overflow::spill});
      for (auto i = from; i <= to; ++i) {
        auto x = message(i);
        x.set_text(std::string(20'000, 'x'));
        caf::send_as(p.told->handle(), queue, x);
      }
    });
    p.c.run(1s);
  };
  send(1, last - 1); // more than SQLite has in memory, or in its log
  send(last, last);
  CHECK(p.spilled() == last - 4);
  const auto file = p.directory.path() / "sender.spill";
  wipe(file);
  const auto before = bytes_of(file);
  p.reconnect();
  CHECK((bytes_of(file) == before)); // they are long
  const auto told = p.told->seen<send_lost>();
  for (const auto& x : told)
    CHECK(x.why == errc::queue_full);
  CHECK(told.size() > 0);
  CHECK(p.seen == numbers(1, last - told.size()));
  p.send(last + 1, last + 4);
  CHECK(p.seen.back() == last + 4);
}

TEST_CASE("spill: a request from the file gets its reply", "[link][spill]") {
  pair p{{.messages_in_memory_max = 0}};
  p.cut_off();
  auto to = p.sender->network().proxy(address::queue("q"), spilling);
  auto answered = false;
  p.sender->execute([&] {
    p.sender->system().spawn([&](caf::event_based_actor* self) {
      self->request(to, caf::infinite, message(1)).then([&] {
        answered = true;
      });
    });
  });
  p.c.run(1s);
  p.reconnect();
  CHECK(answered);
}

TEST_CASE("spill: who waits for room waits until the file is empty",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}, 1, 16};
  p.cut_off();
  p.send(1, 100);
  std::optional<std::uint64_t> waited;
  p.sender->execute([&] {
    p.sender->network().when_ready(
        address::queue("q"),
        p.sender->system().spawn([&](caf::event_based_actor*) {
          return caf::behavior{
              [&](const bridge::send_ready&) { waited = p.seen.size(); }};
        }));
  });
  p.c.run(5s);
  CHECK(!waited);
  p.reconnect();
  REQUIRE(waited);
  CHECK(*waited >= 50); // but for what was in the send queue or under way
}

TEST_CASE("spill: who waits for room that others take is not told in vain",
          "[link][spill]") {
  const std::size_t in_memory = GENERATE(0U, 4U);
  pair p{{.bytes_max = 10'000, .messages_in_memory_max = in_memory}};
  p.send(1, 300, spilling, "later"); // has no queue, and fills the file
  p.cut_off();
  p.send(1, in_memory);
  std::uint64_t ready = 0;
  std::uint64_t refused = 0;
  p.sender->execute([&] {
    const auto to = p.sender->network().proxy(
        address::queue("q"),
        {.tell_losses = true, .when_full = overflow::spill});
    p.sender->system().spawn([&, to](caf::event_based_actor* self) {
      self->send(to, message(1'000));
      return caf::behavior{[&, self](const send_lost&) {
                             ++refused;
                             p.sender->network().when_ready(address::queue("q"),
                                                            self);
                           },
                           [&, self, to](const bridge::send_ready&) {
                             ++ready;
                             self->send(to, message(1'000));
                           }};
    });
  });
  p.c.run(5s);
  CHECK(refused == 1);
  CHECK(ready == 0);
  p.receiver->serve(
      "later", [&] { return p.receiver->system().spawn(pair::noter, &p); }, {});
  p.sender->set_reachable(true);
  CHECK(p.c.run_until([&] { return ready == 1; }, 60s));
  p.c.run(2s);
  CHECK(p.spilled() == 0);
  CHECK(std::count(p.seen.begin(), p.seen.end(), 1'000) == 1);
  CHECK(refused == 1);
}

TEST_CASE("spill: what has no queue yet waits for it", "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}, 1, 16};
  p.send(1, 100, spilling, "later");
  p.c.run(10s);
  CHECK(p.seen.empty());
  CHECK(p.spilled() == 96);
  p.receiver->serve(
      "later", [&] { return p.receiver->system().spawn(pair::noter, &p); }, {});
  CHECK(p.c.run_until([&] { return p.spilled() == 0; }, 30s));
  p.c.run(2s);
  CHECK(p.seen == numbers(1, 100));
}

TEST_CASE("spill: a destination that takes nothing keeps no other waiting",
          "[link][spill]") {
  pair p{{.messages_in_memory_max = 4}, 1, 16};
  p.send(1, 100, spilling, "later");
  p.cut_off();
  p.send(1, 100);
  p.sender->set_reachable(true);
  CHECK(p.c.run_until([&] { return p.seen.size() == 100; }, 60s));
  CHECK(p.seen == numbers(1, 100));
  p.c.run(1s);
  CHECK(p.spilled() == 96); // the others
}

TEST_CASE("spill: what is longer than the file may be is refused",
          "[link][spill]") {
  pair p{{.bytes_max = 1, .messages_in_memory_max = 0}};
  p.send(1, 1, {.tell_losses = true, .when_full = overflow::spill});
  REQUIRE(p.told->seen<send_lost>().size() == 1);
  CHECK(p.told->seen<send_lost>()[0].why == errc::queue_full);
}

TEST_CASE("spill: what no queue takes behind an exchange waits for one",
          "[link][spill]") {
  pair p;
  p.sender->network().declare(bridge::exchange_declaration{"news"});
  auto to = p.sender->network().proxy(address::exchange("news", {}), spilling);
  p.sender->execute([&] {
    for (std::uint64_t i = 1; i <= 100; ++i)
      caf::send_as(p.told->handle(), to, message(i));
  });
  p.c.run(10s);
  CHECK(p.sender->network().counters().released == 0);
  p.receiver->network().declare(bridge::binding_declaration{"news", "q"});
  p.c.run(5s);
  CHECK(p.seen == numbers(1, 100));
  CHECK(p.sender->network().counters().accepted == 100);
  CHECK(p.spilled() == 0);
}

TEST_CASE("spill: an exchange that goes while it is sent to ends no connection",
          "[link][spill]") {
  pair p;
  auto& host = p.c.broker().inside()->host;
  p.receiver->network().declare(bridge::exchange_declaration{"news"});
  p.receiver->network().declare(bridge::binding_declaration{"news", "q"});
  p.c.run(1s);
  auto to = p.sender->network().proxy(address::exchange("news", {}), spilling);
  const auto send = [&](std::uint64_t x) {
    p.sender->execute([&] { caf::send_as(p.told->handle(), to, message(x)); });
    p.c.run(1s);
  };
  send(1);
  CHECK(p.seen == numbers(1, 1));
  REQUIRE(host.delete_exchange("news"));
  send(2);
  p.c.run(5s);
  CHECK(p.sender->network().counters().reconnects == 0);
  p.receiver->network().declare(bridge::exchange_declaration{"news"});
  p.receiver->network().declare(bridge::binding_declaration{"news", "q"});
  p.c.run(5s);
  CHECK(p.seen == numbers(1, 2));
  CHECK(p.sender->network().counters().reconnects == 0);
}
