#include "tests/sim/run.hpp"

#include "tests/sim/faults.hpp"

#include <exception>
#include <memory>
#include <optional>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

constexpr auto load_time = 2500ms;
constexpr auto settle_time = 60s;   // I7: by then everything has drained
constexpr auto ask_again = 250ms;   // each asks for all homes
constexpr auto catch_up_time = 15s; // heads come every second

// A question to the clients, and what they say: nothing when all is well.
using question = void (clients::*)(std::function<void(std::string)>);

std::string ask(cluster& on, question what) {
  auto answer = std::make_shared<std::optional<std::string>>();
  ((*on.people).*what)([answer](std::string x) { *answer = std::move(x); });
  on.outside.run(10s, [&] { return answer->has_value(); });
  return answer->value_or("nobody answered");
}

/// Asks until all is well. @returns whether it is in time
bool wait_for(cluster& on, question what, world::clock::duration time,
              const std::string& invariant) {
  std::string last;
  auto deadline = on.outside.now() + time;
  while (on.outside.now() < deadline && on.outside.failure().empty()) {
    last = ask(on, what);
    if (last.empty())
      return true;
    on.outside.run(ask_again);
  }
  on.outside.fail(invariant + ": " + last);
  return false;
}

/// Waits until every home is what the oracle says, from outside.
bool wait_until_right(cluster& on) {
  return wait_for(on, &clients::compare, settle_time, "I1, I2");
}

void check_once(cluster& on, question what, const std::string& invariant) {
  if (auto answer = ask(on, what); !answer.empty())
    on.outside.fail(invariant + ": " + answer);
}

/// Compares what shards hold. One that has just changed hands shows readers
/// nothing before it has caught up, but dumps what it has: then it is awaited.
void check_held(cluster& on) {
  for (;;) {
    const auto wrong = ask(on, &clients::compare_dumps);
    if (wrong.empty())
      return;
    if (ask(on, &clients::compare_applied).empty())
      return on.outside.fail("I2: " + wrong);
    if (!wait_for(on, &clients::compare_applied, catch_up_time, "I7"))
      return;
  }
}

/// Where a timeline was trimmed, deletions bring older tweets back.
bool check_trimmed(cluster& on) {
  for (int i = 0; i < 2; ++i) {
    on.people->erase_newest();
    on.outside.run(settle_time, [&] { return on.people->open() == 0; });
    if (!wait_until_right(on))
      return false;
  }
  return true;
}

// I9: the queue of which a consumer has other credit than its window.
std::optional<std::string> leaking_queue(cluster& on) {
  std::optional<std::string> result;
  on.broker->inside()->host.each_queue([&](const broker::queue& x) {
    for (auto& each : x.consumers().all())
      if (each->credit() != on.window_of(x.name()))
        result = x.name() + " with credit " + std::to_string(each->credit());
  });
  return result;
}

// When nobody does anything, nothing is under way and no credit is missing.
void check_drained(cluster& on) {
  auto drained = [&] {
    if (on.broker->held() > 0 || !on.numbers->complete() || !on.kept->complete()
        || !on.readings->complete() || !on.owned->complete()
        || leaking_queue(on))
      return false;
    for (auto& x : on.nodes)
      if (!x->up() || x->network().unfinished() > 0)
        return false;
    return true;
  };
  if (on.outside.run(settle_time, drained))
    return;
  on.numbers->check_complete();
  on.kept->check_complete();
  on.readings->check_complete();
  on.owned->check_complete();
  if (auto leaking = leaking_queue(on))
    on.outside.fail("I9: " + *leaking);
  on.outside.fail("I7: the broker still holds "
                  + std::to_string(on.broker->held()) + " messages");
}

// I12: by now every end was told.
void check_ends(cluster& on) {
  if (!on.outside.run(settle_time, [&] { return on.mortals->agreed(); }))
    return on.outside.fail("I12: watchers that are gone are remembered");
  on.mortals->finish();
  if (!on.outside.run(settle_time, [&] { return on.mortals->complete(); }))
    on.mortals->check_complete();
}

// As by SIGTERM, and no fault is left that could hinder it.
bool stop_in_order(cluster& on, node_host& x) {
  const auto life = x.incarnation();
  x.stop();
  if (on.outside.run(settle_time,
                     [&] { return !x.up() || x.incarnation() != life; }))
    return true;
  on.outside.fail("I7: a planned stop did not end");
  return false;
}

