#include "actors/fanout/read_table.hpp"

#include <algorithm>
#include <utility>

namespace rookery::actors {

void read_table::add(token id, service::v1::HomeTimelineRequest request,
                     steady_time deadline) {
  waiting_[request.user()].push_back(id);
  ++counts_[request.user()];
  reads_.emplace(id, pending_read{.request = std::move(request),
                                  .deadline = deadline,
                                  .texts = {}});
}

pending_read* read_table::find(token id) {
  auto at = reads_.find(id);
  return at == reads_.end() ? nullptr : &at->second;
}

void read_table::remove(token id) {
  auto at = reads_.find(id);
  if (at == reads_.end())
    return;
  const auto user = at->second.request.user();
  if (auto count = counts_.find(user); --count->second == 0)
    counts_.erase(count);
  auto waiting = waiting_.find(user);
  if (waiting != waiting_.end()) {
    std::erase(waiting->second, id);
    if (waiting->second.empty())
      waiting_.erase(waiting);
  }
  reads_.erase(at);
}

std::vector<read_table::token> read_table::release(user_id user) {
  auto node = waiting_.extract(user);
  if (node.empty())
    return {};
  for (auto id : node.mapped())
    reads_.at(id).has_timeline = true;
  return std::move(node.mapped());
}

std::vector<user_id> read_table::awaited() const {
  std::vector<user_id> result;
  for (auto& [user, waiting] : waiting_)
    result.push_back(user);
  return result;
}

std::vector<read_table::token> read_table::expire(steady_time now) {
  std::vector<token> result;
  for (auto& [id, read] : reads_)
    if (read.deadline <= now)
      result.push_back(id);
  std::sort(result.begin(), result.end());
  for (auto id : result)
    remove(id);
  return result;
}

} // namespace rookery::actors
