#include "tests/sim/faults.hpp"

#include <iterator>
#include <memory>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;
using clock = world::clock;
using testing::wire;

std::size_t unsettled(node_host& x) {
  return x.up() ? x.network().unfinished() : 0;
}

void cut(cluster& on, node_host& x) {
  if (!x.line())
    return;
  if (unsettled(x) > 0)
    on.effects.add(effect::cut_with_unsettled);
  x.cut();
}

void silence(cluster& on, node_host& x, clock::duration time) {
  auto line = x.line();
  if (!line)
    return;
  x.silence(on.outside.chance(2) ? wire::client : wire::server);
  on.outside.after(time, [&on, line, node = x.shared_from_this()] {
    if (line->given_up())
      on.effects.add(effect::silence_ended_connection);
    else if (line == node->line() && line->bytes_held_back() > 0)
      on.effects.add(effect::bytes_delayed);
    line->restore();
  });
}

void forget_outcomes(cluster& on, node_host& x) {
  auto line = x.line();
  if (!line)
    return;
  auto silent = on.outside.chance(2);
  on.outside.note(x.name(), silent ? "outcomes get lost" : "outcomes are bare");
  line->forget_outcomes(silent ? wire::lapse::silence : wire::lapse::no_outcome,
                        1 + on.outside.draw(3), [&on, silent] {
                          on.effects.add(silent
                                             ? effect::outcome_lost
                                             : effect::settled_without_outcome);
                        });
}

void unreach(cluster& on, node_host& x, clock::duration time) {
  on.outside.note(x.name(), "unreachable");
  x.set_reachable(false);
  cut(on, x);
  on.outside.after(time, [&x] { x.set_reachable(true); });
}

// As a host without power: nobody hears that its connections have ended.
void vanish(cluster& on, node_host& x) {
  if (!x.line())
    return;
  on.effects.add(effect::vanished);
  x.silence(wire::client);
  x.silence(wire::server);
}

void crash(cluster& on, const std::shared_ptr<node_host>& x,
           clock::duration time) {
  if (!x->up())
    return;
  if (unsettled(*x) > 0)
    on.effects.add(effect::node_crash_with_work);
  if (on.outside.chance(4))
    vanish(on, *x);
  x->crash();
  x->start_after(time);
}

void pause(cluster& on, const std::shared_ptr<node_host>& x,
           clock::duration time) {
  if (!x->up() || x->paused())
    return;
  on.outside.note(x->name(), "pause");
  x->pause();
  on.outside.after(time, [&on, x] {
    if (x->paused()) {
      on.outside.note(x->name(), "wakes", x->deferred());
      if (x->deferred() > 0)
        on.effects.add(effect::pause_with_messages);
      x->resume();
    } // else it was healed
    if (x->slept() > on.broker->idle_timeout)
      on.effects.add(effect::pause_given_up);
  });
}

void stop(cluster& on, const std::shared_ptr<node_host>& x) {
  if (x->up())
    on.effects.add(effect::planned_stop);
  x->stop();
  x->start_after(2500ms);
}

// It ends with what it could not send.
void cut_off_and_end(cluster& on, const std::shared_ptr<node_host>& x,
                     clock::duration time) {
  const auto ends = on.outside.between(400ms, 900ms);
  const auto planned = on.outside.chance(3);
  unreach(on, *x, ends + (planned ? 2200ms : time));
  on.outside.after(ends, [&on, x, time, planned] {
    if (x->reachable())
      return; // it was healed meanwhile
    if (planned)
      stop(on, x);
    else
      crash(on, x, time);
  });
}

void crash_broker(cluster& on, clock::duration time, bool planned) {
  if (!on.broker->up())
    return;
  if (planned)
    on.effects.add(effect::broker_restart);
  else if (on.broker->held() > 0)
    on.effects.add(effect::broker_crash_with_messages);
  on.excuse_all();
  if (planned)
    on.broker->stop();
  else
    on.broker->crash();
  on.outside.after(time + 150ms, [&on, planned] {
    if (planned) // what was accepted while it stopped may have gone with it
      on.excuse_all();
    if (!on.broker->up())
      on.broker->start();
  });
}

