// The part of fanout_core that tells operators and verifiers how it is.
#include "actors/fanout/fanout_core.hpp"

#include <algorithm>

namespace rookery::actors {

using namespace service::v1;

namespace {

constexpr std::uint32_t entries_limit = 100'000; // in one DumpTimelinesRequest

} // namespace

ShardStatus fanout_core::status() const {
  ShardStatus result;
  result.set_shard(options_.shard);
  result.set_ready(ready_);
  std::uint64_t gaps = 0;
  for (std::uint32_t log = 0; log < cursors_.size(); ++log) {
    auto& applied = *result.add_applied();
    applied.set_log(name_of(log));
    applied.set_seq(inbox_.applied(log, cursors_[log].taken()));
    gaps += cursors_[log].gaps();
  }
  result.set_jobs(expansion_.size());
  result.set_edges(graph_.edges());
  result.set_users(graph_.users().size());
  result.set_complete(homes_.complete_count());
  result.set_building(homes_.building_count());
  auto& counters = homes_.counters();
  result.set_pushed(counters.pushed);
  result.set_pulled(counters.pulled);
  result.set_trimmed(counters.trimmed);
  result.set_duplicates(counters.duplicates);
  result.set_gaps(gaps);
  result.set_timeline_cap(options_.timeline_cap);
  return result;
}

caf::expected<DumpTimelinesReply>
fanout_core::dump(const DumpTimelinesRequest& request) {
  if (request.entries_max() == 0 || request.entries_max() > entries_limit)
    return caf::make_error(errc::invalid_argument,
                           "entries_max="
                               + std::to_string(request.entries_max()));
  auto& users = graph_.users();
  auto less = [&](user_slot a, user_slot b) { return users[a] < users[b]; };
  if (by_user_.size() != users.size()) {
    by_user_.resize(users.size());
    for (user_slot slot = 0; slot < users.size(); ++slot)
      by_user_[slot] = slot;
    std::sort(by_user_.begin(), by_user_.end(), less);
  }
  auto at = by_user_.begin();
  if (request.has_after_user())
    at = std::upper_bound(
        at, by_user_.end(), request.after_user(),
        [&](user_id after, user_slot slot) { return after < users[slot]; });
  DumpTimelinesReply result;
  // An empty timeline counts, too, or a page of them would have no end.
  std::size_t weight = 0;
  for (; at != by_user_.end() && weight < request.entries_max(); ++at) {
    if (homes_.state_of(*at) != homes::state::complete)
      continue;
    auto& entries = *homes_.entries(*at);
    auto ids = entries.ids();
    auto& shown = *result.add_timelines();
    shown.set_user(users[*at]);
    shown.set_floor(entries.floor());
    shown.mutable_ids()->Add(ids.rbegin(), ids.rend());
    weight += std::max<std::size_t>(1, ids.size());
  }
  result.set_last(at == by_user_.end());
  return result;
}

CompletionsReply
fanout_core::completions_after(const CompletionsRequest& request) const {
  auto read = completions_.read(request.after(), options_.completions_page_max);
  CompletionsReply result;
  for (auto& entry : read.entries) {
    result.add_tweet_ids(entry.tweet);
    result.add_latencies_us(entry.latency_us);
  }
  result.set_next(read.next);
  result.set_lost(read.lost);
  return result;
}

} // namespace rookery::actors
