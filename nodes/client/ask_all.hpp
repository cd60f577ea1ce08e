#pragma once

#include "nodes/client/service_client.hpp"

#include <caf/event_based_actor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <utility>

namespace rookery::nodes {

/// Many requests of one kind, some of them under way at once.
template <class Request, class Reply>
struct ask_all_options {
  std::size_t count = 0;
  std::size_t window = 64; // under way at once; 1 or more
  /// For each answer; zero = the client's.
  std::chrono::milliseconds timeout{0};
  /// Whom to ask, and what, for 0..count - 1. Called from an actor.
  std::function<std::pair<caf::actor, Request>(std::size_t)> make;
  /// The end of one, from the same actor.
  std::function<void(std::size_t, caf::expected<Reply>)> done;
  /// How many have ended, from the calling thread, about ten times a second.
  std::function<void(std::size_t)> progress = [](std::size_t) {};
};

/// Asks, and returns when all requests have ended, each within the timeout.
template <class Request, class Reply>
void ask_all(service_client& client, ask_all_options<Request, Reply> options) {
  struct state_type {
    ask_all_options<Request, Reply> options;
    caf::timespan timeout;
    std::size_t next = 0;
    std::atomic<std::size_t> ended = 0;
    std::promise<void> finished;

    void go_on(caf::event_based_actor* self,
               const std::shared_ptr<state_type>& shared) {
      if (next == options.count)
        return;
      auto index = next++;
      auto [whom, what] = options.make(index);
      auto end = [=](caf::expected<Reply> result) {
        shared->options.done(index, std::move(result));
        if (++shared->ended == shared->options.count)
          shared->finished.set_value();
        shared->go_on(self, shared);
      };
      self->request(whom, timeout, what)
          .then([=](Reply& x) { end(std::move(x)); },
                [=](caf::error& x) { end(std::move(x)); });
    }
  };
  if (options.count == 0)
    return;
  auto state = std::make_shared<state_type>();
  state->options = std::move(options);
  state->timeout =
      caf::timespan{state->options.timeout.count() > 0 ? state->options.timeout
                                                       : client.timeout()};
  auto finished = state->finished.get_future();
  client.system().spawn([state](caf::event_based_actor* self) {
    for (std::size_t i = 0; i < state->options.window; ++i)
      state->go_on(self, state);
  });
  constexpr std::chrono::milliseconds look{100};
  while (finished.wait_for(look) != std::future_status::ready)
    state->options.progress(state->ended);
  state->options.progress(state->ended);
}

} // namespace rookery::nodes