void crash_writers(cluster& on, clock::duration time) {
  const auto vanishes = on.outside.chance(2);
  for (std::size_t i = 0; i < cluster::writers; ++i) {
    if (vanishes)
      vanish(on, *on.nodes[i]);
    on.nodes[i]->crash();
    on.nodes[i]->start_after(time + on.outside.between(0ms, 300ms));
  }
}

void lose_power(cluster& on) {
  on.outside.note("disk", "power loss");
  if (on.storage.power_loss(on.outside.random()).lost > 0)
    on.effects.add(effect::power_loss_lost_sectors);
}

disk_faults draw_faults(cluster& on, node_host& x) {
  disk_faults result;
  if (on.outside.chance(2)) {
    on.outside.note(x.name(), "fsync fails");
    result.failing_syncs = 1 + static_cast<std::uint32_t>(on.outside.draw(3));
  } else {
    on.outside.note(x.name(), "disk full");
    result.left = on.outside.chance(2) ? disk_faults::space::no_growth
                                       : disk_faults::space::no_write;
  }
  return result;
}

// As a supervisor does, it is started until it can.
void start_on_bad_disk(cluster& on, const std::shared_ptr<node_host>& x,
                       clock::duration time) {
  x->faults_at_start = draw_faults(on, *x);
  if (x->up())
    on.effects.add(effect::start_on_bad_disk);
  crash(on, x, 100ms);
  on.outside.after(100ms + time, [x] {
    x->faults_at_start = {};
    if (auto* process = x->process())
      process->faults() = {};
  });
}

void spoil_disk(cluster& on, const std::shared_ptr<node_host>& x,
                clock::duration time) {
  if (on.outside.chance(3))
    return start_on_bad_disk(on, x, time);
  auto* process = x->process();
  if (process == nullptr)
    return;
  process->faults() = draw_faults(on, *x);
  on.outside.after(time, [&on, x, n = x->incarnation()] {
    auto* same = x->process();
    if (same == nullptr || x->incarnation() != n)
      return;
    auto in_doubt = same->counts().syncs_failed > 0;
    if (in_doubt)
      on.effects.add(effect::fsync_failed);
    if (same->counts().writes_refused > 0)
      on.effects.add(effect::disk_full_refused);
    same->faults() = {};
    // What the cache holds and the medium does not must not be built upon.
    if (in_doubt && on.outside.chance(2)) {
      crash_writers(on, 100ms);
      on.outside.after(on.outside.between(500ms, 2s), [&on] {
        lose_power(on);
        crash_writers(on, 100ms);
      });
    }
  });
}

// Between two writes of a transaction: one process dies, or the power goes.
void strike_transaction(cluster& on, std::size_t writer, clock::duration time) {
  auto left = std::make_shared<std::uint64_t>(1 + on.outside.draw(12));
  auto power = on.outside.chance(2);
  on.outside.note(on.nodes[writer]->name(), "will die in a transaction", *left);
  on.storage.watch([=, &on](int who, disk_event what) {
    if (who != static_cast<int>(writer) || what == disk_event::sleep
        || *left == 0 || --*left > 0)
      return;
    // First the disk: what processes do in their last moment must not reach it.
    if (power) {
      lose_power(on);
      return on.outside.after(0us, [=, &on] { crash_writers(on, time); });
    }
    auto& process = *on.nodes[writer]->process();
    if (process.in_transaction())
      on.effects.add(effect::crash_in_transaction);
    process.kill();
    on.outside.after(0us, [=, &on] {
      on.nodes[writer]->crash();
      on.nodes[writer]->start_after(time);
    });
  });
}

void die_after_commit(cluster& on, const std::shared_ptr<node_host>& x,
                      clock::duration time) {
  if (x->process() == nullptr)
    return;
  x->die_after_commit([&on] { on.effects.add(effect::crash_after_commit); });
  on.outside.after(time, [x] {
    if (!x->up())
      x->start();
  });
}

void jump_clock(cluster& on) {
  using ms = std::chrono::milliseconds;
  auto& world = on.outside;
  world.note("world", "the clock jumps");
  on.effects.add(effect::clock_jump);
  auto by = std::chrono::duration_cast<ms>(world.between(1s, 3600s));
  if (world.chance(2))
    by = -by;
  world.jump_wall(by);
  if (world.chance(2))
    world.after(world.between(50ms, 500ms), [&world, by] {
      world.note("world", "the clock jumps back");
      world.jump_wall(-by);
    });
}

