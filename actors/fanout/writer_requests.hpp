#pragma once

#include "actors/fanout/request_lane.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::actors {

/// All questions of a shard to its writers. Every tweet writer has two lanes:
/// texts, which readers wait for, do not stand behind pulls.
class writer_requests {
public:
  /// A question that was sent and not answered.
  struct asked {
    std::uint32_t lane;
    std::uint32_t writer;
    question what;
  };
  /// Makes the request for a question; nothing when it has become pointless.
  using maker = std::function<std::optional<writer_request>(
      std::uint32_t writer, question& what)>;
  /// Sends a request; its end is told with the ticket.
  using sender = std::function<void(std::uint64_t ticket, std::uint32_t writer,
                                    writer_request request)>;

  /// Writers 0..tweet_partitions - 1 are those of tweets; after them comes the
  /// one of follows.
  writer_requests(std::uint32_t tweet_partitions, request_lane::limits limits);

  void ask(std::uint32_t writer, question what);

  /// One that may become pointless while it waits; see request_lane.
  template <class F>
  void ask(std::uint32_t writer, question what, F is_pointless) {
    lanes_[writer].push(std::move(what), is_pointless);
  }

  /// Texts of a tweet partition, in a lane of their own.
  void ask_texts(std::uint32_t partition, texts_question what);

  /// Before all others of its lane.
  void ask_first(std::uint32_t writer, question what);

  /// Sends what may be sent now.
  void send(steady_time now, const maker& make, const sender& out);

  /// The question a ticket stands for; nothing when it was taken before. To be
  /// followed by `succeeded` or `failed`.
  [[nodiscard]] std::optional<asked> take(std::uint64_t ticket);

  void succeeded(const asked& x) { lanes_[x.lane].succeeded(); }
  void failed(asked x, steady_time now);

  [[nodiscard]] bool is_delayed(steady_time now) const;
  /// Questions to a writer that were not sent, texts left out.
  [[nodiscard]] std::size_t waiting(std::uint32_t writer) const {
    return lanes_[writer].waiting();
  }
  [[nodiscard]] std::uint32_t follow_writer() const noexcept {
    return partitions_;
  }

private:
  std::uint32_t partitions_;
  std::vector<request_lane> lanes_; // by writer, then texts by partition
  std::unordered_map<std::uint64_t, asked> asked_;
  std::uint64_t last_ticket_ = 0;
};

} // namespace rookery::actors
