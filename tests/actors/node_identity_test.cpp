// Handles of two actor systems in one process are told apart. Method: the same
// actors in both, so that their numbers are equal.
#include "bridge/caf/node_identity.hpp"

#include "testing/test_system.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using testing::test_system;

namespace {

caf::behavior idle() {
  return {[](int) {}};
}

} // namespace

TEST_CASE("node identity: handles of two systems differ",
          "[actors][node_identity]") {
  test_system a;
  test_system b;
  bridge::give_identity(a.system(), "same name, with /");
  bridge::give_identity(b.system(), "same name, with /");
  auto one = a.spawn(idle);
  auto other = b.spawn(idle);
  REQUIRE(one->id() == other->id());
  CHECK(one->node() == a.system().node());
  CHECK(one->node() != other->node());
  CHECK(one != other);
}
