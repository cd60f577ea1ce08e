// Goal: a user is told in words what went wrong, and a load knows what may
// have happened all the same.
#include "nodes/client/error_text.hpp"

#include "actors/errc.hpp"
#include "bridge/errc.hpp"
#include "tests/support/catch.hpp"

#include <caf/sec.hpp>

using namespace rookery;
using nodes::error_text;
using nodes::is_final;
using nodes::is_refusal;
using nodes::is_temporary;
using nodes::waits_for_queue;

constexpr auto last_service_code = actors::errc::lease_lapsed;
constexpr auto last_bridge_code = bridge::errc::poison;

TEST_CASE("error text: says what the service said", "[nodes][error_text]") {
  CHECK(error_text(
            caf::make_error(actors::errc::text_too_long, "281 code points"))
        == "the text is too long (281 code points)");
  CHECK(error_text(caf::make_error(actors::errc::text_empty))
        == "the text is empty");
  CHECK(error_text(caf::make_error(bridge::errc::unreachable, "refused"))
        == "there is no connection to the broker (refused)");
  CHECK(error_text(caf::sec::request_timeout)
        == "no reply in time; is there a node of each role?");
}

TEST_CASE("error text: every code has words", "[nodes][error_text]") {
  auto has_words = [](auto code) {
    return error_text(caf::make_error(code)).find("with code")
           == std::string::npos;
  };
  for (auto code = 1U; code <= static_cast<unsigned>(last_service_code); ++code)
    CHECK(has_words(static_cast<actors::errc>(code)));
  for (auto code = 1U; code <= static_cast<unsigned>(last_bridge_code); ++code)
    CHECK(has_words(static_cast<bridge::errc>(code)));
  CHECK_FALSE(has_words(
      static_cast<actors::errc>(static_cast<unsigned>(last_service_code) + 1)));
  CHECK_FALSE(has_words(
      static_cast<bridge::errc>(static_cast<unsigned>(last_bridge_code) + 1)));
}

TEST_CASE("error text: what others say does not command a terminal",
          "[nodes][error_text]") {
  CHECK(error_text(caf::make_error(bridge::errc::rejected, "a\x1b[2Jb"))
        == "the broker refused the message (a [2Jb)");
}

TEST_CASE("error text: what was refused did not happen",
          "[nodes][error_text]") {
  CHECK(is_refusal(caf::make_error(actors::errc::not_author)));
  CHECK(is_refusal(caf::make_error(bridge::errc::queue_full)));
  CHECK_FALSE(is_refusal(caf::make_error(actors::errc::store_failed)));
  CHECK_FALSE(is_refusal(caf::make_error(actors::errc::fenced)));
  CHECK_FALSE(is_refusal(caf::make_error(bridge::errc::reply_timeout)));
  CHECK_FALSE(is_refusal(caf::make_error(bridge::errc::failed)));
  CHECK_FALSE(is_refusal(caf::sec::request_timeout));
}

TEST_CASE("error text: what may pass is worth another attempt",
          "[nodes][error_text]") {
  CHECK(is_temporary(caf::sec::request_timeout));
  CHECK(is_temporary(caf::make_error(bridge::errc::unroutable)));
  CHECK(is_temporary(caf::make_error(bridge::errc::queue_full)));
  CHECK(is_temporary(caf::make_error(actors::errc::fenced)));
  CHECK(is_temporary(caf::make_error(actors::errc::lease_lapsed)));
  CHECK(is_temporary(caf::make_error(actors::errc::not_complete)));
  CHECK_FALSE(is_temporary(caf::make_error(actors::errc::not_author)));
  CHECK_FALSE(is_temporary(caf::make_error(actors::errc::key_conflict)));
  CHECK_FALSE(is_temporary(caf::make_error(bridge::errc::too_long)));
}

TEST_CASE("error text: a queue that may come, or have room, is waited for",
          "[nodes][error_text]") {
  using bridge::errc;
  CHECK(waits_for_queue(caf::make_error(errc::unroutable, "no queue")));
  CHECK(waits_for_queue(caf::make_error(errc::rejected, "no error given")));
  CHECK(waits_for_queue(
      caf::make_error(errc::rejected, "amqp:resource-limit-exceeded: full")));
  CHECK_FALSE(waits_for_queue(caf::make_error(
      errc::rejected, "amqp:unauthorized-access: write access refused")));
  CHECK_FALSE(
      waits_for_queue(caf::make_error(errc::rejected, "amqp:not-allowed")));
  CHECK_FALSE(waits_for_queue(caf::make_error(
      errc::rejected, "amqp:link:message-size-exceeded: so long")));
  CHECK_FALSE(waits_for_queue(caf::make_error(errc::reply_timeout)));
  CHECK_FALSE(waits_for_queue(caf::sec::request_timeout));
  CHECK_FALSE(waits_for_queue(caf::make_error(actors::errc::overloaded)));
}

TEST_CASE("error text: only the service itself says never",
          "[nodes][error_text]") {
  CHECK(is_final(caf::make_error(actors::errc::text_too_long)));
  CHECK(is_final(caf::make_error(actors::errc::unknown_log)));
  CHECK_FALSE(is_final(caf::make_error(actors::errc::store_failed)));
  CHECK_FALSE(is_final(caf::make_error(actors::errc::lease_lapsed)));
  CHECK_FALSE(is_final(caf::make_error(bridge::errc::too_long)));
  CHECK_FALSE(is_final(caf::sec::runtime_error));
}
