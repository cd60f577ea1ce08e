#include "actors/fanout/fanout_options.hpp"

#include "actors/errc.hpp"

#include <string>

namespace rookery::actors {

namespace {

struct range {
  const char* name;
  std::uint64_t value;
  std::uint64_t min;
  std::uint64_t max;
};

} // namespace

caf::error validate(const fanout_options& x) {
  constexpr std::uint64_t any = 0xffffffffU;
  auto ms = [](std::chrono::milliseconds span) {
    return static_cast<std::uint64_t>(span.count()); // negative: too great
  };
  const range ranges[] = {
      {"shards", x.shards, 1, any},
      {"shard", x.shard, 0, x.shards - std::uint64_t{1}},
      {"tweet_partitions", x.tweet_partitions, 1, 1'024},
      {"timeline_cap", x.timeline_cap, 1, 10'000},
      {"quantum", x.quantum, 1, any},
      {"authors_max", x.authors_max, 1, any},
      {"batches_max", x.batches_max, 1, any},
      {"reads_max", x.reads_max, 1, any},
      {"users_max", x.users_max, 1, any},
      {"timelines_max", x.timelines_max, 1, any},
      {"builds_max", x.builds_max, 1, any},
      {"kept_max", x.kept_max, 1, any},
      {"requests_max", x.requests_max, 1, any},
      {"completions_max", x.completions_max, 1, any},
      {"completions_page_max", x.completions_page_max, 1, any},
      {"handover_time", ms(x.handover_time), 0, any},
      {"read_timeout", ms(x.read_timeout), 1, any},
      {"request_timeout", ms(x.request_timeout), 1, any},
      {"retry_min", ms(x.retry_min), 1, any},
      {"retry_max", ms(x.retry_max), ms(x.retry_min), any},
  };
  for (auto& [name, value, min, max] : ranges)
    if (value < min || value > max)
      return caf::make_error(errc::invalid_argument,
                             std::string{name} + "=" + std::to_string(value));
  return caf::none;
}

homes_limits limits_of(const fanout_options& options) {
  return {.timeline = {options.timeline_cap},
          .timelines_max = options.timelines_max,
          .builds_max = options.builds_max,
          .kept_max = options.kept_max,
          .drop_one = options.drop_one};
}

} // namespace rookery::actors
