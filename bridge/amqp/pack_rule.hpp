#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/amqp/wire/pack.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rookery::amqp {

/// Which messages of a row share a transfer: the same row, the same transfers.
class pack_rule {
public:
  /// `bytes_max`: of a message.
  explicit pack_rule(std::uint64_t bytes_max)
      : bytes_max_{std::min<std::uint64_t>(bytes_max, pack_bytes_max)} {}

  /// Whether the next one goes with those before it, or begins a transfer.
  [[nodiscard]] bool joins(const outgoing& x) {
    const auto bytes = x.bytes.size();
    const auto result = may_join_ && x.packs && presettled_ == x.presettled
                        && to_ == x.pack_to && count_ < pack_messages_max
                        && bytes_ + bytes <= bytes_max_;
    if (!result) {
      may_join_ = x.packs;
      presettled_ = x.presettled;
      count_ = 0;
      to_ = x.pack_to;
      bytes_ = pack_overhead_max + to_.size();
    }
    ++count_;
    bytes_ += bytes;
    return result;
  }

  /// The next one begins a transfer.
  void cut() { may_join_ = false; }

private:
  std::uint64_t bytes_max_;
  std::string to_;
  std::uint64_t bytes_ = 0;
  std::size_t count_ = 0;
  bool may_join_ = false;
  bool presettled_ = false;
};

} // namespace rookery::amqp
