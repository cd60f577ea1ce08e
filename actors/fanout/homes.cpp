#include "actors/fanout/homes.hpp"

#include <algorithm>
#include <utility>

namespace rookery::actors {

bool homes::begin(user_slot reader, std::uint32_t pulls) {
  if (building_ >= limits_.builds_max)
    return false;
  if (homes_.size() <= reader)
    homes_.resize(reader + 1);
  if (held_ >= limits_.timelines_max)
    make_room();
  homes_[reader] = std::make_unique<home>();
  homes_[reader]->generation = ++generations_;
  homes_[reader]->building = std::make_unique<build>(build{pulls, {}});
  ++held_;
  ++building_;
  return true;
}

bool homes::expect(user_slot reader, std::uint32_t pulls) {
  auto* target = find(reader);
  if (!target->building) {
    if (building_ >= limits_.builds_max) {
      drop(reader);
      return false;
    }
    target->building = std::make_unique<build>();
    ++building_;
  }
  target->building->pulls += pulls;
  return true;
}

bool homes::postpone(user_slot reader, const std::vector<user_slot>& authors) {
  auto* target = find(reader);
  if (target == nullptr || !target->building)
    return false;
  auto& all = target->building->postponed;
  if (all.size() + authors.size() > limits_.kept_max)
    drop(reader);
  else
    all.insert(all.end(), authors.begin(), authors.end());
  return true;
}

std::vector<user_slot> homes::take_postponed(user_slot reader) {
  auto* target = find(reader);
  if (target == nullptr || !target->building || target->building->pulls > 0)
    return {};
  return std::exchange(target->building->postponed, {});
}

void homes::merge(user_slot reader, std::span<const tweet_id> ids,
                  bool reaches_back) {
  auto* target = find(reader);
  auto& entries = target->entries;
  auto& deleted = target->building->deleted;
  // Ascending, as the reply is descending: appending is cheap.
  for (auto at = ids.rbegin(); at != ids.rend(); ++at)
    if (std::find(deleted.begin(), deleted.end(), *at) == deleted.end())
      count(entries.insert(*at, limits_.timeline, counters_.trimmed),
            counters_.pulled);
  if (!reaches_back && !ids.empty())
    counters_.trimmed +=
        entries.raise_floor(*std::min_element(ids.begin(), ids.end()) - 1);
  if (--target->building->pulls > 0 || !target->building->postponed.empty())
    return;
  target->building.reset();
  --building_;
  if (entries.is_short(limits_.timeline))
    drop(reader);
}

void homes::insert(user_slot reader, tweet_id id) {
  auto* target = find(reader);
  if (target == nullptr)
    return;
  if (limits_.drop_one && !target->building)
    return withhold(reader, *target, id);
  count(target->entries.insert(id, limits_.timeline, counters_.trimmed),
        counters_.pushed);
}

bool homes::erase(user_slot reader, tweet_id id) {
  if (withheld_.id == id)
    withheld_ = {};
  auto* target = find(reader);
  if (target == nullptr)
    return false;
  auto erased = target->entries.erase(id);
  if (target->building) {
    auto& deleted = target->building->deleted;
    deleted.push_back(id);
    if (deleted.size() <= limits_.kept_max)
      return false;
  } else if (!erased || !target->entries.is_short(limits_.timeline)) {
    return false;
  }
  drop(reader);
  return true;
}

void homes::drop(user_slot reader) {
  auto* target = find(reader);
  if (target == nullptr)
    return;
  if (target->building)
    --building_;
  --held_;
  homes_[reader].reset();
}

void homes::mark_read(user_slot reader) {
  if (auto* target = find(reader))
    target->read = true;
}

void homes::prefetch_home(user_slot reader) const {
  __builtin_prefetch(find(reader), 1);
}

void homes::prefetch_entries(user_slot reader) const {
  if (auto* target = find(reader))
    target->entries.prefetch();
}

homes::state homes::state_of(user_slot reader) const {
  auto* target = find(reader);
  if (target == nullptr)
    return state::absent;
  return target->building ? state::building : state::complete;
}

std::uint64_t homes::generation(user_slot reader) const {
  auto* target = find(reader);
  return target == nullptr ? 0 : target->generation;
}

const timeline* homes::entries(user_slot reader) const {
  auto* target = find(reader);
  return target == nullptr ? nullptr : &target->entries;
}

homes::home* homes::find(user_slot reader) const {
  return reader < homes_.size() ? homes_[reader].get() : nullptr;
}

void homes::count(timeline::outcome outcome, std::uint64_t& inserted) {
  if (outcome == timeline::outcome::inserted)
    ++inserted;
  else if (outcome == timeline::outcome::duplicate)
    ++counters_.duplicates;
}

void homes::withhold(user_slot reader, home& target, tweet_id id) {
  auto ids = target.entries.ids();
  if (id <= target.entries.floor()
      || std::binary_search(ids.begin(), ids.end(), id))
    return;
  auto previous = std::exchange(withheld_, {reader, target.generation, id});
  auto* released = find(previous.reader);
  if (released != nullptr && released->generation == previous.generation)
    count(released->entries.insert(previous.id, limits_.timeline,
                                   counters_.trimmed),
          counters_.pushed);
}

void homes::make_room() {
  // Second chance: a timeline read since the last round stays for one more.
  for (std::size_t looked_at = 0; looked_at < 2 * homes_.size(); ++looked_at) {
    sweep_ = sweep_ + 1 < homes_.size() ? sweep_ + 1 : 0;
    auto* candidate = find(sweep_);
    if (candidate == nullptr || candidate->building)
      continue;
    if (!std::exchange(candidate->read, false))
      return drop(sweep_);
  }
}

} // namespace rookery::actors
