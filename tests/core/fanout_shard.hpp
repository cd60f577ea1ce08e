#pragma once

#include "actors/fanout/fanout_core.hpp"
#include "tests/core/fanout_world.hpp"
#include "tests/support/catch.hpp"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace rookery::actors::tests {

/// Most cases are not about owners that follow each other.
inline fanout_options alone() {
  fanout_options result;
  result.handover_time = {};
  return result;
}

/// One shard over a store in memory, and what it did. `held` says which
/// requests are not answered.
struct shard {
  explicit shard(fanout_options x = alone())
      : options{x},
        world{x.tweet_partitions, x.shard, x.shards},
        core{x} {}

  void start() {
    core.start(now);
    settle();
  }

  /// Does and answers everything, but for what is held.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& x : core.take_effects()) {
        busy = true;
        take(x);
      }
      if (!works)
        continue;
      busy = busy || core.has_work();
      core.work(now);
    }
  }

  void take(effect& x) {
    if (auto* batch = std::get_if<finish_batch>(&x))
      finished.push_back(batch->token);
    else if (auto* answer = std::get_if<answer_read>(&x))
      answers.push_back(*answer);
    else if (auto* failure = std::get_if<fail_read>(&x))
      failures.push_back(*failure);
    else if (auto& request = std::get<send_request>(x); held(request.request))
      waiting.push_back(request);
    else
      respond(request);
  }

  void respond(const send_request& x) {
    core.reply(x.ticket, world.answer(x.request, x.writer), now);
  }

  /// Answers what was held, from the store as it is now.
  void release() {
    held = [](auto&) { return false; };
    for (auto& x : std::exchange(waiting, {}))
      respond(x);
    settle();
  }

  /// Publishes all of a log in one batch.
  std::uint64_t publish(std::uint32_t log, std::uint64_t first = 1) {
    auto error = core.take_batch(++token, world.batch(log, first, 1000), now);
    CHECK_FALSE(error);
    settle();
    return token;
  }

  std::uint64_t read(user_id user, bool ids_only = true,
                     std::uint32_t limit = 200) {
    service::v1::HomeTimelineRequest request;
    request.set_user(user);
    request.set_limit(limit);
    request.set_ids_only(ids_only);
    auto error = core.read(++token, request, now);
    CHECK_FALSE(error);
    settle();
    return token;
  }

  /// The ids in the answer to a read; none when there is no answer.
  std::optional<std::vector<tweet_id>> shown(std::uint64_t read) {
    for (auto& x : answers)
      if (x.token == read) {
        std::vector<tweet_id> result;
        for (auto& tweet : x.reply.tweets())
          result.push_back(tweet.id());
        return result;
      }
    return std::nullopt;
  }

  std::vector<tweet_id> home(user_id user) {
    return world.home(user, options.timeline_cap);
  }

  void pass(int ms) {
    now.steady += std::chrono::milliseconds{ms};
    core.tick(now);
    settle();
  }

  fanout_options options;
  fanout_world world;
  fanout_core core;
  moment now{steady_time{std::chrono::hours{1}}, 5'000};
  std::uint64_t token = 0;
  bool works = true;
  std::function<bool(const writer_request&)> held = [](auto&) { return false; };
  std::vector<send_request> waiting;
  std::vector<std::uint64_t> finished;
  std::vector<answer_read> answers;
  std::vector<fail_read> failures;
};

template <class T>
bool is(const writer_request& x) {
  return std::holds_alternative<T>(x);
}

} // namespace rookery::actors::tests
