#pragma once

#include "broker/core/virtual_host.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::broker::tests {

using texts = std::vector<std::string>;

[[nodiscard]] inline message_ptr text_message(std::string_view text,
                                              std::uint8_t priority = 4) {
  auto made = std::make_shared<message>();
  made->bytes = text;
  made->priority = priority;
  return made;
}

/// Plays the AMQP shell around a broker: publishes texts, takes what the
/// broker has to say and writes it down as `consumer:text`.
class broker_shell {
public:
  explicit broker_shell(const virtual_host_options& options = {})
      : host{with_clock(options)} {}

  /// Lets time pass; without this it stands still. @returns the queues that
  /// went
  std::vector<std::string> pass(std::chrono::milliseconds span) {
    now += span;
    return host.pass_time();
  }

  void declare(std::string_view queue, const queue_options& options = {},
               connection_id by = 0) {
    auto declared = host.declare_queue(queue, options, by);
    REQUIRE(declared);
    REQUIRE(declared.value().created);
  }

  /// Attaches a consumer called `name` and grants it `credit`.
  consumer& attach(std::string_view queue, const std::string& name,
                   std::uint32_t credit, consumer_options options = {}) {
    auto& mine = links_[name];
    options.context = &mine;
    auto joined = host.attach(queue, options);
    REQUIRE(joined);
    mine.name = name;
    mine.attached = joined.value();
    mine.attached->set_credit(credit);
    return *mine.attached;
  }

  publish_outcome publish(std::string_view queue, std::string_view text) {
    return host.publish("", queue, text_message(text)).what;
  }

  void publish_all(std::string_view queue, const texts& all) {
    for (const auto& text : all)
      REQUIRE(publish(queue, text) == publish_outcome::accepted);
  }

  /// Takes up to `max` events; who became active goes to `activated`. A
  /// delivery reads `name:text`, with `+n` for a delivery count and `*` when
  /// others had it before; draining reads `name drained n`.
  texts take(std::size_t max = 1'000) {
    texts seen;
    event each;
    while (seen.size() < max && host.next(each)) {
      auto& mine = *static_cast<link*>(each.to->options().context);
      if (each.what == event::kind::activated) {
        activated.push_back(mine.name);
        continue;
      }
      if (each.what == event::kind::drained) {
        seen.push_back(mine.name + " drained " + std::to_string(each.credit));
        continue;
      }
      const auto& text = each.message->bytes;
      mine.held[text] = each.id;
      seen.push_back(mine.name + ":" + text + (each.first_acquirer ? "" : "*")
                     + (each.delivery_count > 0
                            ? "+" + std::to_string(each.delivery_count)
                            : ""));
    }
    return seen;
  }

  /// The consumer `name` settles its latest delivery of `text`.
  bool settle(const std::string& name, const std::string& text,
              outcome how = outcome::accepted, notes_ptr notes = nullptr) {
    auto& mine = links_.at(name);
    return mine.attached->settle(mine.held.at(text), how, std::move(notes));
  }

  void detach(const std::string& name, detach_reason why) {
    host.detach(*links_.at(name).attached, why);
  }

  [[nodiscard]] consumer& link_of(const std::string& name) {
    return *links_.at(name).attached;
  }
  [[nodiscard]] queue_counts counts(std::string_view queue) const {
    return host.find_queue(queue)->counts();
  }

  texts activated;  // by `take`, in order
  time_point now{}; // what `host` is told
  std::chrono::system_clock::time_point wall{std::chrono::seconds{1767312000}};
  virtual_host host;

private:
  virtual_host_options with_clock(virtual_host_options options) {
    options.time = {[this] { return now; }, [this] { return wall; }};
    return options;
  }

  struct link {
    std::string name;
    consumer_ptr attached;
    std::map<std::string, delivery_id> held;
  };
  std::map<std::string, link> links_;
};

} // namespace rookery::broker::tests
