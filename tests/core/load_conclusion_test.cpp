// Goal: a load tells what the service refused from what it failed at.
#include "actors/errc.hpp"
#include "bridge/errc.hpp"
#include "nodes/drive/conclusion.hpp"
#include "tests/support/catch.hpp"

#include <caf/sec.hpp>

using namespace rookery::nodes;
using rookery::actors::errc;

TEST_CASE("load conclusion: what is refused for good changed nothing",
          "[nodes][load]") {
  for (bool refused : {true, false}) {
    auto x = conclude(caf::make_error(errc::not_author), refused);
    CHECK(x.how == ending::refused);
    CHECK_FALSE(x.given_up);
  }
}

TEST_CASE("load conclusion: who is put off all the time is failed",
          "[nodes][load]") {
  auto x = conclude(caf::make_error(errc::overloaded), true);
  CHECK(x.how == ending::refused); // nothing was changed
  CHECK(x.given_up);
  auto full = rookery::bridge::errc::queue_full;
  CHECK(conclude(caf::make_error(full), true).given_up);
}

TEST_CASE("load conclusion: without an answer it is open what was changed",
          "[nodes][load]") {
  auto x = conclude(caf::make_error(caf::sec::request_timeout), false);
  CHECK(x.how == ending::unknown);
  CHECK(x.given_up);
  CHECK(conclude(caf::make_error(errc::overloaded), false).how
        == ending::unknown);
}

TEST_CASE("load conclusion: a key that another attempt used leaves it open",
          "[nodes][load]") {
  auto x = conclude(caf::make_error(errc::key_conflict), false);
  CHECK(x.how == ending::unknown);
  CHECK(x.given_up);
}