// I13: who stops in order hands over everything, and nothing twice.
void check_handover(cluster& on) {
  on.numbers->be_strict();
  on.owned->be_strict();
  on.numbers->start(10ms);
  on.owned->start(40ms);
  on.outside.run(200ms);
  auto sink = on.nodes[2];
  if (!stop_in_order(on, *sink))
    return;
  on.numbers->send_brief();
  on.outside.run(1s); // longer than they live
  sink->start();
  on.outside.run(200ms);
  auto other = on.nodes[3]; // of the two owners
  if (!stop_in_order(on, *other))
    return;
  on.outside.run(100ms);
  other->start();
  on.outside.run(200ms);
  on.numbers->stop();
  on.owned->stop();
  if (!on.outside.run(settle_time, [&] {
        return on.numbers->complete() && on.owned->complete();
      })) {
    on.numbers->check_complete();
    on.owned->check_complete();
  }
}

// What expires in a file with others is not sent, whoever reads it.
void check_expiry(cluster& on) {
  auto from = on.nodes[0];
  on.kept->be_strict();
  from->set_reachable(false);
  from->cut();
  on.kept->start(20ms);
  on.outside.run(500ms);
  const auto life = from->incarnation();
  if (on.outside.chance(2))
    from->stop();
  else
    from->crash();
  on.kept->stop();
  // A fault of before may start it at once.
  if (!on.outside.run(settle_time, [&] {
        return !from->up() || from->incarnation() != life;
      }))
    return on.outside.fail("I7: a stop without a broker did not end");
  on.outside.run(1s); // longer than some of them live
  from->set_reachable(true);
  from->start();
  if (!on.outside.run(settle_time, [&] { return on.kept->complete(); }))
    on.kept->check_complete();
}

void live(cluster& on) {
  on.start();
  on.people->start(45ms);
  on.numbers->start(35ms);
  on.mortals->start(200ms);
  on.kept->start(250ms);
  if (on.outside.chance(3))
    on.readings->start(300ms);
  if (on.outside.chance(2))
    on.owned->start(250ms);
  plan_faults(on, load_time);
  on.outside.run(load_time);
  on.people->stop();
  on.numbers->stop();
  on.mortals->stop();
  on.kept->stop();
  on.readings->stop();
  on.owned->stop();
  on.heal();
  on.outside.run(settle_time, [&] { return on.people->open() == 0; });
  if (on.people->open() > 0)
    on.outside.fail("I7: " + std::to_string(on.people->open())
                    + " changes were never answered");
  // Before anybody reads: a read makes a shard ask how far the logs are.
  if (!wait_for(on, &clients::compare_applied, catch_up_time, "I7")
      || !wait_until_right(on))
    return;
  check_held(on);
  if (!check_trimmed(on))
    return;
  check_drained(on);
  check_ends(on);
  check_once(on, &clients::ask_nobody, "released");
  check_held(on);
  if (on.outside.chance(4))
    check_handover(on);
  if (on.outside.chance(4))
    check_expiry(on);
  on.restart_everything();
  if (wait_until_right(on))
    check_held(on);
}

} // namespace

result run(std::uint64_t seed, bool trace) {
  world outside{seed, trace};
  result outcome;
  try {
    cluster all{outside, seed};
    live(all);
    for (auto& x : all.nodes) {
      x->crash();
      all.effects.add(effect::reconnect, x->reconnects());
      all.effects.add(effect::delivery_repeated, x->duplicates());
      all.effects.add(effect::transfer_shared, x->packed());
      all.effects.add(effect::part_returned, x->returned());
      if (x != all.nodes[2]) // whose probe refuses, too
        all.effects.add(effect::nonsense_refused, x->refused());
      all.effects.add(effect::too_many_requests, x->requests_refused());
    }
    outcome.effects = all.effects;
    outcome.posts = all.people->past().posts();
  } catch (const std::exception& x) {
    outside.fail(std::string{"an exception: "} + x.what());
  }
  outcome.failure = outside.failure();
  outcome.hash = outside.hash();
  outcome.events = outside.events();
  return outcome;
}

} // namespace rookery::sim
