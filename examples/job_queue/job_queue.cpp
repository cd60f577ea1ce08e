// A job queue: a boss asks for the smallest factor of numbers, and as many
// workers as there are share the work, on whatever nodes they are.
//   job_queue --roles boss --listen 127.0.0.1:5672   has the broker, too
//   job_queue --roles worker --name anna             as often as you like
#include "job_queue/worker.hpp"
#include "nodes/program/node.hpp"

#include <iostream>

using namespace rookery;
using namespace std::chrono_literals;

void boss(caf::event_based_actor* self, caf::actor workers, node* owner) {
  constexpr std::uint64_t first = 1'000'000'000'001;
  constexpr std::uint64_t count = 60;
  auto left = std::make_shared<std::uint64_t>(count);
  for (auto number = first; number < first + count; ++number) {
    jobs::Job job;
    job.set_number(number);
    self->request(workers, 60s, job)
        .then(
            [=](const jobs::Result& x) {
              std::cout << x.number() << ": " << x.smallest_factor() << " ("
                        << x.worker() << ")\n";
              if (--*left == 0)
                owner->stop();
            },
            [=](const caf::error& x) {
              owner->fail("not all were done: " + self->system().render(x));
            });
  }
}

int main(int argc, char** argv) {
  node self;
  self.messages<jobs::Job, jobs::Result>();
  self.role("worker", start_worker<node>);
  self.role("boss", [](node& x) {
    // So that jobs can wait for the first worker.
    x.network().declare(bridge::queue_declaration{.name = "jobs"});
    x.system().spawn(boss, x.proxy("jobs"), &x);
  });
  return self.run(argc, argv);
}
