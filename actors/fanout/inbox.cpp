#include "actors/fanout/inbox.hpp"

#include <algorithm>
#include <utility>

namespace rookery::actors {

void inbox::add(std::optional<std::uint64_t> token, std::uint32_t log,
                std::uint64_t first_seq, std::vector<tweet_row> rows,
                std::chrono::steady_clock::time_point now) {
  auto open_rows = rows.size();
  open_.emplace(++last_number_, batch{token, log, first_seq, std::move(rows), 0,
                                      open_rows, now});
  waiting_.push_back(last_number_);
}

std::optional<inbox::taken_row> inbox::take() {
  if (waiting_.empty())
    return std::nullopt;
  auto number = waiting_.front();
  auto& from = open_.find(number)->second;
  auto result = taken_row{number, from.rows[from.next++]};
  if (from.next == from.rows.size()) {
    waiting_.pop_front();
    from.rows = {};
  }
  return result;
}

std::optional<std::uint64_t> inbox::close(std::uint64_t number) {
  auto at = open_.find(number);
  if (--at->second.open_rows > 0)
    return std::nullopt;
  auto token = at->second.token;
  open_.erase(at);
  return token;
}

std::uint64_t inbox::applied(std::uint32_t log, std::uint64_t taken) const {
  for (auto& [number, open] : open_)
    if (open.log == log)
      taken = std::min(taken, open.first_seq - 1);
  return taken;
}

bool inbox::holds_delivery(std::chrono::steady_clock::time_point since) const {
  return std::any_of(open_.begin(), open_.end(), [since](auto& x) {
    return x.second.token && x.second.came >= since;
  });
}

} // namespace rookery::actors
