#pragma once

#include "broker/core/fwd.hpp"
#include "broker/core/message.hpp"
#include "broker/core/unsettled.hpp"

#include <cstdint>

namespace rookery::broker {

/// Something the shell must tell a consumer.
struct event {
  enum class kind : std::uint8_t {
    /// Send `message`. The broker has already used one credit for it.
    delivery,
    /// The queue has nothing more: `credit` of the link are given back, and
    /// the broker forgot them.
    drained,
    /// It has become its queue's active consumer.
    activated,
  };

  kind what = kind::delivery;
  /// Whom to tell; `to->options().context` is the shell's own.
  consumer* to = nullptr;
  message_ptr message = nullptr;
  /// To settle it by; 0 for a pre-settled consumer: nothing to settle.
  delivery_id id = 0;
  /// The header's `delivery-count`.
  std::uint32_t delivery_count = 0;
  /// How often the message was given out before.
  std::uint32_t returned_count = 0;
  /// The header's `first-acquirer`: nobody was given this message before.
  bool first_acquirer = true;
  /// `drained` only.
  std::uint32_t credit = 0;
};

} // namespace rookery::broker
