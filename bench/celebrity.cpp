// A user with very many followers, at a running service.
//   celebrity prepare PORT FOLLOWERS           everybody follows, and has read
//   celebrity post    PORT COUNT PER_SECOND    when was it in all timelines?
// Its tweets are posted when they are due, whatever became of the last one, and
// a latency counts from when the tweet was due to the last follower's insert.
#include "nodes/client/edge_import.hpp"
#include "nodes/client/quiet.hpp"
#include "nodes/drive/completion_reader.hpp"
#include "nodes/drive/home_reads.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/send.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

using namespace rookery;
using namespace std::chrono_literals;

namespace {

using wall_clock = std::chrono::system_clock; // as of the shards

constexpr actors::user_id celebrity = 1'000'000;

nodes::client_options options(const char* port) {
  nodes::client_options result;
  result.brokers = {{"127.0.0.1", static_cast<std::uint16_t>(std::atoi(port))}};
  return result;
}

void wait_until_quiet(nodes::service_client& client) {
  auto quiet = nodes::wait_until_quiet(
      client, [&](auto timeout) { return nodes::ask_heads(client, timeout); },
      60s);
  if (!quiet)
    throw std::runtime_error{quiet.error()};
}

void prepare(nodes::service_client& client, std::size_t count) {
  std::vector<nodes::edge> edges;
  std::vector<actors::user_id> followers(count);
  std::iota(followers.begin(), followers.end(), 0);
  for (auto follower : followers)
    edges.push_back({follower, celebrity});
  auto imported = nodes::import_edges(client, edges, {});
  if (imported.failure)
    throw std::runtime_error{*imported.failure};
  wait_until_quiet(client);
  auto homes = nodes::read_homes(client, followers, 120s, "read homes");
  if (homes.read < count)
    throw std::runtime_error{homes.trouble};
}

service::v1::PostTweetRequest tweet(wall_clock::time_point due) {
  service::v1::PostTweetRequest result;
  result.set_author(celebrity);
  result.set_text("caw");
  result.set_intended_at_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(
          due.time_since_epoch())
          .count()));
  return result;
}

void post(nodes::service_client& client, std::size_t count, double rate) {
  nodes::lag_log lags;
  nodes::completion_reader completions{client, lags};
  completions.skip();
  auto writer = client.at(nodes::tweet_address_of(celebrity, client.service()));
  const std::chrono::duration<double> interval{1 / rate};
  const auto begin = wall_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto due = begin
                     + std::chrono::duration_cast<wall_clock::duration>(
                         interval * static_cast<double>(i));
    std::this_thread::sleep_until(due);
    caf::anon_send(writer, tweet(due));
    completions.poll();
  }
  wait_until_quiet(client);
  completions.finish();
  const auto& all = completions.latencies();
  auto ms = [&](double share) {
    return static_cast<double>(all.percentile(share)) / 1e3;
  };
  std::cout << "{\"count\": " << all.count() << ", \"p50_ms\": " << ms(0.5)
            << ", \"p99_ms\": " << ms(0.99)
            << ", \"max_ms\": " << static_cast<double>(all.max()) / 1e3 << "}"
            << std::endl;
}

} // namespace

int main(int argc, char** argv) try {
  const auto posts = argc == 5 && argv[1] == std::string{"post"};
  if (!posts && (argc != 4 || argv[1] != std::string{"prepare"})) {
    std::cerr << "usage: celebrity prepare PORT FOLLOWERS\n"
                 "       celebrity post PORT COUNT PER_SECOND\n";
    return 2;
  }
  nodes::service_client client{options(argv[2])};
  if (auto why = client.connect())
    throw std::runtime_error{*why};
  const auto count = std::strtoull(argv[3], nullptr, 10);
  if (posts)
    post(client, count, std::atof(argv[4]));
  else
    prepare(client, count);
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "celebrity: " << failed.what() << '\n';
  return 1;
}
