#include "actors/fanout/writer_requests.hpp"

#include <algorithm>
#include <utility>

namespace rookery::actors {

writer_requests::writer_requests(std::uint32_t tweet_partitions,
                                 request_lane::limits limits)
    : partitions_{tweet_partitions},
      lanes_(2 * tweet_partitions + 1, request_lane{limits}) {}

void writer_requests::ask(std::uint32_t writer, question what) {
  lanes_[writer].push(std::move(what));
}

void writer_requests::ask_texts(std::uint32_t partition, texts_question what) {
  lanes_[partitions_ + 1 + partition].push(std::move(what));
}

void writer_requests::ask_first(std::uint32_t writer, question what) {
  lanes_[writer].push_urgent(std::move(what));
}

void writer_requests::send(steady_time now, const maker& make,
                           const sender& out) {
  for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) {
    auto writer = lane <= partitions_ ? lane : lane - partitions_ - 1;
    while (auto what = lanes_[lane].next(now)) {
      auto request = make(writer, *what);
      if (!request) {
        lanes_[lane].skipped();
        continue;
      }
      asked_.emplace(++last_ticket_, asked{lane, writer, std::move(*what)});
      out(last_ticket_, writer, std::move(*request));
    }
  }
}

std::optional<writer_requests::asked>
writer_requests::take(std::uint64_t ticket) {
  auto node = asked_.extract(ticket);
  if (node.empty())
    return std::nullopt;
  return std::move(node.mapped());
}

void writer_requests::failed(asked x, steady_time now) {
  lanes_[x.lane].failed(std::move(x.what), now);
}

bool writer_requests::is_delayed(steady_time now) const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [now](auto& lane) { return lane.is_delayed(now); });
}

} // namespace rookery::actors
