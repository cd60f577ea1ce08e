// Goal: an idempotency key answers as before, for the same request only.
// Method: the ledger of one group, with and without keys from the store.
#include "actors/store/key_ledger.hpp"

#include "actors/errc.hpp"
#include "actors/store/fingerprint.hpp"
#include "tests/support/catch.hpp"

#include <cstdint>
#include <string>

using namespace rookery::store;
using rookery::actors::errc;
using answer = caf::expected<std::uint64_t>;

namespace {

/// Decides nothing but this number, and counts how often it is asked.
struct decider {
  answer operator()() {
    ++asked;
    return result;
  }
  answer result;
  int asked = 0;
};

} // namespace

TEST_CASE("key_ledger: a key repeats its answer within the group",
          "[store][keys]") {
  key_ledger ledger{{}};
  decider first{answer{10u}}, second{answer{20u}};
  CHECK(ledger.once("k", 1, std::ref(first)) == 10u);
  CHECK(ledger.once("k", 1, std::ref(second)) == 10u);
  CHECK(second.asked == 0);
  auto fresh = ledger.take_fresh();
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].key == "k");
  CHECK(fresh[0].fingerprint == 1);
  CHECK(fresh[0].answer == 10);
}

TEST_CASE("key_ledger: a key of the store repeats its answer",
          "[store][keys]") {
  key_ledger ledger{{{"k", 1, 10}}};
  decider never{answer{20u}};
  CHECK(ledger.once("k", 1, std::ref(never)) == 10u);
  CHECK(never.asked == 0);
  CHECK(ledger.take_fresh().empty());
}

TEST_CASE("key_ledger: a key with another request is a conflict",
          "[store][keys]") {
  key_ledger ledger{{{"stored", 1, 10}}};
  decider decide{answer{20u}};
  CHECK(ledger.once("stored", 2, std::ref(decide)) == errc::key_conflict);
  CHECK(ledger.once("fresh", 1, std::ref(decide)) == 20u);
  CHECK(ledger.once("fresh", 2, std::ref(decide)) == errc::key_conflict);
  CHECK(decide.asked == 1);
}

TEST_CASE("key_ledger: without a key every request counts", "[store][keys]") {
  key_ledger ledger{{}};
  decider decide{answer{20u}};
  CHECK(ledger.once("", 1, std::ref(decide)) == 20u);
  CHECK(ledger.once("", 1, std::ref(decide)) == 20u);
  CHECK(decide.asked == 2);
  CHECK(ledger.take_fresh().empty());
}

TEST_CASE("key_ledger: a failed request may be repeated under its key",
          "[store][keys]") {
  key_ledger ledger{{}};
  decider fails{answer{caf::make_error(errc::not_author)}},
      succeeds{answer{1u}};
  CHECK(ledger.once("k", 1, std::ref(fails)) == errc::not_author);
  CHECK(ledger.once("k", 1, std::ref(succeeds)) == 1u);
  CHECK(ledger.take_fresh().size() == 1);
}

TEST_CASE("fingerprint: is the same for ever", "[store][keys]") {
  // Stores hold these values.
  CHECK(fingerprint{}.value() == 0xcbf29ce484222325U);
  CHECK(fingerprint{}.add("post").add(1).add("hello").value()
        == 0xc9e8e6ff27942e2dU);
}

TEST_CASE("fingerprint: tells fields and their borders apart",
          "[store][keys]") {
  auto print = [](std::string_view a, std::string_view b) {
    return fingerprint{}.add(a).add(b).value();
  };
  CHECK(print("ab", "c") == print("ab", "c"));
  CHECK(print("ab", "c") != print("a", "bc"));
  CHECK(print("", "a") != print("a", ""));
  CHECK(fingerprint{}.add(1).add(2).value()
        != fingerprint{}.add(2).add(1).value());
}
