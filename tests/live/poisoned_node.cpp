// A node of dlq_test.py: what it serves is parked the first time it comes, and
// taken the second time. Its queues are named after the variable POISONED.
#include "nodes/program/node.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <cstdlib>
#include <set>

using namespace rookery;
using service::v1::PostTweetRequest;

namespace {

struct state {
  std::set<std::uint64_t> seen; // authors
};

caf::behavior poisoned(caf::stateful_actor<state>* self) {
  return {[self](const PostTweetRequest& x) -> caf::result<void> {
    if (self->state.seen.insert(x.author()).second)
      return caf::make_error(bridge::errc::poison, "never seen this author");
    return caf::unit;
  }};
}

} // namespace

int main(int argc, char** argv) {
  const char* name = std::getenv("POISONED");
  if (name == nullptr)
    return 2;
  const std::string prefix{name};
  node self;
  self.messages<PostTweetRequest>();
  self.role("poisoned", [prefix](node& x) {
    for (const auto* each : {".dead", ".other"})
      x.network().declare(bridge::queue_declaration{.name = prefix + each});
    bridge::serve_options options;
    options.queue->dead_letter_exchange = "";
    options.queue->dead_letter_key = prefix + ".dead";
    x.serve(
        prefix + ".work", [&x] { return x.system().spawn(poisoned); }, options);
  });
  return self.run(argc, argv);
}
