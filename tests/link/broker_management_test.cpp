// Goal: queues, exchanges and bindings are declared and deleted over AMQP as in
// RabbitMQ 4, with its status codes, and bad requests are answered by name.
// Method: requests as their bytes go over a management link pair.

#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"
#include "broker/management/value.hpp"
#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using namespace rookery::tests;
using broker::value;
using broker::value_map;

namespace {

struct answer {
  std::string status;
  std::string correlation;
  value body;

  [[nodiscard]] std::string text() const {
    const auto* x = body.get<std::string>();
    return x ? *x : "";
  }
  /// An entry of a map; null when it is not there.
  [[nodiscard]] value at(std::string_view key) const {
    if (const auto* map = body.get<value_map>())
      for (const auto& each : *map)
        if (each.key == key)
          return each.content;
    return {};
  }
};

/// Reads our own answer with the codec of messages, as a client would.
answer read(const std::string& bytes) {
  amqp::reader in{bytes, 32};
  answer result;
  while (!in.done()) {
    const auto code = in.descriptor().value_or(0);
    if (code == amqp::section::properties) {
      auto [elements, count] = in.list();
      REQUIRE(count == 6);
      for (int i = 0; i < 3; ++i)
        elements.skip();
      result.status = elements.text();
      elements.skip();
      result.correlation = to_string(elements.id());
      REQUIRE_FALSE(elements.failed());
    } else {
      const auto start = in.offset();
      in.skip();
      if (code == amqp::section::value)
        result.body = *broker::decode_value(
            std::string_view{bytes}.substr(start, in.offset() - start));
    }
  }
  REQUIRE_FALSE(in.failed());
  return result;
}

/// A section of a message; `content` is one encoded value.
std::string section(std::uint8_t code, const std::string& content) {
  return std::string{"\x00\x53", 2} + static_cast<char>(code) + content;
}

std::string encoded(const value& x) {
  std::string out;
  broker::encode_value(x, out);
  return out;
}

std::string request(const std::string& method, const std::string& target,
                    const value& body) {
  // message-id 5 (ulong), user-id, to, subject, reply-to
  return section(0x73, encoded(broker::value_list{std::uint64_t{5}, value{},
                                                  target, method, "$me"}))
         + section(0x77, encoded(body));
}

/// A client with a management link pair.
struct managed {
  managed() {
    amqp::link_terms terms{.presettled = true, .paired = true};
    auto session = client.engine->open_session();
    terms.source = "/management";
    terms.target = "me";
    in = &client.attach(false, "pair", terms, session);
    in->self.add_credit(10);
    terms.source = "me";
    terms.target = "/management";
    out = &client.attach(true, "pair", terms, session);
    t.pump();
    REQUIRE(out->self.credit() == 8);
  }

  answer ask(const std::string& method, const std::string& target,
             const value& body = {}) {
    out->send(request(method, target, body), true);
    t.pump();
    REQUIRE(in->deliveries.size() == 1);
    auto result = read(in->deliveries[0].bytes);
    in->settle_first(bridge::outcome::accepted());
    in->self.add_credit(1);
    t.pump();
    CHECK(result.correlation == "5");
    return result;
  }
  answer declare(const std::string& name, value_map arguments = {}) {
    return ask("PUT", "/queues/" + name,
               value_map{{"durable", true},
                         {"exclusive", false},
                         {"auto_delete", false},
                         {"arguments", std::move(arguments)}});
  }

  broker_harness t;
  test_client& client = t.connect();
  client_link* in = nullptr;
  client_link* out = nullptr;
};

} // namespace

