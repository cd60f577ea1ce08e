#include "nodes/drive/home_reads.hpp"

#include "nodes/client/ask_all.hpp"
#include "nodes/client/progress.hpp"
#include "nodes/verify/timeline_check.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <algorithm>
#include <span>

namespace rookery::nodes {

namespace {

using service::v1::HomeTimelineReply;
using service::v1::HomeTimelineRequest;

constexpr std::size_t window = 256;
constexpr std::size_t chunk = 4 * window; // between two looks at the clock
constexpr std::uint32_t limit_max = 200;  // see HomeTimelineRequest

/// @returns those who were not answered
std::vector<actors::user_id> read_once(service_client& client,
                                       std::span<const actors::user_id> users,
                                       home_reads& result, progress& shown) {
  std::vector<actors::user_id> failed;
  auto before = result.read;
  ask_all_options<HomeTimelineRequest, HomeTimelineReply> options;
  options.count = users.size();
  options.window = window;
  options.make = [&](std::size_t i) {
    HomeTimelineRequest request;
    request.set_user(users[i]);
    request.set_limit(limit_max);
    request.set_ids_only(true);
    return std::pair{client.at(shard_address_of(users[i], client.service())),
                     std::move(request)};
  };
  options.done = [&](std::size_t i, caf::expected<HomeTimelineReply> reply) {
    if (!reply) {
      failed.push_back(users[i]);
      result.trouble = "home of " + std::to_string(users[i]) + ": "
                       + error_text(reply.error());
      return;
    }
    ++result.read;
    std::vector<actors::tweet_id> ids;
    for (auto& tweet : reply->tweets())
      ids.push_back(tweet.id());
    if (auto wrong = check_order(ids)) {
      ++result.bad;
      result.trouble = "home of " + std::to_string(users[i]) + ": " + *wrong;
    }
  };
  options.progress = [&](std::size_t ended) { shown.update(before + ended); };
  ask_all(client, std::move(options));
  return failed;
}

} // namespace

home_reads read_homes(service_client& client,
                      std::vector<actors::user_id> users,
                      std::chrono::milliseconds timeout,
                      const std::string& label) {
  using clock = std::chrono::steady_clock;
  auto deadline = clock::now() + timeout;
  home_reads result;
  progress shown{label, users.size()};
  do {
    std::vector<actors::user_id> failed;
    std::span<const actors::user_id> left{users};
    while (!left.empty() && clock::now() < deadline) {
      auto count = std::min(left.size(), chunk);
      auto some = read_once(client, left.first(count), result, shown);
      failed.insert(failed.end(), some.begin(), some.end());
      left = left.subspan(count);
    }
    if (!left.empty() && result.trouble.empty())
      result.trouble =
          std::to_string(left.size()) + " homes were not read in time";
    failed.insert(failed.end(), left.begin(), left.end());
    users = std::move(failed);
  } while (!users.empty() && clock::now() < deadline);
  return result;
}

} // namespace rookery::nodes
