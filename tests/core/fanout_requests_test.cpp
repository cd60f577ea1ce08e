// Goal: while a writer is away its lane holds what is of use, however often
// timelines are dropped and begun again.
#include "actors/fanout/home_builder.hpp"
#include "tests/support/catch.hpp"

#include <optional>

using namespace rookery::actors;

TEST_CASE("requests: pulls that became pointless do not pile up",
          "[actors][fanout]") {
  constexpr user_id reader = 1;
  social_graph graph;
  graph.follow(reader, 2);
  homes timelines{{}};
  writer_requests uut{1, {}};
  home_builder builder{1, {}, graph, timelines, uut};
  const auto slot = graph.intern(reader);
  for (int i = 0; i < 10'000; ++i) {
    timelines.drop(slot);
    REQUIRE(builder.build(slot));
  }
  CHECK(uut.waiting(0) <= 1'024);
  int made = 0;
  uut.send(
      {},
      [&](std::uint32_t, question& x) -> std::optional<writer_request> {
        if (auto request = builder.request(std::get<pull_question>(x), 0))
          return *request;
        return std::nullopt;
      },
      [&](auto...) { ++made; });
  CHECK(made == 1); // the last one
}
