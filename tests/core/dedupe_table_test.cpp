// Which ids are places in a stream, and how many streams are remembered.
#include "bridge/core/dedupe_table.hpp"

#include "bridge/core/stream_id.hpp"
#include "tests/support/catch.hpp"

using rookery::bridge::dedupe;
using rookery::bridge::dedupe_table;
using rookery::bridge::parse_stream_id;
using state = dedupe::state;

TEST_CASE("stream id: a node's id is a stream and a number",
          "[bridge][stream_id]") {
  auto id = parse_stream_id("2aeebe73e7ef544f.12-18446744073709551615");
  REQUIRE(id);
  CHECK(id->stream == "2aeebe73e7ef544f.12");
  CHECK(id->seq == 18446744073709551615U);
  CHECK(parse_stream_id("2aeebe73e7ef544f.0-1")->seq == 1);
}

TEST_CASE("stream id: any other id is none", "[bridge][stream_id]") {
  for (const auto* id : {"",
                         "1",
                         "-",
                         "order-17",
                         "other.1-1",
                         "2aeebe73e7ef544f",
                         "2aeebe73e7ef544f.",
                         "2aeebe73e7ef544f.-1",
                         "2aeebe73e7ef544f.0",
                         "2aeebe73e7ef544f.0-",
                         "2aeebe73e7ef544f.0-0",
                         "2aeebe73e7ef544f.0-01",
                         "2aeebe73e7ef544f.00-1",
                         "2aeebe73e7ef544f.01-1",
                         "2aeebe73e7ef544f.0--1",
                         "2aeebe73e7ef544f.0-1 ",
                         "2aeebe73e7ef544f.0-18446744073709551616",
                         "2aeebe73e7ef544f.r-1",
                         "2AEEBE73E7EF544F.0-1",
                         "2aeebe73e7ef544f-0-1",
                         "2aeebe73e7ef544.0-1",
                         "2aeebe73e7ef544ff.0-1",
                         "550e8400-e29b-41d4-a716-446655440000"}) {
    INFO(id);
    CHECK_FALSE(parse_stream_id(id));
  }
}

TEST_CASE("dedupe table: each stream has a memory of its own",
          "[bridge][dedupe_table]") {
  dedupe_table uut{10, 64};
  CHECK(uut.at("a")->begin(1) == state::unseen);
  CHECK(uut.at("b")->begin(1) == state::unseen);
  CHECK(uut.at("a")->begin(1) == state::running);
  CHECK(uut.at("a") == uut.at("a"));
  CHECK(uut.size() == 2);
}

TEST_CASE("dedupe table: forgets the stream used least recently",
          "[bridge][dedupe_table]") {
  dedupe_table uut{2, 64};
  auto a = uut.at("a");
  CHECK(a->begin(1) == state::unseen);
  CHECK(uut.at("b")->begin(1) == state::unseen);
  CHECK(uut.at("a") == a); // used again
  CHECK(uut.at("c")->begin(1) == state::unseen);
  CHECK(uut.size() == 2);
  CHECK(uut.at("a")->find(1) == state::running);
  CHECK(uut.at("b")->find(1) == state::unseen); // b had gone; now c has
  CHECK(uut.size() == 2);
  a->finish(1); // no harm, whether it is still in the table or not
}

TEST_CASE("dedupe table: one without room remembers nothing",
          "[bridge][dedupe_table]") {
  dedupe_table uut{0, 64};
  CHECK_FALSE(uut.at("a"));
  CHECK(uut.size() == 0);
}
