// CAF's own remoting: direct TCP, nothing acknowledged, nothing bounded.
//   basp sink PORT COUNT
//   basp source PORT COUNT
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using clock_type = std::chrono::steady_clock;

// As in tell.proto.
struct tweet {
  std::uint64_t id;
  std::string text;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tweet& x) {
  return f(caf::meta::type_name("tweet"), x.id, x.text);
}

struct config : caf::actor_system_config {
  config() {
    add_message_type<tweet>("tweet");
    load<caf::io::middleman>();
  }
};

struct seen {
  std::uint64_t count = 0;
  clock_type::time_point begin;
};

caf::behavior sink(caf::stateful_actor<seen>* self, std::uint64_t count) {
  return {[self, count](const tweet&) {
    auto& state = self->state;
    if (++state.count == 1)
      state.begin = clock_type::now();
    if (state.count < count)
      return;
    std::cout << "{\"count\": " << count << ", \"seconds\": "
              << std::chrono::duration<double>(clock_type::now() - state.begin)
                     .count()
              << "}" << std::endl;
    self->quit();
  }};
}

int failed(caf::actor_system& system, const caf::error& why) {
  std::cerr << "basp: " << system.render(why) << '\n';
  return 1;
}

int serve(caf::actor_system& system, std::uint16_t port, std::uint64_t count) {
  auto self = system.spawn(sink, count);
  auto bound = system.middleman().publish(self, port, "127.0.0.1");
  if (!bound)
    return failed(system, bound.error());
  std::cerr << "ready" << std::endl;
  system.await_all_actors_done();
  return 0;
}

int send(caf::actor_system& system, std::uint16_t port, std::uint64_t count) {
  auto to = system.middleman().remote_actor("127.0.0.1", port);
  if (!to)
    return failed(system, to.error());
  tweet x{0, std::string(128, 'x')};
  for (; x.id < count; ++x.id)
    caf::anon_send(*to, x);
  // Nothing tells when all has arrived but the end of the other.
  caf::scoped_actor self{system};
  self->monitor(*to);
  self->receive([](const caf::down_msg&) {});
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4)
    return 2;
  config settings;
  caf::actor_system system{settings};
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  const auto count = std::strtoull(argv[3], nullptr, 10);
  return argv[1] == std::string{"sink"} ? serve(system, port, count)
                                        : send(system, port, count);
}
