#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rookery::sim {

/// What a fault really did; a fault that met nothing does not count.
enum class effect : std::uint8_t {
  cut_with_unsettled,
  cut_in_transfer,
  delivery_repeated,
  handler_failed,
  handler_hung,
  poison_parked,
  nonsense_refused,
  end_told,
  monitor_taken_back,
  question_unanswered,
  late_reply,
  fired_arrived,
  taken_along,
  oldest_dropped,
  too_many_requests,
  declaration_refused,
  spill_inherited,
  spill_kept,
  spill_expired,
  transfer_shared,
  part_returned,
  outcome_lost,
  settled_without_outcome,
  bytes_delayed,
  silence_ended_connection,
  node_crash_with_work,
  vanished,
  crash_in_transaction,
  crash_after_commit,
  pause_with_messages,
  pause_given_up,
  broker_crash_with_messages,
  broker_restart,
  power_loss_lost_sectors,
  clock_jump,
  disk_full_refused,
  fsync_failed,
  start_on_bad_disk,
  slow_consumer,
  planned_stop,
  owner_changed,
  reconnect,
  count_
};

struct tally {
  std::array<std::uint64_t, static_cast<std::size_t>(effect::count_)> times{};

  void add(effect x, std::uint64_t n = 1) {
    times[static_cast<std::size_t>(x)] += n;
  }
  void add(const tally& x) {
    for (std::size_t i = 0; i < times.size(); ++i)
      times[i] += x.times[i];
  }
};

[[nodiscard]] std::string_view to_string(effect x);

} // namespace rookery::sim
