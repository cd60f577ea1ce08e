#pragma once

#include "nodes/client/service_client.hpp"
#include "nodes/load/shard_progress.hpp"

#include <cstdint>
#include <string>
#include <thread>

namespace rookery::nodes {

/// Asks all shards and writers about ten times a second how far they are, and
/// tells it in a small file, so that whoever disturbs a load can say when the
/// service was whole again. The file is replaced whole, by renaming; a JSON
/// object, times in microseconds since the Unix epoch:
///
///     started_us        when the load began
///     asked_us          before the shards were asked
///     silent            of these, how many are not ready or did not answer
///                       within a second
///     writers_asked_us  the same of the writers, which are asked when the
///     writers_silent    file is written: these are from the round before
///
/// A file that cannot be written is tried again the next time.
/// @thread its own, which uses `client`
class status_file {
public:
  status_file(service_client& client, std::string name);
  /// As `stop`.
  ~status_file();
  status_file(const status_file&) = delete;
  status_file& operator=(const status_file&) = delete;

  /// Ends it, waiting for the questions under way: two seconds at most.
  void stop();
  /// After `stop`: entries that the shards pushed meanwhile, over their lives.
  [[nodiscard]] std::uint64_t pushed() const { return shards_.pushed(); }

private:
  void run(const std::stop_token& stop);
  void ask_shards();
  void ask_writers();
  void write() const;

  service_client& client_;
  std::string name_;
  shard_progress shards_;
  std::uint64_t started_us_;
  std::uint64_t asked_us_ = 0;
  std::uint64_t writers_asked_us_ = 0;
  std::uint64_t writers_silent_ = 0;
  std::jthread thread_; // the last: it uses the others
};

} // namespace rookery::nodes
