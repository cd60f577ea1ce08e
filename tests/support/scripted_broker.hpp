#pragma once

#include "bridge/amqp/engine.hpp"

#include <proton/codec/encoder.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/value.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rookery::tests {

/// The broker's end of one connection, which does what a test tells it and
/// nothing else: answers management, grants credit, keeps what it was sent.
/// For what a real broker does not do on demand: no outcome, a strange one,
/// a delivery without credit.
class scripted_broker final : public amqp::engine_handler {
public:
  struct received {
    std::string address;
    amqp::delivery handle;
    std::string bytes;
  };

  // The script.
  std::uint32_t credit = 100;        // for each sender that attaches
  std::set<std::string> missing;     // paths that are answered with 404
  std::map<std::string, int> answer; // path -> status, else 201
  bool accept = true;              // accept what comes; else keep it unsettled
  std::set<std::string> refused;   // targets that end their session
  std::set<std::string> forbidden; // the same, and exist
  std::set<std::string> refused_alone; // addresses that end their link
  std::set<std::string> unheard;       // addresses whose attach has no answer
  bool management_silent = false;      // questions are not answered
  bool management_garbled = false;     // or with bytes that are no message
  std::uint64_t message_bytes_max = 0; // of each link

  // What happened.
  std::vector<std::string> asked; // "PUT /queues/q", in order
  std::vector<received> messages;
  std::vector<amqp::session> sessions;          // in order
  std::map<std::string, int> attaches;          // by address
  std::vector<std::string> detached;            // names of links
  std::map<std::string, amqp::link> consumers;  // by source address
  std::map<std::string, amqp::link> publishers; // by target address
  std::map<std::string, amqp::link_terms> terms;
  std::vector<std::pair<std::uint64_t, bridge::outcome>> outcomes;

  /// Sends `bytes` to the consumer of `source`.
  void deliver(const std::string& source, const std::string& bytes) {
    consumers.at(source).send(++delivered_, bytes, {}, false);
  }
  /// The credit that the consumer of `source` has given.
  [[nodiscard]] std::uint32_t credit_of(const std::string& source) const {
    return consumers.at(source).credit();
  }

  void on_session_open(amqp::session s) override {
    s.open();
    sessions.push_back(s);
  }

  void on_link_open(amqp::link x, bool) override {
    auto theirs = x.remote_terms();
    const auto& address = x.is_sender() ? theirs.source : theirs.target;
    if (refused.contains(address.value_or("")))
      return x.session().close({"amqp:not-found", "as the script says"});
    if (forbidden.contains(address.value_or("")))
      return x.session().close({"amqp:unauthorized-access", "not by you"});
    if (refused_alone.contains(address.value_or("")))
      return x.refuse({"amqp:not-found", "as the script says"});
    if (++attaches[address.value_or("")];
        unheard.contains(address.value_or("")))
      return;
    theirs.message_bytes_max = message_bytes_max;
    x.open(theirs);
    if (x.is_sender()) {
      if (theirs.source == "/management") {
        answers_ = x;
        return;
      }
      consumers[theirs.source.value_or("")] = x;
      terms[theirs.source.value_or("")] = theirs;
      return;
    }
    publishers[theirs.target.value_or("")] = x;
    terms[theirs.target.value_or("")] = theirs;
    x.add_credit(theirs.target == "/management" ? 8 : credit);
  }

  void on_link_closed(amqp::link x, const amqp::condition&) override {
    detached.emplace_back(x.name());
  }

  void on_message(amqp::link from, amqp::delivery d,
                  std::string& bytes) override {
    auto address = from.remote_terms().target.value_or("");
    if (address == "/management") {
      d.settle(bridge::outcome::accepted());
      from.add_credit(1);
      return manage(bytes);
    }
    messages.push_back({address, d, bytes});
    if (accept)
      messages.back().handle.settle(bridge::outcome::accepted());
  }

  void on_outcome(amqp::link, std::uint64_t number,
                  const bridge::outcome& how) override {
    outcomes.emplace_back(number, how);
  }

private:
  void manage(const std::string& bytes) {
    proton::message question;
    question.decode({bytes.begin(), bytes.end()});
    auto path = question.to();
    asked.push_back(question.subject() + " " + path);
    if (management_silent)
      return;
    if (management_garbled)
      return answers_.send(++delivered_, "\xff\xff\xff", {}, true);
    auto status = missing.contains(path) ? 404 : 201;
    if (auto found = answer.find(path); found != answer.end())
      status = found->second;
    proton::message m;
    m.correlation_id(question.id());
    m.subject(std::to_string(status));
    m.body(std::string{status < 300 ? "" : "as the script says"});
    std::vector<char> encoded;
    m.encode(encoded);
    answers_.send(++delivered_, {encoded.data(), encoded.size()}, {}, true);
  }

  amqp::link answers_;
  std::uint64_t delivered_ = 0;
};

} // namespace rookery::tests
