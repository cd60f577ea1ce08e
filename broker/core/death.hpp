#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::broker {

/// Why a queue gave up a message that nobody accepted.
enum class death_reason : std::uint8_t {
  /// A consumer refused it.
  rejected,
  /// It waited for longer than its time to live.
  expired,
  /// The queue was full and dropped its head.
  maxlen,
  /// It came back too often.
  delivery_limit,
};

/// As RabbitMQ writes it.
[[nodiscard]] std::string_view to_string(death_reason why);

/// Where a message was published to; an empty exchange is the default one.
struct publication {
  std::string exchange;
  std::string key;
};

/// Every time that one queue gave up one message for one reason.
struct death {
  using time = std::chrono::system_clock::time_point;

  std::string queue;
  death_reason reason = death_reason::rejected;
  std::uint64_t count = 0;
  time first_time = {};
  time last_time = {};
  /// Where it was published to before it came into the queue.
  publication published_to = {};
  /// What it was published with then.
  std::optional<std::chrono::milliseconds> ttl = std::nullopt;
};

/// What became of a message before it came where it is, at most one record for
/// each queue and reason.
struct death_history {
  std::vector<death> records; // the latest first; never empty
  // Of the very first one, which may have come to the front again since.
  std::string first_queue;
  std::string first_exchange;
  death_reason first_reason = death_reason::rejected;

  /// Adds a death. `once.count` is ignored.
  void record(death once);

  /// Whether `queue` gave this message up before, and since then no consumer
  /// refused it: then it would go round for ever.
  [[nodiscard]] bool is_cycle(std::string_view queue) const;
};

/// What they take in memory.
[[nodiscard]] std::size_t bytes_of(const publication& x);
[[nodiscard]] std::size_t bytes_of(const death_history& x);

} // namespace rookery::broker
