#pragma once

#include "bridge/amqp/engine.hpp"
#include "bridge/profiles/broker_profile.hpp"
#include "bridge/topology.hpp"

#include <proton/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace rookery::amqp {

/// Asks a broker over its management link pair: declares queues, exchanges and
/// bindings, looks whether a queue exists and what waits there. Requests are
/// answered in any order and sent as the broker gives credit. One per
/// connection; when the connection goes, unanswered requests are forgotten with
/// it.
/// @source RabbitMQ, "HTTP over AMQP 1.0"
/// @thread the engine's
class management {
public:
  using clock = std::chrono::steady_clock;

  /// HTTP-like status (0 when there was none, 200 there, 201 made, 204 done,
  /// 404 not there, 409 there but different, 400 refused) and the broker's
  /// words.
  using answer = std::function<void(int status, std::string reason)>;
  /// The same with a number of messages; 0 where the broker named none.
  using counted = std::function<void(int status, std::string reason,
                                     std::uint64_t messages)>;

  /// Begins its own session on `e`.
  management(engine& e, const bridge::broker_profile& profile,
             std::function<clock::time_point()> now = clock::now);

  void declare(const bridge::declaration& what, answer then);
  void find_queue(const std::string& name, answer then);
  /// How many messages wait in a queue.
  void count_messages(const std::string& queue, counted then);
  /// Throws them away; how many they were.
  void purge(const std::string& queue, counted then);

  /// Whether `x` is one of our two links; events of those go here.
  [[nodiscard]] bool owns(link x) const { return x == out_ || x == in_; }
  void on_credit();
  /// False when it is no message that may be read; end the connection then.
  /// Throws what Proton does; that ends the connection, too.
  [[nodiscard]] bool on_message(delivery d, std::string_view bytes);

  /// One of the links is gone: nothing more is asked.
  void links_lost() { out_ = in_ = {}; }

  /// Requests without an answer.
  [[nodiscard]] std::size_t unanswered() const {
    return waiting_.size() + sent_.size();
  }
  /// What is not written waits from `now` on: the broker's session takes no
  /// transfers, and has not been asked yet.
  void excuse_unwritten(clock::time_point now);
  /// Whether the broker takes none, and so knows nothing of what it was asked.
  [[nodiscard]] bool unwritten() const {
    return out_ && !sent_.empty() && out_.queued() >= sent_.size();
  }
  /// Whether one of them has waited since before `then`, the time behind others
  /// not counted.
  [[nodiscard]] bool waits_since(clock::time_point then) const;

private:
  // Each reads of the body what it needs: most need nothing, and a map of
  // Proton's values is slow to read.
  using reader = std::function<void(int status, const proton::value& body)>;

  struct request {
    std::uint64_t id;
    std::string bytes;
    reader then;
    clock::time_point since; // it waits: for credit, then for its answer
  };

  void ask(std::uint64_t id, std::string bytes, reader then);
  void flush();

  const bridge::broker_profile& profile_;
  std::function<clock::time_point()> now_;
  link out_;
  link in_;
  std::uint64_t next_id_ = 1;
  std::deque<request> waiting_; // for credit, in order
  std::deque<request> sent_;    // for their answer
};

} // namespace rookery::amqp
