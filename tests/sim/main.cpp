// The simulation's program: runs seeds, prints what the faults did, and how to
// replay the first seed that failed.
#include "tests/sim/run.hpp"

#include <CLI/CLI.hpp>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <malloc.h>
#include <map>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace {

using namespace rookery;

struct options {
  std::uint64_t first = 1;
  std::uint64_t count = 1'000;
  std::uint64_t part = 0; // 0: none
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
};

/// What a child says of one seed. Through a pipe: shorter than PIPE_BUF, so
/// that two children never mix.
struct report {
  std::uint64_t seed;
  std::uint64_t hash;
  std::uint64_t events;
  std::uint64_t posts;
  sim::tally effects;
  std::array<char, 256> failure;
};
static_assert(std::is_trivially_copyable_v<report> && sizeof(report) < 4096);

report run(std::uint64_t seed, bool trace) {
  auto x = sim::run(seed, trace);
  report result{seed, x.hash, x.events, x.posts, x.effects, {}};
  x.failure.copy(result.failure.data(), result.failure.size() - 1);
  return result;
}

// What costs time and nobody needs here. A seed takes and frees the same memory
// as the last one: it is kept, not given back to the system each time. SQLite
// has one thread, and nobody asks what memory it has.
void be_quick() {
  constexpr int much = 32 << 20; // bytes; glibc refuses more
  mallopt(M_MMAP_THRESHOLD, much);
  mallopt(M_TRIM_THRESHOLD, much);
  mallopt(M_TOP_PAD, 16 << 20);
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// Processes, not threads: SQLite's random numbers are the program's.
int spawn_children(const options& x) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("sim: pipe");
    std::exit(2);
  }
  // The next seed is whoever's is free, however fast its core is.
  auto* taken = static_cast<std::atomic<std::uint64_t>*>(
      mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (taken == MAP_FAILED) {
    std::perror("sim: mmap");
    std::exit(2);
  }
  new (taken) std::atomic<std::uint64_t>{0};
  for (unsigned job = 0; job < x.jobs; ++job) {
    auto child = fork();
    if (child < 0) {
      std::perror("sim: fork");
      std::exit(2);
    }
    if (child > 0)
      continue;
    close(ends[0]);
    for (std::uint64_t i; (i = taken->fetch_add(1)) < x.count;) {
      auto done = run(x.first + i, false);
      if (write(ends[1], &done, sizeof done) != sizeof done)
        _exit(2); // nobody listens any more
    }
    _exit(0);
  }
  close(ends[1]);
  return ends[0];
}

bool read_one(int from, report& into) {
  auto* at = reinterpret_cast<char*>(&into);
  for (std::size_t have = 0; have < sizeof into;) {
    auto n = read(from, at + have, sizeof into - have);
    if (n <= 0)
      return false;
    have += static_cast<std::size_t>(n);
  }
  return true;
}

// With so many seeds, a fault that never met anything means that the
// simulation no longer makes it.
constexpr std::uint64_t enough_seeds = 1'000;

bool print_effects(const sim::tally& effects, bool enough) {
  bool complete = true;
  for (std::size_t i = 0; i < effects.times.size(); ++i) {
    const auto what = to_string(static_cast<sim::effect>(i));
    const auto never = enough && effects.times[i] == 0;
    std::printf("%10llu  %.*s%s\n",
                static_cast<unsigned long long>(effects.times[i]),
                static_cast<int>(what.size()), what.data(),
                never ? "  FAILED: this never happened" : "");
    complete = complete && !never;
  }
  return complete;
}

/// So many seeds in a row, with a hash of their own: any part of a long run can
/// be run again alone.
class parts {
public:
  explicit parts(const options& all) : all_{all} {}

  /// Prints a part when it is complete.
  void add(const report& one, std::uint64_t hash) {
    if (all_.part == 0)
      return;
    const auto number = (one.seed - all_.first) / all_.part;
    auto& x = open_[number];
    ++x.done;
    x.failed += one.failure[0] == 0 ? 0 : 1;
    x.hash += hash;
    const auto first = all_.first + number * all_.part;
    const auto count = std::min(all_.part, all_.count - (first - all_.first));
    if (x.done < count)
      return;
    std::printf("seeds %llu..%llu failed=%llu hash=%016llx\n",
                static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(first + count - 1),
                static_cast<unsigned long long>(x.failed),
                static_cast<unsigned long long>(x.hash));
    std::fflush(stdout); // it may take hours
    open_.erase(number);
  }

private:
  struct part {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t hash = 0;
  };

  const options& all_;
  std::map<std::uint64_t, part> open_;
};

int run_many(const options& x) {
  auto from = spawn_children(x);
  sim::tally effects;
  std::uint64_t done = 0;
  std::uint64_t events = 0;
  std::uint64_t posts = 0;
  std::uint64_t hash = 0;
  parts in_parts{x};
  std::vector<report> failed;
  for (report one; read_one(from, one);) {
    ++done;
    events += one.events;
    posts += one.posts;
    const auto share = one.hash * (2 * one.seed + 1);
    hash += share; // in whatever order they come
    in_parts.add(one, share);
    effects.add(one.effects);
    if (one.failure[0] != 0)
      failed.push_back(one);
  }
  while (wait(nullptr) > 0) {
  }
  const auto complete = print_effects(effects, done >= enough_seeds);
  std::sort(failed.begin(), failed.end(),
            [](auto& a, auto& b) { return a.seed < b.seed; });
  for (std::size_t i = 0; i < failed.size() && i < 20; ++i)
    std::printf("FAILED seed %llu: %s\n",
                static_cast<unsigned long long>(failed[i].seed),
                failed[i].failure.data());
  std::printf("sim: seeds=%llu failed=%zu events=%llu posts=%llu "
              "hash=%016llx\n",
              static_cast<unsigned long long>(done), failed.size(),
              static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(posts),
              static_cast<unsigned long long>(hash));
  if (!failed.empty())
    std::printf("replay: --seed %llu --trace\n",
                static_cast<unsigned long long>(failed.front().seed));
  if (done != x.count)
    std::printf("sim: %llu seeds ended without a word: their process died\n",
                static_cast<unsigned long long>(x.count - done));
  return failed.empty() && complete && done == x.count ? 0 : 1;
}

int run_one(std::uint64_t seed, bool trace) {
  auto x = run(seed, trace);
  std::printf("sim: seed=%llu events=%llu posts=%llu hash=%016llx %s\n",
              static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(x.events),
              static_cast<unsigned long long>(x.posts),
              static_cast<unsigned long long>(x.hash),
              x.failure[0] == 0 ? "ok" : x.failure.data());
  return x.failure[0] == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  options x;
  std::uint64_t seed = 0;
  bool trace = false;
  CLI::App app{"Runs the service under faults, in virtual time, from seeds."};
  app.add_option("--seeds", x.count, "How many")->capture_default_str();
  app.add_option("--first-seed", x.first, "From which on")
      ->capture_default_str();
  app.add_option("--part", x.part,
                 "Print a hash of each so many seeds, as they end");
  app.add_option("--jobs", x.jobs, "Processes")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  auto* one = app.add_option("--seed", seed, "Only this one");
  app.add_flag("--trace", trace, "Print every event of it")->needs(one);
  CLI11_PARSE(app, argc, argv);
  be_quick();
  return *one ? run_one(seed, trace) : run_many(x);
}
