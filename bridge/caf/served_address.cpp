// The life of a target: made, watched, ended, made again.
#include "bridge/caf/served_address.hpp"

#include "bridge/caf/encoding.hpp"
#include "bridge/caf/mailbox_state.hpp"
#include "bridge/caf/proxy.hpp"
#include "bridge/caf/time_bounds.hpp"
#include "bridge/core/thrown.hpp"

#include <caf/actor_cast.hpp>

#include <utility>

namespace rookery::bridge {

namespace {

// A target that lived so long was well: the next backoff begins anew.
constexpr std::chrono::seconds well_time{30};

} // namespace

served_address::served_address(caf::actor_config& config,
                               std::shared_ptr<hub> home, std::string name,
                               serve_options options, caf::actor target,
                               factory make)
    : caf::actor_proxy{config},
      hub_{std::move(home)},
      name_{std::move(name)},
      options_{bounded(std::move(options))},
      make_{std::move(make)},
      restart_{backoff_options{}, hub_->world.random},
      target_{std::move(target)},
      streams_{options_.dedupe_streams_max, options_.dedupe_window} {
  // At once: it may monitor others next.
  if (target_)
    announce(target_);
}

void served_address::kill_proxy(caf::execution_unit* context,
                                caf::error reason) {
  cleanup(std::move(reason), context);
}

void served_address::start() {
  if (make_)
    make_target(hub_->world.now());
  else
    watch(target_);
}

void served_address::make_target(clock::time_point now) {
  caf::actor target;
  std::string why = "the factory made none";
  try {
    target = make_();
  } catch (...) {
    why = thrown();
  }
  {
    std::lock_guard guard{mutex_};
    made_at_ = now;
    able_ = false;
    made_for_ = hub_->lease.connection();
    target_ = target;
    if (target)
      ++targets_;
    else
      restart_at_ = now + restart_.next();
  }
  if (!target)
    return hub_->report(observer::severity::error, "factory-failed",
                        name_ + ": " + why);
  announce(target);
  watch(target);
  hand_over_due(now);
}

void served_address::announce(const caf::actor& target) {
  const auto number = hub_->watchers.add_target(
      target->address(), hub_->options.profile->encode(address::queue(name_)),
      options_.linkable);
  std::lock_guard guard{mutex_};
  watched_as_ = number;
}

void served_address::watch(const caf::actor& target) {
  // A handle never ends, and what is attached to it is told of somebody else.
  if (dynamic_cast<proxy*>(caf::actor_cast<caf::abstract_actor*>(target)))
    return;
  std::unique_lock guard{mutex_};
  const auto number = watched_as_;
  guard.unlock();
  target->attach_functor([this, number, self = caf::strong_actor_ptr{ctrl()}](
                             const caf::error& reason) {
    on_target_down(reason);
    // Behind the last answers in its name.
    hub_->watchers.target_ended(number, reason);
    hub_->wake();
  });
}

void served_address::release() {
  // Ends outside the lock: dropping the last handle ends the target, which
  // reports to on_target_down.
  caf::actor last;
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    make_ = nullptr;
    gone_ = true;
  }
}

void served_address::on_target_down(const caf::error& reason) {
  using place = unfinished::place_type;
  std::vector<unfinished> lost;
  bool outlived = false; // its connection: that is no failure
  const auto asked = reason == caf::exit_reason::user_shutdown; // nor is that
  caf::actor last; // ends outside the lock
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    gone_ = gone_ || !make_;
    auto now = hub_->world.now();
    outlived = made_for_ != hub_->lease.connection();
    blameless_ = outlived || asked;
    if (outlived || able_ || now - made_at_ > well_time)
      restart_.reset();
    restart_at_ = outlived ? now : now + restart_.next();
    // What it had not begun has come back from its mailbox before.
    for (auto& x : unfinished_) {
      if (x.delivery != 0 && x.place == place::mailbox)
        lost.push_back(take_begun(x));
      else if (x.delivery != 0 && x.place == place::waits && gone_)
        lost.push_back(take(x));
    }
  }
  using severity = observer::severity;
  const auto why = described(hub_->system, reason);
  hub_->report(outlived || asked ? severity::debug : severity::warning,
               "target-down", name_ + ": " + why);
  for (auto& x : lost) {
    if (x.late)
      end_late(std::move(x));
    else if (x.place == place::mailbox && !outlived && !asked)
      failed(std::move(x), why);
    else
      bounced(std::move(x), why);
  }
}

void served_address::connection_over() {
  std::lock_guard guard{mutex_};
  if (target_ || !make_)
    return;
  // It may have ended because nothing was heard of this connection any more.
  restart_.reset();
  restart_at_ = hub_->world.now();
}

bool served_address::check(clock::time_point now) {
  bool restart = false;
  {
    std::lock_guard guard{mutex_};
    if (gone_)
      return false;
    restart = !target_ && !giving_back_ && restart_at_ <= now;
  }
  end_overdue(now);
  if (restart)
    make_target(now);
  else
    hand_over_due(now);
  return true;
}

void served_address::end_overdue(clock::time_point now) {
  using place = unfinished::place_type;
  std::vector<unfinished> overdue;
  std::vector<unfinished> expired;
  std::vector<unfinished> left;
  {
    std::lock_guard guard{mutex_};
    for (auto& x : unfinished_) {
      if (x.delivery == 0)
        continue;
      if (x.place == place::waits && x.expires <= now) {
        expired.push_back(take(x));
      } else if (x.late) {
        if (has_begun(x))
          left.push_back(take(x));
      } else if (x.deadline <= now && x.place == place::mailbox
                 && !has_begun(x)) {
        // Its place is not free: a slow target would get ever more.
        x.late = true;
        ++late_;
        overdue.push_back(x);
      } else if (x.deadline <= now && x.place != place::entering) {
        overdue.push_back(take(x));
      }
    }
    std::erase_if(waiting_, [this](auto x) { return find(x) == nullptr; });
  }
  for (const auto& x : expired)
    expire(x);
  for (auto& x : overdue)
    timed_out(std::move(x));
  for (auto& x : left)
    end_late(std::move(x));
}

bool served_address::has_begun(const unfinished& x) const {
  // A node that stops gives the target no more, so places do not matter.
  return x.entered <= begun_to_ || giving_back_ || !target_
         || mailbox_idle(target_);
}

} // namespace rookery::bridge
