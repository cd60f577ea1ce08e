#include "tests/conformance/stage.hpp"

#include "bridge/percent.hpp"
#include "tests/conformance/messages.hpp"

#include <utility>

namespace rookery::conformance {

namespace {

std::string path(std::string_view root, std::string_view name) {
  std::string result{root};
  bridge::percent_encode(name, result);
  return result;
}

/// For steps on the way, which are not what the script is about.
void require(const std::string& status, std::string_view wanted,
             const std::string& what) {
  if (status != wanted)
    throw unfulfilled{what + ": status " + status};
}

} // namespace

stage::stage(event_loop& loop, const broker_address& where, std::string prefix)
    : loop_{loop},
      where_{where},
      prefix_{std::move(prefix)},
      me_{&connect()} {
  management_.emplace(*me_);
}

client& stage::connect() {
  const auto number = std::to_string(clients_.size() + 1);
  return clients_.emplace_back(loop_, where_, prefix_ + number);
}

std::string stage::name(std::string_view local) const {
  return prefix_ + std::string{local};
}

std::string stage::plain(std::string text) const {
  for (std::size_t at = 0; (at = text.find(prefix_, at)) != std::string::npos;)
    text.erase(at, prefix_.size());
  return text;
}

std::string stage::queue(std::string_view local) const {
  return path("/queues/", name(local));
}

std::string stage::exchange(std::string_view local) const {
  return path("/exchanges/", name(local));
}

std::string stage::exchange(std::string_view local,
                            std::string_view key) const {
  return path(exchange(local) + "/", key);
}

std::string stage::declare(std::string_view local, const fields& arguments) {
  auto all = arguments;
  all.try_emplace("x-queue-type", std::string{"quorum"});
  return declare(local, all, true, false, false);
}

std::string stage::declare_classic(std::string_view local, bool exclusive,
                                   bool auto_delete) {
  // An exclusive one ends with its connection: there is nothing to be durable.
  return declare(local, {{"x-queue-type", std::string{"classic"}}}, !exclusive,
                 exclusive, auto_delete);
}

std::string stage::declare(std::string_view local, const fields& arguments,
                           bool durable, bool exclusive, bool auto_delete) {
  remember_queue(local);
  return management()
      .ask("PUT", queue(local),
           fields{{"durable", durable},
                  {"exclusive", exclusive},
                  {"auto_delete", auto_delete},
                  {"arguments", proton::value{arguments}}})
      .status;
}

void stage::make_queue(std::string_view local, const fields& arguments) {
  require(declare(local, arguments), "201", "a queue");
}

void stage::make_exchange(std::string_view local, std::string_view type) {
  exchanges_.push_back(exchange(local));
  require(management()
              .ask("PUT", exchange(local),
                   fields{{"type", std::string{type}},
                          {"durable", true},
                          {"auto_delete", false},
                          {"internal", false},
                          {"arguments", proton::value{fields{}}}})
              .status,
          "204", "an exchange");
}

void stage::bind(std::string_view exchange, std::string_view queue,
                 std::string_view key) {
  require(management()
              .ask("POST", "/bindings",
                   fields{{"source", name(exchange)},
                          {"destination_queue", name(queue)},
                          {"binding_key", std::string{key}},
                          {"arguments", proton::value{fields{}}}})
              .status,
          "204", "a binding");
}

fields stage::dying(std::string_view dead) const {
  return {{"x-dead-letter-exchange", std::string{}},
          {"x-dead-letter-routing-key", name(dead)}};
}

void stage::remember_queue(std::string_view local) {
  queues_.push_back(queue(local));
}

void stage::put(std::string_view to_queue, const texts& bodies) {
  auto& out = sender(to_queue);
  for (const auto& each : bodies) {
    const auto how = me().publish(out, text_message(each));
    if (how != bridge::outcome::accepted())
      throw unfulfilled{"a message on the way: " + text_of(how)};
  }
  me().close(out);
}

std::string stage::purge(std::string_view local) {
  return management()
      .ask("DELETE", queue(local) + "/messages")
      .field("message_count");
}

std::string stage::rest(std::string_view local) {
  auto& in = receiver(local);
  auto found = bodies_of(me().drain(in));
  me().close(in);
  return found;
}

void stage::clean_up() {
  management_.reset();
  clients_.clear();
  management_client last{connect()};
  // One that is gone is 200 or 204 as well, and one that another connection
  // holds goes with that.
  for (const auto& each : exchanges_)
    last.ask("DELETE", each);
  for (const auto& each : queues_)
    last.ask("DELETE", each);
}

} // namespace rookery::conformance
