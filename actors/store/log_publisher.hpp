#pragma once

#include "actors/store/log_store.hpp"

#include <caf/actor.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rookery::store {

/// What a writer needs from the node it runs in.
struct writer_options {
  /// Gets LogBatch and LogHead as asynchronous, anonymous messages; may be
  /// invalid, then nobody does.
  caf::actor publisher = {};
  /// The wall clock, which dates tweets.
  std::function<time_point()> clock = std::chrono::system_clock::now;
  /// A clock that never jumps: idempotency keys grow old by it.
  std::function<std::chrono::steady_clock::time_point()> steady_clock =
      std::chrono::steady_clock::now;
  /// Time between two heads. At least 1 ms.
  caf::timespan head_interval = std::chrono::seconds{1};
  /// Told when the writer has taken its log over; may be empty.
  std::function<void(const ownership&)> on_taken_over = {};
};

/// The reading side of one log: answers and publishes what is committed.
/// @thread its actor's
class log_publisher {
public:
  log_publisher(std::shared_ptr<log_store> store, std::string log,
                writer_options options);

  /// Fails with errc::unknown_log for another log, errc::store_failed.
  [[nodiscard]] caf::expected<service::v1::LogHead>
  head(const service::v1::HeadRequest& request);

  /// Fails with errc::unknown_log, errc::invalid_argument,
  /// errc::store_failed.
  [[nodiscard]] caf::expected<service::v1::LogBatch>
  read(const service::v1::ReadLogRequest& request);

  /// Publishes the head from the store, which may be another process's work.
  /// Publishes nothing when the store cannot be read: the next head will do.
  void publish_head();

  void publish(service::v1::LogBatch batch);

  /// Tells whoever wants to know.
  void taken_over(const ownership& by) const {
    if (options_.on_taken_over)
      options_.on_taken_over(by);
  }

  /// Forgets a bounded number of keys that are old at `now`, and none on
  /// failure.
  void purge_keys(const ownership& owner, time_point now);

  [[nodiscard]] time_point now() const { return options_.clock(); }
  [[nodiscard]] time_point::duration steady() const {
    return options_.steady_clock().time_since_epoch();
  }
  [[nodiscard]] caf::timespan head_interval() const {
    return options_.head_interval;
  }
  [[nodiscard]] const std::string& log() const { return log_; }

private:
  [[nodiscard]] caf::error check_log(const std::string& name) const;

  std::shared_ptr<log_store> store_;
  std::string log_;
  writer_options options_;
};

} // namespace rookery::store