void slow_down(cluster& on, const std::shared_ptr<node_host>& x,
               clock::duration time) {
  on.outside.note(x->name(), "slow");
  x->slowness = 20 + on.outside.draw(100);
  on.outside.after(time / 2, [&on, x] {
    if (unsettled(*x) > 4)
      on.effects.add(effect::slow_consumer);
  });
  on.outside.after(time, [x] { x->slowness = 1; });
}

// Somebody else has a queue of that name, made otherwise, until it is deleted.
void contest(cluster& on, const std::shared_ptr<node_host>& x,
             clock::duration time) {
  const std::string name = "contested";
  if (!on.broker->up() || !x->up())
    return;
  broker::queue_options others;
  others.length_max = 1;
  if (!on.broker->inside()->host.declare_queue(name, others, {}))
    return; // one of ours is there
  on.outside.note(x->name(), "declares what is there and other");
  x->execute([x, name] {
    x->network().declare(bridge::queue_declaration{.name = name});
  });
  on.outside.after(time, [&on, x, name, others, n = x->incarnation()] {
    if (!on.broker->up())
      return;
    auto& host = on.broker->inside()->host;
    const auto* there = host.find_queue(name);
    if (there == nullptr || there->options() != others)
      return;
    if (x->incarnation() == n && x->up() && !x->paused()
        && x->network().wait_until_up(0ms) == bridge::errc::refused)
      on.effects.add(effect::declaration_refused);
    static_cast<void>(host.delete_queue(name, {}));
  });
}

void strike(cluster& on) {
  auto& world = on.outside;
  auto any = world.draw(cluster::servers + 1); // the clients' node, too
  auto server = on.nodes[world.draw(cluster::servers)];
  auto writer = on.nodes[world.draw(cluster::writers)];
  auto brief = world.between(20ms, 800ms);
  auto time = world.chance(3) ? world.between(1s, 5s) : brief;
  switch (world.draw(19)) {
  case 0:
  case 1:
    return cut(on, *on.nodes[any]);
  case 2:
    return silence(on, *on.nodes[any], world.between(500ms, 7s));
  case 3:
    return unreach(on, *on.nodes[any], time);
  case 4:
    return crash(on, server, time);
  case 5:
    return pause(on, on.nodes[any],
                 world.chance(2) ? brief : world.between(2s, 7s));
  case 6:
    return crash_broker(on, brief, false);
  case 7:
    return crash_broker(on, brief, true);
  case 8:
    return stop(on, server);
  case 9:
    return jump_clock(on);
  case 10:
    return spoil_disk(on, writer, time);
  case 11:
    lose_power(on);
    return crash_writers(on, brief);
  case 12:
    return strike_transaction(on, world.draw(cluster::writers), brief);
  case 13:
    return die_after_commit(on, writer, 1s);
  case 14:
    return forget_outcomes(on, *on.nodes[any]);
  case 15:
    return cut_off_and_end(on, server, brief);
  case 16:
    // Who sends ends must not be kept from it for longer than reply_timeout.
    return contest(on, on.nodes[any == cluster::mortals_at ? 4 : any], time);
  case 17:
    // Until the broker has given what it owns to another one.
    return pause(on, on.nodes[2 + world.draw(2)],
                 on.broker->idle_timeout + world.between(0ms, 500ms));
  default:
    return slow_down(on, server, world.between(1s, 3s));
  }
}

} // namespace

void plan_faults(cluster& on, clock::duration span) {
  auto count = 2 + on.outside.draw(5);
  for (std::uint64_t i = 0; i < count; ++i)
    on.outside.after(on.outside.between(300ms, span), [&on] { strike(on); });
  // What a writer committed and did not publish comes seconds later, when
  // timelines have long trimmed what is newer, and perhaps as the last.
  if (on.outside.chance(3))
    on.outside.after(on.outside.between(300ms, span), [&on] {
      on.nodes[on.outside.draw(cluster::writers)]->pause_after_commit();
    });
}

} // namespace rookery::sim
