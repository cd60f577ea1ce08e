#include "tests/sim/disk.hpp"

#include "bridge/assert.hpp"
#include "tests/sim/disk_state.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace rookery::sim {

namespace {

std::string_view directory_of(std::string_view name) {
  auto slash = name.rfind('/');
  return slash == name.npos ? std::string_view{} : name.substr(0, slash);
}

/// FNV-1a.
void mix(std::uint64_t& hash, std::string_view bytes) {
  for (auto x : bytes)
    hash = (hash ^ static_cast<unsigned char>(x)) * 0x100000001b3;
  hash = (hash ^ bytes.size()) * 0x100000001b3;
}

} // namespace

void disk_process::retire::operator()(disk_process_state* state) const {
  state->kill();
  sqlite3_vfs_unregister(&state->vfs);
}

const std::string& disk_process::vfs() const { return state_->vfs_name; }

void disk_process::kill() { state_->kill(); }

bool disk_process::killed() const { return state_->killed; }

bool disk_process::in_transaction() const {
  return std::any_of(state_->files.begin(), state_->files.end(),
                     [](auto* x) { return x->node->locks.writes_wal(x); });
}

disk_faults& disk_process::faults() { return state_->faults; }

const disk_counts& disk_process::counts() const { return state_->counts; }

void disk_process_state::kill() {
  if (std::exchange(killed, true))
    return;
  std::vector<std::pair<shared_mapping*, std::weak_ptr<shared_memory>>> left;
  for (auto x : files) {
    x->node->locks.drop(x);
    if (x->wal_index)
      left.emplace_back(x->wal_index.get(), x->wal_index->leave());
  }
  // What only this process had is nobody else's concern.
  for (auto& [mapping, memory] : left)
    if (auto shared = memory.lock())
      mapping->isolate(*shared);
}

bool disk_process_state::may(disk_event what) {
  if (!killed && disk->watcher)
    disk->watcher(name, what);
  return !killed;
}

void disk_state::sync_directory(const std::string& name) {
  auto here = [&](auto& x) {
    return directory_of(x.first) == directory_of(name);
  };
  std::erase_if(durable_entries, here);
  std::copy_if(entries.begin(), entries.end(),
               std::inserter(durable_entries, durable_entries.end()), here);
}

void disk_state::lose_names(std::mt19937_64& dice) {
  std::set<std::string> names;
  for (auto& x : entries)
    names.insert(x.first);
  for (auto& x : durable_entries)
    names.insert(x.first);
  for (auto& name : names) {
    auto is = entries.find(name);
    auto was = durable_entries.find(name);
    auto now = is == entries.end() ? nullptr : is->second;
    auto then = was == durable_entries.end() ? nullptr : was->second;
    if (now != then && dice() % 2 == 0)
      now = then;
    if (now)
      entries[name] = now;
    else
      entries.erase(name);
  }
  durable_entries = entries;
}

disk::disk(std::uint64_t seed) : state_(std::make_unique<disk_state>()) {
  state_->random.seed(seed);
  // Salts of WALs and the like come from a generator of SQLite's own, which
  // takes an int, and 0 for "no seed".
  auto number = static_cast<int>(seed % 0x7fffffff) + 1;
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, number,
                       static_cast<sqlite3*>(nullptr));
}

disk::~disk() {
  for (auto& x : state_->processes)
    ROOKERY_ASSERT(x->files.empty());
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 0,
                       static_cast<sqlite3*>(nullptr));
}

disk_process disk::start(int name) {
  auto& added =
      *state_->processes.emplace_back(std::make_unique<disk_process_state>());
  added.disk = state_.get();
  added.name = name;
  register_vfs(added);
  return disk_process{added};
}

sector_counts disk::power_loss(std::uint64_t seed) {
  for (auto& x : state_->processes)
    x->kill();
  std::mt19937_64 dice{seed};
  state_->lose_names(dice);
  sector_counts result;
  for (auto& [name, node] : state_->entries) {
    auto counts = node->content.lose_power(dice);
    result.kept += counts.kept;
    result.lost += counts.lost;
  }
  return result;
}

void disk::watch(watcher x) { state_->watcher = std::move(x); }

void disk::set_time(std::int64_t unix_ms) { state_->unix_ms = unix_ms; }

std::vector<std::string> disk::files() const {
  std::vector<std::string> result;
  for (auto& x : state_->entries)
    result.push_back(x.first);
  return result;
}

std::uint64_t disk::digest() const {
  std::uint64_t result = 0xcbf29ce484222325;
  for (auto entries : {&state_->entries, &state_->durable_entries})
    for (auto& [name, node] : *entries) {
      mix(result, name);
      mix(result, node->content.cached());
      mix(result, node->content.durable());
    }
  return result;
}

} // namespace rookery::sim
