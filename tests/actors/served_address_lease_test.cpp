// What becomes of deliveries when the connection they came over is over, or
// nothing was heard on it for too long: somebody else may have them. Method:
// as in served_address_test.cpp, with the lease in the test's hands.
#include "tests/support/catch.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::outcome;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

namespace {

using clock = bridge::served_address::clock;

struct rig : tests::serving_rig {
  explicit rig(const bridge::serve_options& options = {}) {
    uut = &serve(nullptr, options, [this] {
      ++made;
      current = world.spawn([this](caf::event_based_actor* self) {
        return caf::behavior{[this, self](const PostTweetRequest&) {
          ++handled;
          promises.push_back(self->make_response_promise());
          return promises.back();
        }};
      });
      return current;
    });
  }

  void deliver(std::uint64_t delivery, std::uint64_t seq,
               const std::string& reply_to = "/queues/me") {
    bridge::envelope head;
    head.message_id = "0123456789abcdef.0-" + std::to_string(seq);
    head.reply_to = reply_to;
    uut->deliver(delivery, bridge::encode(head, PostTweetRequest{}),
                 clock::now());
    world.run();
  }
  void answer(std::size_t index) {
    promises.at(index).deliver(PostTweetReply{});
    world.run();
  }
  void end_target() {
    caf::anon_send_exit(current, caf::exit_reason::user_shutdown);
    world.run();
  }
  /// As the bridge does when a connection ends, and when the next is open.
  void disconnect() {
    home->lease.lost();
    uut->connection_over();
  }
  void connect() { home->lease.extend(clock::now() + 4s); }
  void pause() { home->lease.extend(clock::now() - 1h); }

  std::vector<outcome> outcomes() {
    std::vector<outcome> result;
    for (const auto& x : settled())
      result.push_back(x.result);
    return result;
  }

  bridge::served_address* uut = nullptr;
  caf::actor current;
  int made = 0;
  int handled = 0;
  std::vector<caf::response_promise> promises;
};

using outcomes = std::vector<outcome>;
const auto accepted = outcome::accepted();
const auto failed = outcome::failure();

} // namespace

TEST_CASE("lease: a delivery is not handed over when nothing was heard",
          "[actors][served_address]") {
  rig r;
  r.pause();
  r.deliver(1, 7);
  r.uut->deliver(2, "garbage", clock::now());
  CHECK(r.handled == 0);
  CHECK(r.replies().empty());
  CHECK(r.outcomes() == outcomes{failed, failed});
  CHECK(r.home->counters.undecodable == 0);
}

TEST_CASE("lease: an answer is not given when nothing was heard",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.pause();
  r.answer(0);
  CHECK(r.replies().empty());
  CHECK(r.outcomes() == outcomes{failed});
}

TEST_CASE("lease: an answer is not given over another connection",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.disconnect();
  r.connect();
  r.answer(0);
  CHECK(r.replies().empty());
  CHECK(r.outcomes() == outcomes{failed});
  // Here again, and to be answered: it is handled again.
  r.deliver(2, 7);
  r.answer(1);
  CHECK(r.replies().size() == 1);
  CHECK(r.outcomes() == outcomes{accepted});
}

TEST_CASE("lease: an answer is given when the delivery came again",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.disconnect();
  r.connect();
  r.deliver(2, 7); // joins
  r.answer(0);
  CHECK(r.handled == 1);
  CHECK(r.replies().size() == 1);
  CHECK(r.outcomes() == outcomes{accepted, accepted});
}

TEST_CASE("lease: what needs no answer is done, whatever became of the lease",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7, {});
  r.disconnect();
  r.answer(0);
  r.connect();
  r.deliver(2, 7, {});
  CHECK(r.handled == 1);
  CHECK(r.outcomes() == outcomes{accepted, accepted});
}

TEST_CASE("lease: what is done is done, also when somebody waits to hear it",
          "[actors][served_address]") {
  rig r;
  r.connect();
  r.deliver(1, 1);
  r.disconnect();
  r.promises.at(0).deliver(caf::unit);
  r.world.run();
  const auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].type == "rookery.bridge.v1.Done");
  r.connect();
  r.deliver(2, 1);
  CHECK(r.handled == 1);
  CHECK(r.home->counters.duplicates == 1);
}

TEST_CASE("lease: what waits for a target does not outlive its connection",
          "[actors][served_address]") {
  rig r;
  r.end_target();
  r.deliver(1, 7);
  r.disconnect();
  r.connect();
  r.deliver(2, 8);
  CHECK(r.outcomes().empty());
  CHECK(r.uut->check(clock::now() + 1ms));
  r.world.run();
  CHECK(r.handled == 1);
  CHECK(r.outcomes() == outcomes{failed});
  r.answer(0);
  CHECK(r.outcomes() == outcomes{accepted});
}

TEST_CASE("lease: a target that outlived its connection is made again at once",
          "[actors][served_address]") {
  rig r;
  for (int i = 0; i < 20; ++i) { // a failure would have to wait for seconds
    r.disconnect();
    r.end_target();
    CHECK(r.uut->check(clock::now()));
  }
  CHECK(r.made == 21);
}

TEST_CASE("lease: a target that ended just before its connection as well",
          "[actors][served_address]") {
  rig r;
  for (int i = 0; i < 20; ++i) {
    r.end_target();
    r.disconnect();
    CHECK(r.uut->check(clock::now()));
  }
  CHECK(r.made == 21);
}

TEST_CASE("lease: that a settled one gets no answer is told, whatever it is",
          "[actors][served_address]") {
  rig r{{.settle = bridge::settle_when::in_mailbox}};
  r.deliver(1, 7);
  r.disconnect();
  r.connect();
  SECTION("because its answer is not given") { r.answer(0); }
  SECTION("because it ended") { r.end_target(); }
  const auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(bridge::decode_error_reply(replies[0].body) == bridge::errc::failed);
}
