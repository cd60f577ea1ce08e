#include "tests/conformance/management_client.hpp"

#include "tests/conformance/messages.hpp"

#include <proton/codec/encoder.hpp>
#include <proton/message_id.hpp>

#include <chrono>
#include <utility>

namespace rookery::conformance {

std::string answer::field(const std::string& name) const {
  if (body.type() != proton::MAP)
    return "none";
  const auto all = proton::get<fields>(body);
  const auto place = all.find(name);
  return place == all.end() ? "none" : proton::to_string(place->second);
}

management_client::management_client(client& owner) : owner_{owner} {
  // A pair: the same name, the same client terminus, `paired` on both.
  const auto attach = [&](bool sender) -> client_link& {
    amqp::link_terms terms{.source = "/management", .target = "here"};
    if (sender)
      std::swap(terms.source, terms.target);
    terms.presettled = true;
    terms.paired = true;
    return owner_.attach(sender, terms, {}, "management");
  };
  in_ = &attach(false);
  out_ = &attach(true);
  owner_.wait("the management links", [this] {
    return in_->on->ended || (in_->attached && out_->attached);
  });
  if (in_->lost())
    throw unfulfilled{"no management links: " + in_->fate()};
  // Before the first request, or RabbitMQ ends the session.
  owner_.grant(*in_, 10);
}

answer management_client::ask(const std::string& method,
                              const std::string& path,
                              const std::optional<fields>& body) {
  proton::message question;
  question.id(proton::message_id{std::to_string(++asked_)});
  question.to(path);
  question.subject(method);
  question.reply_to("$me");
  if (body) {
    question.body(proton::value{*body});
  } else {
    // A section that holds null: `body(null())` would leave the section out,
    // and RabbitMQ wants one.
    proton::codec::encoder null{question.body()};
    null << proton::null{};
  }
  owner_.send(*out_, question, true);
  auto came = owner_.take(*in_);
  owner_.settle(came, bridge::outcome::accepted());
  owner_.grant(*in_, 1);
  return {came.message.subject(), came.message.body()};
}

std::string management_client::ask_until(const std::string& path,
                                         const std::string& status) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + event_loop::patience;
  for (;;) {
    auto found = ask("GET", path).status;
    if (found == status || clock::now() > deadline)
      return found;
  }
}

} // namespace rookery::conformance
