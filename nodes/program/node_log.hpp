#pragma once

#include "bridge/observer.hpp"
#include "broker/event_sink.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace spdlog {
class logger;
}

namespace rookery::nodes {

using severity = bridge::observer::severity;

/// Writes events to stderr, one line each, as logfmt:
///
///     time=... level=info node=a event=ready roles=tweet
///
/// Values with blanks are quoted. Of one event below error at most ten lines a
/// second are written; the next one after that says how many were left out.
/// @thread any
class node_log final : public bridge::observer, public broker::event_sink {
public:
  using field = std::pair<std::string_view, std::string_view>;

  /// @param level debug, info, warning or error: less severe is left out
  node_log(const std::string& level, const std::string& node_name);
  ~node_log() override;

  void write(severity level, std::string_view event,
             std::initializer_list<field> fields = {}) noexcept;

  // bridge::observer
  void on_event(severity level, std::string_view name,
                std::string_view text) noexcept override;
  // broker::event_sink
  void connection_opened(std::uint64_t connection,
                         std::string_view peer) noexcept override;
  void connection_closed(std::uint64_t connection,
                         std::string_view reason) noexcept override;
  void connection_refused(std::string_view reason) noexcept override;
  void attach_refused(std::uint64_t connection, std::string_view link,
                      std::string_view reason) noexcept override;
  void session_ended(std::uint64_t connection, std::string_view link,
                     std::string_view reason) noexcept override;
  void consumer_active(std::string_view queue,
                       std::string_view peer) noexcept override;
  void message_refused(std::uint64_t connection, std::string_view link,
                       std::string_view reason) noexcept override;

private:
  using clock = std::chrono::steady_clock;

  /// How often an event was seen lately.
  struct allowance {
    clock::time_point since;
    std::uint32_t written = 0;
    std::uint64_t left_out = 0;
  };

  /// Whether the event may be written now. Sets how many were left out.
  bool allowed(std::string_view event, std::uint64_t& left_out);

  std::shared_ptr<spdlog::logger> logger_;
  std::string node_name_;
  /// The name of a client; empty when it is not open.
  [[nodiscard]] std::string_view
  peer_of(std::uint64_t connection) const noexcept;

  std::mutex mutex_; // guards allowances_
  std::map<std::string, allowance, std::less<>> allowances_; // events_max
  /// The clients of the broker that are open, by connection. Its thread's.
  std::map<std::uint64_t, std::string> peers_;
};

} // namespace rookery::nodes
