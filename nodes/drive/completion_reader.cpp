#include "nodes/drive/completion_reader.hpp"

#include "nodes/client/ask_all.hpp"

#include "rookery/service/v1/timeline.pb.h"

namespace rookery::nodes {

namespace {

using service::v1::CompletionsReply;
using service::v1::CompletionsRequest;

constexpr std::chrono::milliseconds interval{250};
constexpr std::size_t open_max = 500'000;
// More rounds than this at the end: the shards are still being written to.
constexpr int rounds_max = 100;

} // namespace

completion_reader::completion_reader(service_client& client, lag_log& lags)
    : client_(client),
      lags_(lags),
      tracker_(client.service().shards, open_max),
      after_(client.service().shards) {}

void completion_reader::skip() {
  for (int round = 0; round < rounds_max && read(false); ++round) {
  }
}

void completion_reader::poll() {
  auto now = std::chrono::steady_clock::now();
  if (now < next_)
    return;
  read(true);
  next_ = now + interval;
}

void completion_reader::finish() {
  for (int round = 0; round < rounds_max && read(true); ++round) {
  }
  tracker_.finish();
}

bool completion_reader::read(bool keep) {
  auto found = false;
  ask_all_options<CompletionsRequest, CompletionsReply> options;
  options.count = after_.size();
  options.window = after_.size();
  options.make = [&](std::size_t i) {
    CompletionsRequest request;
    request.set_after(after_[i]);
    auto shard = static_cast<std::uint32_t>(i);
    return std::pair{client_.at(shard_address(shard, client_.service())),
                     std::move(request)};
  };
  options.done = [&](std::size_t i, caf::expected<CompletionsReply> reply) {
    if (!reply)
      return;
    after_[i] = reply->next(); // smaller again when the shard has moved
    found = found || reply->tweet_ids_size() > 0;
    if (!keep)
      return;
    lost_ += reply->lost();
    auto count = std::min(reply->tweet_ids_size(), reply->latencies_us_size());
    for (int j = 0; j < count; ++j) {
      tracker_.add(reply->tweet_ids(j), reply->latencies_us(j));
      lags_.told(reply->tweet_ids(j), reply->latencies_us(j));
    }
  };
  ask_all(client_, std::move(options));
  return found;
}

} // namespace rookery::nodes
