#pragma once

#include "broker/connection.hpp"
#include "broker/dispatcher.hpp"
#include "broker/options.hpp"
#include "testing/wire.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace rookery::testing {

/// The embedded broker in its process: everything of it but the sockets. When
/// it crashes or stops, all it held is gone; it comes back empty.
class broker_host final : public host,
                          public std::enable_shared_from_this<broker_host> {
public:
  /// The clocks of `options` are replaced by the world's.
  explicit broker_host(world& outside, broker::broker_options options = {})
      : host{outside, "broker"},
        options_{std::move(options)} {}
  ~broker_host() override { crash(); }

  void start();
  /// Ends without a word; the clients see closed sockets.
  void crash();
  /// Closes every connection in order, and then is gone.
  void stop();
  /// Ends its faults: it runs. One that is stopping starts again after it.
  void heal();
  [[nodiscard]] bool up() const { return shared_ != nullptr; }
  /// When it last went.
  [[nodiscard]] world::clock::time_point gone_at() const { return gone_at_; }

  /// Of a client that is silent for so long no more is expected. For those
  /// that connect from now on.
  std::chrono::milliseconds idle_timeout{4'000};

  /// Takes the server's end of `x`.
  void accept(const std::shared_ptr<wire>& x);

  /// The broker while it is up, for those who check it.
  [[nodiscard]] broker::dispatcher* inside() { return shared_.get(); }
  /// Messages in all queues, ready or with a consumer.
  [[nodiscard]] std::uint64_t held() const;

private:
  struct client final : broker::output {
    void flush() override { line->pump(wire::server); }

    std::shared_ptr<wire> line;
    std::unique_ptr<broker::connection> handler;
  };

  void turn_soon();
  void turn_at(broker::time_point when);
  void keep_time(std::uint64_t incarnation);

  broker::broker_options options_;
  broker::event_sink sink_;
  std::unique_ptr<broker::dispatcher> shared_;
  std::map<std::uint64_t, std::unique_ptr<client>> clients_;
  std::uint64_t last_id_ = 0;
  std::uint64_t incarnation_ = 0;
  bool ending_ = false;
  world::clock::time_point gone_at_{};
};

} // namespace rookery::testing
