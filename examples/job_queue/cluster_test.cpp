// Two workers and a boss on three nodes, in virtual time, while connections
// break, a worker dies, and the broker does: no job is lost.
#include "testing/cluster.hpp"

#include "job_queue/require.hpp"
#include "job_queue/worker.hpp"
#include "testing/seed.hpp"

#include <cstdlib>
#include <iostream>
#include <map>

using namespace rookery;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t first = 1'001;
constexpr std::uint64_t count = 60;

using results = std::map<std::uint64_t, jobs::Result>; // by number

/// What faults did, over all seeds.
struct {
  std::uint64_t reconnects = 0;
  std::uint64_t asked_again = 0;
} met;

/// Asks until it is told: a request may end with an error, never without end.
void ask(caf::event_based_actor* self, caf::actor workers, results* seen,
         std::uint64_t number) {
  jobs::Job job;
  job.set_number(number);
  self->request(workers, 5s, job)
      .then([=](const jobs::Result& x) { (*seen)[number] = x; },
            [=](const caf::error&) {
              ++met.asked_again;
              ask(self, workers, seen, number);
            });
}

void boss(caf::event_based_actor* self, caf::actor workers, results* seen) {
  for (auto number = first; number < first + count; ++number)
    ask(self, workers, seen, number);
}

void no_job_is_lost(std::uint64_t seed) {
  results seen;
  testing::cluster c{seed};
  c.messages<jobs::Job, jobs::Result>();
  auto& anna = c.add_node("anna", start_worker<testing::node>);
  auto& ben = c.add_node("ben", start_worker<testing::node>);
  auto& office = c.add_node("office", [&](testing::node& self) {
    self.network().declare(bridge::queue_declaration{.name = "jobs"});
    self.system().spawn(boss, self.proxy("jobs"), &seen);
  });

  for (auto* node : {&anna, &ben, &office})
    c.sometime(300ms, [node] { node->cut(); });
  c.sometime(300ms, [&] {
    anna.crash();
    anna.start_after(1s);
  });
  if (c.outside().chance(4))
    c.sometime(300ms, [&] {
      c.broker().crash();
      c.after(500ms, [&] { c.broker().start(); });
    });

  auto all_are_told = [&] { return seen.size() == count; };
  require(c.run_until(all_are_told, 60s), "every job is done within a minute");
  for (auto& [number, result] : seen)
    require(number % result.smallest_factor() == 0, "each is done right");

  for (auto* node : {&ben, &office})
    met.reconnects += node->network().counters().reconnects;
}

} // namespace

int main() {
  testing::each_seed(100, no_job_is_lost);
  std::cout << "connections made again: " << met.reconnects
            << ", jobs asked for again: " << met.asked_again << '\n';
  if (!std::getenv("ROOKERY_SEED")) // one seed need not have met any
    require(met.reconnects > 0 && met.asked_again > 0, "faults met something");
}
