// What the broker adds to a message that it gives out again.
// Method: sections byte by byte.
#include "broker/annotations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

using namespace rookery;
using rookery::tests::hex;

namespace {

const auto count_of_one =
    hex("b3 00 00 00 10 'x-delivery-count' 81 00 00 00 00 00 00 00 01");
const auto body = hex("00 53 75 a0 01 'b'");

std::string given_out_again(const std::string& sections) {
  return broker::annotate(sections, {}, 1);
}

} // namespace

TEST_CASE("annotations: are added to those that are there", "[broker]") {
  const auto mine = hex("a3 01 'k' a1 01 'v'");
  const auto annotated =
      given_out_again(hex("00 53 72 c1 07 02").append(mine).append(body));
  CHECK(annotated.find(mine) != std::string::npos);
  CHECK(annotated.find(count_of_one) != std::string::npos);
  CHECK(annotated.ends_with(body));
}

TEST_CASE("annotations: make a section where there is none", "[broker]") {
  const auto annotated = given_out_again(body);
  CHECK(annotated.find(count_of_one) != std::string::npos);
  CHECK(annotated.ends_with(body));
}

TEST_CASE("annotations: are found behind a section that nobody knows",
          "[broker]") {
  const auto unknown = hex("00 53 99 40");
  const auto mine = hex("a3 01 'k' a1 01 'v'");
  const auto annotated = given_out_again(
      unknown + hex("00 53 72 c1 07 02").append(mine).append(body));
  CHECK(annotated.ends_with(unknown + body));
  CHECK(annotated.find(mine) != std::string::npos);
  CHECK(annotated.find(hex("00 53 72")) == annotated.rfind(hex("00 53 72")));
}
