// The worker alone: one actor, no node, no broker, no threads.
#include "job_queue/worker.hpp"

#include "job_queue/require.hpp"
#include "testing/test_system.hpp"

using namespace rookery;

int main() {
  testing::test_system t;
  auto anna = t.spawn(worker, std::string{"anna"});

  jobs::Job job;
  job.set_number(91);
  auto result = t.ask<jobs::Result>(anna, job);
  require(result && result->smallest_factor() == 7, "91 is 7 times 13");
  require(result->worker() == "anna", "a result names its worker");

  job.set_number(97);
  result = t.ask<jobs::Result>(anna, job);
  require(result && result->smallest_factor() == 97, "97 is a prime");
}
