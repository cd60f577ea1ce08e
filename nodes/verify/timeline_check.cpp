#include "nodes/verify/timeline_check.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace rookery::nodes {

namespace {

using ids = std::span<const actors::tweet_id>;

std::vector<actors::tweet_id> difference(ids from, ids without) {
  std::vector<actors::tweet_id> result;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                      std::back_inserter(result), std::greater<>{});
  return result;
}

std::string counted(const std::vector<actors::tweet_id>& x, const char* what) {
  return std::to_string(x.size()) + " " + what + ", such as "
         + std::to_string(x.front());
}

} // namespace

std::optional<std::string> check_order(ids x) {
  for (std::size_t i = 1; i < x.size(); ++i) {
    if (x[i] == x[i - 1])
      return "tweet " + std::to_string(x[i]) + " is in it twice";
    if (x[i] > x[i - 1])
      return "tweet " + std::to_string(x[i]) + " stands behind the older "
             + std::to_string(x[i - 1]);
  }
  return std::nullopt;
}

std::optional<std::string> compare_timeline(ids held, ids wanted,
                                            std::uint32_t cap) {
  if (auto wrong = check_order(held))
    return wrong;
  auto counting = held.first(std::min<std::size_t>(held.size(), cap));
  if (std::equal(counting.begin(), counting.end(), wanted.begin(),
                 wanted.end()))
    return std::nullopt;
  std::string result;
  if (auto lost = difference(wanted, counting); !lost.empty())
    result = counted(lost, "missing");
  if (auto extra = difference(counting, wanted); !extra.empty())
    result += (result.empty() ? "" : "; ") + counted(extra, "too many");
  return result;
}

} // namespace rookery::nodes
