#include "nodes/drive/status_file.hpp"

#include "actors/log_name.hpp"
#include "nodes/client/ask_all.hpp"
#include "nodes/load/json_object.hpp"

#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/timeline.pb.h"

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>

namespace rookery::nodes {

namespace {

using namespace service::v1;

constexpr std::chrono::milliseconds interval{100};
constexpr std::chrono::milliseconds timeout{1'000};

std::uint64_t wall_us() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

} // namespace

status_file::status_file(service_client& client, std::string name)
    : client_(client),
      name_(std::move(name)),
      shards_(client.service().shards),
      started_us_(wall_us()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

status_file::~status_file() { stop(); }

void status_file::stop() {
  thread_.request_stop();
  if (thread_.joinable())
    thread_.join();
}

void status_file::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  while (!stop.stop_requested()) {
    auto next = std::chrono::steady_clock::now() + interval;
    ask_shards();
    write();
    ask_writers();
    std::unique_lock lock{mutex};
    changed.wait_until(lock, stop, next, [] { return false; });
  }
}

void status_file::ask_shards() {
  auto& service = client_.service();
  asked_us_ = wall_us();
  shards_.begin();
  ask_all_options<ShardStatusRequest, ShardStatus> options;
  options.count = service.shards;
  options.window = service.shards;
  options.timeout = timeout;
  options.make = [&](std::size_t i) {
    auto shard = static_cast<std::uint32_t>(i);
    return std::pair{client_.at(shard_address(shard, service)),
                     ShardStatusRequest{}};
  };
  options.done = [&](std::size_t i, caf::expected<ShardStatus> reply) {
    if (reply)
      shards_.take(static_cast<std::uint32_t>(i), reply->ready(),
                   reply->pushed());
  };
  ask_all(client_, std::move(options));
}

void status_file::ask_writers() {
  auto& service = client_.service();
  writers_asked_us_ = wall_us();
  writers_silent_ = 0;
  ask_all_options<HeadRequest, LogHead> options;
  options.count = service.tweet_partitions + service.shards;
  options.window = options.count;
  options.timeout = timeout;
  options.make = [&](std::size_t i) {
    auto index = static_cast<std::uint32_t>(i);
    auto tweets = index < service.tweet_partitions;
    if (!tweets)
      index -= service.tweet_partitions;
    HeadRequest request;
    request.set_log(tweets ? actors::tweet_log(index)
                           : actors::follow_log(index));
    return std::pair{client_.at(tweets ? tweet_address(index, service)
                                       : follow_address(index, service)),
                     std::move(request)};
  };
  options.done = [&](std::size_t, caf::expected<LogHead> reply) {
    writers_silent_ += reply ? 0 : 1;
  };
  ask_all(client_, std::move(options));
}

void status_file::write() const {
  json_object result;
  result.add("started_us", started_us_)
      .add("asked_us", asked_us_)
      .add("silent", shards_.silent())
      .add("writers_asked_us", writers_asked_us_)
      .add("writers_silent", writers_silent_);
  auto fresh = name_ + ".new";
  if (std::ofstream file{fresh}; !(file << result.text() << std::endl))
    return;
  static_cast<void>(std::rename(fresh.c_str(), name_.c_str()));
}

} // namespace rookery::nodes
