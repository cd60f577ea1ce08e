#pragma once

#include <proton/types.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace rookery::amqp {

/// The sessions of a connection that take a channel of ours, or will: each from
/// when one end begins it until END has gone both ways.
/// @thread the engine's
class open_sessions {
public:
  void begin(pn_session_t* x) { begun_.emplace(x, writes_); }
  /// Proton was asked for what there is to write.
  void write() { ++writes_; }
  /// Proton's PN_SESSION_FINAL. Of a session that ended before our BEGIN was
  /// written it comes once more, when our END is; until then that takes a
  /// channel.
  void end(pn_session_t* x) {
    if (auto at = begun_.find(x); at != begun_.end() && at->second != writes_)
      begun_.erase(at);
  }
  [[nodiscard]] std::size_t size() const { return begun_.size(); }

private:
  std::unordered_map<pn_session_t*, std::uint64_t> begun_; // at which write
  std::uint64_t writes_ = 0;
};

} // namespace rookery::amqp
