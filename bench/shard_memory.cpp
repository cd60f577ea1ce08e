// What a shard keeps, in bytes the allocator gave out: for a full timeline, an
// idle user, and the job of a celebrity's tweet.
//   shard_memory FOLLOWERS
#include "bench/fan_out_shard.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <malloc.h>
#include <numeric>

using namespace rookery;

namespace {

constexpr std::size_t timelines = 1'000;
constexpr std::size_t entries = 800;
constexpr std::size_t jobs = 4'000;
constexpr actors::user_id celebrity = 0;

double bytes_in_use() {
  auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

void run(std::size_t followers) {
  std::vector<nodes::edge> edges;
  for (std::size_t i = 1; i <= followers; ++i)
    edges.push_back({i, celebrity});
  bench::fan_out_shard shard{edges};
  const auto empty = bytes_in_use();
  shard.start();
  const auto idle = bytes_in_use();

  std::vector<actors::user_id> readers(timelines);
  std::iota(readers.begin(), readers.end(), 1);
  shard.read_homes(readers);
  const std::vector<actors::user_id> tweet{celebrity};
  for (std::size_t i = 0; i < entries; ++i) {
    shard.post(tweet);
    shard.expand();
  }
  const auto full = bytes_in_use();

  for (std::size_t i = 0; i < jobs; ++i)
    shard.post(tweet); // and no turn to expand it
  const auto waiting = bytes_in_use();

  auto per = [](double bytes, std::size_t count) {
    return bytes / static_cast<double>(count);
  };
  std::cout << "{\"full_timeline\": " << per(full - idle, timelines)
            << ", \"idle_user\": " << per(idle - empty, followers)
            << ", \"celebrity_job\": " << per(waiting - full, jobs) << "}"
            << std::endl;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: shard_memory FOLLOWERS\n";
    return 2;
  }
  run(std::strtoull(argv[1], nullptr, 10));
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "shard_memory: " << failed.what() << '\n';
  return 1;
}
