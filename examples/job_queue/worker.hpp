// A worker, and how a node comes to have one. Apart from the program, so that
// tests can use it, too.
#pragma once

#include "proto/caf_message.hpp"

#include "job_queue/jobs.pb.h"

#include <caf/event_based_actor.hpp>

#include <cstdint>
#include <string>
#include <utility>

inline caf::behavior worker(caf::event_based_actor*, std::string name) {
  return {
      [name = std::move(name)](const jobs::Job& job) {
        std::uint64_t factor = 2;
        while (factor * factor <= job.number() && job.number() % factor != 0)
          ++factor;
        auto is_prime = factor * factor > job.number();
        jobs::Result result;
        result.set_number(job.number());
        result.set_smallest_factor(is_prime ? job.number() : factor);
        result.set_worker(name);
        return result;
      },
  };
}

/// `Node` is rookery::node in the program and testing::node in a test.
template <class Node>
void start_worker(Node& self) {
  auto make = [&self] { return self.system().spawn(worker, self.name()); };
  self.serve("jobs", make, {.window = 1});
}