TEST_CASE("management: a queue is made once, found again, and described",
          "[broker][management]") {
  managed x;
  const value_map arguments{{"x-single-active-consumer", true},
                            {"x-max-length", std::int64_t{9}},
                            {"x-max-length-bytes", std::uint64_t{10'000}},
                            {"x-overflow", "reject-publish"},
                            {"x-delivery-limit", std::int64_t{-1}},
                            {"x-queue-type", "quorum"},
                            {"x-message-ttl", std::int64_t{60'000}},
                            {"x-expires", std::int64_t{90'000}},
                            {"x-dead-letter-exchange", ""},
                            {"x-dead-letter-routing-key", "dead"},
                            {"x-dead-letter-strategy", "at-most-once"}};
  CHECK(x.declare("a%2Fb", arguments).status == "201");
  CHECK(x.declare("a%2Fb", arguments).status == "200");
  const auto* made = x.t.shared.host.find_queue("a/b");
  REQUIRE(made != nullptr);
  CHECK(made->options().single_active_consumer == true);
  CHECK(made->options().length_max == 9);
  CHECK(made->options().bytes_max == 10'000);
  CHECK(made->options().overflow == broker::overflow_policy::reject_publish);
  CHECK(made->options().delivery_limit == -1);
  CHECK(made->options().message_ttl == std::chrono::minutes{1});
  CHECK(made->options().expires == std::chrono::seconds{90});
  CHECK(made->options().dead_letter_exchange == "");
  CHECK(made->options().dead_letter_key == "dead");
  x.t.put("a/b", {"m", "n"});
  const auto found = x.ask("GET", "/queues/a%2Fb");
  CHECK(found.status == "200");
  CHECK(*found.at("name").get<std::string>() == "a/b");
  CHECK(*found.at("message_count").get<std::int64_t>() == 2);
  CHECK(*found.at("durable").get<bool>());
  CHECK(*found.at("type").get<std::string>() == "quorum");
  CHECK(found.at("arguments").get<value_map>()->size() == arguments.size());
}

TEST_CASE("management: other arguments are a conflict that is named",
          "[broker][management]") {
  managed x;
  x.declare("q", {{"x-max-length", std::int64_t{9}}});
  const auto other = x.declare("q", {{"x-max-length", std::int64_t{8}}});
  CHECK(other.status == "409");
  CHECK(other.text() == "queue 'q' exists with another x-max-length");
  const auto said = x.declare(
      "q", {{"x-max-length", std::int64_t{9}}, {"x-overflow", "drop-head"}});
  CHECK(said.text() == "queue 'q' exists with another x-overflow");
}

TEST_CASE("management: a queue without a type is a classic one",
          "[broker][management]") {
  managed x;
  const auto made = x.declare("q");
  CHECK(*made.at("type").get<std::string>() == "classic");
  CHECK(x.declare("q", {{"x-queue-type", "classic"}}).status == "200");
  CHECK(x.declare("q", {{"x-queue-type", "quorum"}}).text()
        == "queue 'q' exists with another x-queue-type");
}

TEST_CASE("management: a quorum queue is durable and shared, and stays",
          "[broker][management]") {
  managed x;
  const auto refusal = [&](const char* property, bool flag) {
    const auto result =
        x.ask("PUT", "/queues/q",
              value_map{{property, flag},
                        {"arguments", value_map{{"x-queue-type", "quorum"}}}});
    CHECK(result.status == "400");
    return result.text();
  };
  CHECK(refusal("durable", false) == "a quorum queue must be durable");
  CHECK(refusal("exclusive", true) == "a quorum queue cannot be exclusive");
  CHECK(refusal("auto_delete", true) == "a quorum queue cannot be auto-delete");
}

TEST_CASE("management: what it does not know is refused by name",
          "[broker][management]") {
  managed x;
  std::string status;
  const auto refusal = [&](const std::string& key, const value& content) {
    const auto result = x.declare("q", {{key, content}});
    CHECK(result.status == status);
    return result.text();
  };
  status = "400";
  CHECK(refusal("x-colour", "blue") == "the argument 'x-colour' is unknown");
  CHECK(refusal("x-dead-letter-strategy", "at-least-once")
        == "the only 'x-dead-letter-strategy' in this version is at-most-once");
  CHECK(refusal("x-dead-letter-exchange", true)
        == "the value of 'x-dead-letter-exchange' is not a string of at most "
           "255 bytes");
  status = "409";
  CHECK(refusal("x-max-priority", std::int64_t{5})
        == "the argument 'x-max-priority' is not supported in this version");
  CHECK(refusal("x-message-ttl", std::int64_t{-1})
        == "the value of 'x-message-ttl' is not a whole number of milliseconds "
           "from 0 to 315360000000");
  CHECK(refusal("x-expires", std::int64_t{0})
        == "the value of 'x-expires' is not a whole number of milliseconds "
           "from 1 to 315360000000");
  CHECK(refusal("x-dead-letter-routing-key", "k")
        == "'x-dead-letter-routing-key' without 'x-dead-letter-exchange'");
  CHECK(refusal("x-max-length", "many")
        == "the value of 'x-max-length' is not a whole number of zero or more");
  CHECK(refusal("x-max-length", std::int64_t{-1})
        == "the value of 'x-max-length' is not a whole number of zero or more");
  CHECK(refusal("x-overflow", "explode")
        == "the value of 'x-overflow' is not drop-head or reject-publish");
  CHECK(refusal("x-queue-type", "stream")
        == "the value of 'x-queue-type' is not classic or quorum");
  CHECK(x.t.shared.host.find_queue("q") == nullptr);
  const auto property =
      x.ask("PUT", "/queues/q", value_map{{"durability", true}});
  CHECK(property.status == "400");
  CHECK(property.text() == "bad queue property 'durability'");
}

TEST_CASE("management: bad names and paths", "[broker][management]") {
  managed x;
  CHECK(x.declare("amq.q").status == "403");
  CHECK(x.declare("").status == "400");
  CHECK(x.declare("a%0Ab").status == "400");
  CHECK(x.declare("a%").status == "400");
  CHECK(x.declare(std::string(256, 'x')).status == "400");
  CHECK(x.ask("GET", "/queues/nope").status == "404");
  CHECK(x.ask("GET", "/nonsense").status == "400");
  CHECK(x.ask("PATCH", "/queues/q").status == "400");
  CHECK(x.ask("GET", "queues/q").status == "400");
  CHECK(x.client.ended_sessions.empty());
}

TEST_CASE("management: deleting and purging tell how many messages went",
          "[broker][management]") {
  managed x;
  x.declare("q");
  x.t.put("q", {"a", "b"});
  const auto purged = x.ask("DELETE", "/queues/q/messages");
  CHECK(purged.status == "200");
  CHECK(*purged.at("message_count").get<std::int64_t>() == 2);
  x.t.put("q", {"c"});
  auto& in = x.client.receiver("/queues/q");
  auto& out = x.client.sender("/queues/q");
  x.t.pump();
  const auto deleted = x.ask("DELETE", "/queues/q");
  CHECK(deleted.status == "200");
  CHECK(*deleted.at("message_count").get<std::int64_t>() == 1);
  REQUIRE(in.closed);
  CHECK(in.closed->name == "amqp:resource-deleted");
  CHECK(out.closed);
  CHECK(x.ask("DELETE", "/queues/q").status == "200");
  CHECK(x.ask("DELETE", "/queues/q/messages").status == "400");
}

TEST_CASE("management: exchanges and bindings", "[broker][management]") {
  managed x;
  x.declare("q");
  const auto put = [&](const std::string& name, const std::string& type) {
    return x.ask("PUT", "/exchanges/" + name,
                 value_map{{"type", type},
                           {"durable", true},
                           {"auto_delete", false},
                           {"internal", false},
                           {"arguments", value_map{}}});
  };
  CHECK(put("x", "fanout").status == "204");
  CHECK(put("x", "fanout").status == "204");
  CHECK(put("x", "direct").status == "409");
  CHECK(put("t", "topic").status == "204");
  CHECK(put("y", "headers").text()
        == "exchanges of type 'headers' are not supported in this version");
  CHECK(put("amq.y", "direct").status == "403");
  const auto bind = [&](const std::string& from, const std::string& to) {
    return x
        .ask("POST", "/bindings",
             value_map{{"source", from},
                       {"destination_queue", to},
                       {"binding_key", "k y"},
                       {"arguments", value_map{}}})
        .status;
  };
  CHECK(bind("x", "q") == "204");
  CHECK(bind("x", "q") == "204");
  CHECK(bind("x", "nope") == "400");
  CHECK(bind("nope", "q") == "400");
  const auto bindings = x.ask("GET", "/bindings?src=x&dstq=q&key=k%20y");
  CHECK(bindings.status == "200");
  REQUIRE(bindings.body.get<broker::value_list>()->size() == 1);
  const answer one{{}, {}, bindings.body.get<broker::value_list>()->front()};
  const auto location = *one.at("location").get<std::string>();
  CHECK(location == "/bindings/src=x;dstq=q;key=k%20y;args=");
  auto& out = x.client.sender("/exchanges/x");
  x.t.pump();
  out.send_text("m");
  x.t.pump();
  CHECK(x.t.counts("q").ready == 1);
  CHECK(x.ask("DELETE", location).status == "204");
  CHECK(x.t.shared.host.exchanges().binding_count() == 0);
  CHECK(x.ask("DELETE", "/bindings/rubbish").status == "400");
  CHECK(x.ask("DELETE", "/exchanges/x").status == "204");
  CHECK(x.t.shared.host.exchanges().find("x") == nullptr);
}

TEST_CASE("management: an exclusive queue goes with its connection",
          "[broker][management]") {
  managed x;
  CHECK(x.ask("PUT", "/queues/mine", value_map{{"exclusive", true}}).status
        == "201");
  REQUIRE(x.t.shared.host.find_queue("mine") != nullptr);
  x.t.cut(x.client);
  CHECK(x.t.shared.host.find_queue("mine") == nullptr);
}

TEST_CASE("management: what breaks its rules ends the session",
          "[broker][management]") {
  managed x;
  std::string wanted = "amqp:decode-error";
  SECTION("no body section") {
    x.out->send(
        section(0x73, encoded(broker::value_list{std::uint64_t{5}, value{},
                                                 "/queues/q", "GET", "$me"})),
        true);
  }
  SECTION("not a message") { x.out->send("rubbish", true); }
  SECTION("another reply-to") {
    x.out->send(section(0x73, encoded(broker::value_list{std::uint64_t{5},
                                                         value{}, "/queues/q",
                                                         "GET", "/queues/r"}))
                    + section(0x77, encoded(value{})),
                true);
  }
  SECTION("nested without end") {
    value deep = value_map{};
    for (int i = 0; i < 10; ++i)
      deep = value_map{{"x", deep}};
    x.out->send(request("PUT", "/queues/q", deep), true);
  }
  SECTION("no credit for the answer") {
    x.in->self.drain(0);
    x.t.pump();
    // A management link answers from what credit it has.
    for (int i = 0; i < 11; ++i)
      x.out->send(request("GET", "/queues/q", {}), true);
    wanted = "amqp:precondition-failed";
  }
  SECTION("a request that is too long") {
    // Its values would take forty times as much memory as it.
    const broker::value_map many(20'000, {"k", value{}});
    x.out->send(request("PUT", "/queues/q", many), true);
    wanted = "amqp:link:message-size-exceeded";
  }
  SECTION("half a pair") {
    x.in->self.close();
    x.t.pump();
    x.out->send(request("GET", "/queues/q", {}), true);
    wanted = "amqp:precondition-failed";
  }
  x.t.pump();
  REQUIRE(x.client.ended_sessions.size() == 1);
  CHECK(x.client.ended_sessions[0].name == wanted);
  CHECK_FALSE(x.client.closed);
}
