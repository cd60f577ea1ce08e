// Goal: one consumer at a time owns a queue of the kind, and it moves as a
// quorum queue's does. Method: as in broker_publish_consume_test.

#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using namespace rookery::tests;

namespace {

struct owned_queue {
  owned_queue() {
    broker::queue_options options;
    options.single_active_consumer = true;
    options.delivery_limit = -1;
    t.declare("q", options);
  }

  broker_harness t;
  test_client& a = t.connect();
  test_client& b = t.connect();
};

} // namespace

TEST_CASE("broker: only the first consumer is active", "[broker][link]") {
  owned_queue x;
  auto& first = x.a.receiver("/queues/q", 10);
  x.t.pump();
  auto& second = x.b.receiver("/queues/q", 10);
  x.t.pump();
  x.t.put("q", {"1", "2", "3"});
  CHECK(first.bodies() == texts{"1", "2", "3"});
  CHECK(second.deliveries.empty());
}

TEST_CASE("broker: a killed owner is replaced, its messages first, in order",
          "[broker][link]") {
  owned_queue x;
  auto& first = x.a.receiver("/queues/q", 3);
  x.t.pump();
  auto& second = x.b.receiver("/queues/q", 10);
  x.t.pump();
  x.t.put("q", {"1", "2", "3", "4", "5"});
  first.settle_first(bridge::outcome::accepted());
  x.t.pump();
  REQUIRE(first.bodies() == texts{"2", "3"});
  x.t.cut(x.a);
  CHECK(second.bodies() == texts{"2", "3", "4", "5"});
  CHECK(second.deliveries[0].message().delivery_count == 1);
  CHECK(second.deliveries[2].message().delivery_count == 0);
  CHECK(x.t.sink.active == texts{"q client", "q client"}); // one, the other
}

TEST_CASE("broker: an owner that settles and leaves hands over no duplicate",
          "[broker][link]") {
  owned_queue x;
  auto& first = x.a.receiver("/queues/q", 2);
  x.t.pump();
  auto& second = x.b.receiver("/queues/q", 10);
  x.t.put("q", {"1", "2", "3"});
  first.settle_first(bridge::outcome::accepted());
  first.settle_first(bridge::outcome::accepted());
  first.self.close();
  x.t.pump();
  CHECK(second.bodies() == texts{"3"});
  CHECK_FALSE(second.deliveries[0].message().redelivered());
}

TEST_CASE("broker: a consumer of higher priority takes over",
          "[broker][link]") {
  owned_queue x;
  auto& low = x.a.receiver("/queues/q", 10, 1);
  x.t.pump();
  x.t.put("q", {"1", "2"});
  auto& high = x.b.receiver("/queues/q", 10, 10);
  x.t.pump();
  // The old owner gets nothing more, the new one waits for it to finish.
  x.t.put("q", {"3"});
  CHECK(low.bodies() == texts{"1", "2"});
  CHECK(high.deliveries.empty());
  low.settle_first(bridge::outcome::accepted());
  low.settle_first(bridge::outcome::accepted());
  x.t.pump();
  CHECK(high.bodies() == texts{"3"});
  // And back, when it goes.
  x.t.cut(x.b);
  CHECK(low.bodies() == texts{"3"});
}

TEST_CASE("broker: an owner that took its credit back is given nothing that "
          "would keep the next one waiting",
          "[broker][link]") {
  owned_queue x;
  auto& low = x.a.receiver("/queues/q", 10, 1);
  x.t.pump();
  low.take_back(10);
  x.t.pump();
  x.t.put("q", {"1"});
  auto& high = x.b.receiver("/queues/q", 10, 10);
  x.t.pump();
  CHECK(low.deliveries.empty());
  CHECK(high.bodies() == texts{"1"});
}

TEST_CASE("broker: without one active consumer the highest priority is served",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& low = client.receiver("/queues/q", 10, -1);
  auto& high = client.receiver("/queues/q", 2, 5);
  t.pump();
  t.put("q", {"1", "2", "3"});
  CHECK(high.bodies() == texts{"1", "2"});
  CHECK(low.bodies() == texts{"3"});
}
