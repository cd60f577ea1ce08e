#include "bridge/amqp/management.hpp"

#include "bridge/amqp/performative.hpp"
#include "bridge/percent.hpp"

#include <proton/codec/encoder.hpp>
#include <proton/codec/map.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/value.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace rookery::amqp {

namespace {

// The answers that may be on their way at once. Few: each has its deadline from
// when it was asked for, and a broker may need a while for each.
constexpr std::uint32_t answer_credit = 16;

using body_map = std::map<std::string, proton::value>;

struct question {
  std::string method;
  std::string path;
  std::optional<body_map> body = {};
};

std::string quoted(const std::string& name) {
  std::string result;
  bridge::percent_encode(name, result);
  return result;
}

question make_question(const bridge::queue_declaration& x) {
  using overflow = bridge::queue_declaration::overflow_type;
  body_map arguments;
  if (x.replicated) {
    arguments["x-queue-type"] = std::string{"quorum"};
    // What a crashed consumer held comes back however often it crashes.
    arguments["x-delivery-limit"] = std::int64_t{-1};
  }
  if (x.single_active_consumer)
    arguments["x-single-active-consumer"] = true;
  if (x.length_max) {
    arguments["x-max-length"] = static_cast<std::int64_t>(*x.length_max);
    arguments["x-overflow"] = std::string{
        x.overflow == overflow::drop_head ? "drop-head" : "reject-publish"};
  }
  if (x.dead_letter_exchange)
    arguments["x-dead-letter-exchange"] = *x.dead_letter_exchange;
  if (x.dead_letter_key)
    arguments["x-dead-letter-routing-key"] = *x.dead_letter_key;
  return {"PUT", "/queues/" + quoted(x.name),
          body_map{{"durable", x.replicated},
                   {"exclusive", x.exclusive},
                   {"auto_delete", x.auto_delete},
                   {"arguments", proton::value{arguments}}}};
}

question make_question(const bridge::exchange_declaration& x) {
  using kind = bridge::exchange_declaration::kind_type;
  return {"PUT", "/exchanges/" + quoted(x.name),
          body_map{{"type",
                    std::string{x.kind == kind::fanout ? "fanout" : "direct"}},
                   {"durable", true},
                   {"auto_delete", false},
                   {"internal", false},
                   {"arguments", proton::value{body_map{}}}}};
}

question make_question(const bridge::binding_declaration& x) {
  return {"POST", "/bindings",
          body_map{{"source", x.exchange},
                   {"destination_queue", x.queue},
                   {"binding_key", x.key},
                   {"arguments", proton::value{body_map{}}}}};
}

question about(const std::string& queue) {
  return {"GET", "/queues/" + quoted(queue)};
}

std::string encode(std::uint64_t id, const question& x) {
  proton::message m;
  m.id(proton::message_id{std::to_string(id)});
  m.to(x.path);
  m.subject(x.method);
  m.reply_to("$me");
  if (x.body) {
    m.body(proton::value{*x.body});
  } else {
    // Without a body section RabbitMQ ends the session; `body(null())` emits
    // none.
    proton::codec::encoder body{m.body()};
    body << proton::null{};
  }
  std::vector<char> bytes;
  m.encode(bytes);
  return {bytes.begin(), bytes.end()};
}

// The broker's words, of the body of an answer.
std::string reason_in(const proton::value& body) {
  return body.type() == proton::STRING ? proton::get<std::string>(body)
                                       : std::string{};
}

// Of the body of an answer about a queue.
std::uint64_t message_count(const proton::value& body) {
  if (body.type() != proton::MAP)
    return 0;
  const auto fields = proton::get<std::map<proton::value, proton::value>>(body);
  const auto found = fields.find(proton::value{"message_count"});
  return found == fields.end() ? 0
                               : proton::coerce<std::uint64_t>(found->second);
}

auto without_count(management::answer then) {
  return [then = std::move(then)](int status, const proton::value& body) {
    then(status, reason_in(body));
  };
}

auto with_count(management::counted then) {
  return [then = std::move(then)](int status, const proton::value& body) {
    then(status, reason_in(body), message_count(body));
  };
}

std::uint64_t id_of(const proton::message& m) {
  auto text = proton::to_string(m.correlation_id());
  std::uint64_t result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

} // namespace

management::management(engine& e, const bridge::broker_profile& profile,
                       std::function<clock::time_point()> now)
    : profile_{profile},
      now_{std::move(now)} {
  auto s = e.open_session();
  // A pair: the same name, the same client terminus, `paired` on both.
  const std::string name = "rookery.management";
  link_terms terms;
  terms.paired = true;
  terms.presettled = true;
  in_ = e.make_receiver(s, name);
  terms.source = std::string{profile_.management_address};
  terms.target = name;
  in_.open(terms);
  // Before the first request, or RabbitMQ ends the session.
  in_.add_credit(answer_credit);
  out_ = e.make_sender(s, name);
  terms.source = name;
  terms.target = std::string{profile_.management_address};
  out_.open(terms);
}

void management::declare(const bridge::declaration& what, answer then) {
  auto id = next_id_++;
  auto bytes = std::visit(
      [id](const auto& x) { return encode(id, make_question(x)); }, what);
  ask(id, std::move(bytes), without_count(std::move(then)));
}

void management::find_queue(const std::string& name, answer then) {
  auto id = next_id_++;
  ask(id, encode(id, about(name)), without_count(std::move(then)));
}

void management::count_messages(const std::string& queue, counted then) {
  auto id = next_id_++;
  ask(id, encode(id, about(queue)), with_count(std::move(then)));
}

void management::purge(const std::string& queue, counted then) {
  auto id = next_id_++;
  const auto path = "/queues/" + quoted(queue) + "/messages";
  ask(id, encode(id, {"DELETE", path}), with_count(std::move(then)));
}

void management::ask(std::uint64_t id, std::string bytes, reader then) {
  waiting_.push_back({id, std::move(bytes), std::move(then), now_()});
  flush();
}

void management::flush() {
  while (out_ && !waiting_.empty() && sent_.size() < answer_credit
         && out_.credit() > 0) {
    sent_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    out_.send(sent_.back().id, sent_.back().bytes, {}, true);
    sent_.back().bytes.clear();
    sent_.back().since = now_();
  }
}

void management::on_credit() { flush(); }

void management::excuse_unwritten(clock::time_point now) {
  auto left = out_ ? out_.queued() : 0;
  for (auto x = sent_.rbegin(); x != sent_.rend() && left > 0; ++x, --left)
    x->since = now;
}

bool management::waits_since(clock::time_point then) const {
  auto older = [then](const request& x) { return x.since < then; };
  // Those behind others wait for these.
  return sent_.empty() ? !waiting_.empty() && older(waiting_.front())
                       : std::any_of(sent_.begin(), sent_.end(), older);
}

bool management::on_message(delivery d, std::string_view bytes) {
  // Unlike other messages it is read by Proton, which recurses.
  if (!well_formed(bytes))
    return false;
  d.settle(bridge::outcome::accepted());
  in_.add_credit(1);
  proton::message m;
  m.decode({bytes.begin(), bytes.end()});
  auto found =
      std::find_if(sent_.begin(), sent_.end(),
                   [id = id_of(m)](const request& x) { return x.id == id; });
  if (found == sent_.end())
    return true;
  auto then = std::move(found->then);
  sent_.erase(found);
  int status = 0;
  auto subject = m.subject();
  std::from_chars(subject.data(), subject.data() + subject.size(), status);
  then(status, m.body());
  flush();
  if (sent_.empty() && !waiting_.empty())
    waiting_.front().since = now_(); // for credit
  return true;
}

} // namespace rookery::amqp
