// The life of a target: made, watched, ended, made again.
#include "bridge/caf/served_address.hpp"

#include <caf/actor_cast.hpp>

#include <algorithm>
#include <iterator>

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
      options_{std::move(options)},
      make_{std::move(make)},
      restart_{backoff_options{}, hub_->world.random},
      target_{std::move(target)},
      streams_{options_.dedupe_streams_max, options_.dedupe_window} {}

void served_address::kill_proxy(caf::execution_unit* context,
                                caf::error reason) {
  cleanup(std::move(reason), context);
}

void served_address::start() {
  if (make_)
    make_target();
  else
    watch(target_);
}

void served_address::make_target() {
  caf::actor target;
  std::string why = "the factory made none";
  try {
    target = make_();
  } catch (const std::exception& x) {
    why = x.what();
  } catch (...) {
    why = "an exception of unknown type";
  }
  std::vector<waiting> ready;
  {
    std::lock_guard guard{mutex_};
    made_at_ = hub_->world.now();
    made_for_ = hub_->lease.connection();
    target_ = target;
    if (target)
      ready.swap(waiting_);
    else
      restart_at_ = made_at_ + restart_.next();
  }
  if (!target)
    return hub_->report(observer::severity::error, "factory-failed",
                        name_ + ": " + why);
  watch(target);
  for (auto& x : ready)
    hand_over_waiting(target, std::move(x));
}

served_address::unfinished* served_address::find(std::uint64_t delivery) {
  auto index = static_cast<std::uint32_t>(delivery);
  if (delivery == 0 || index >= unfinished_.size()
      || unfinished_[index].delivery != delivery)
    return nullptr;
  return &unfinished_[index];
}

void served_address::add(unfinished x) {
  auto index = static_cast<std::uint32_t>(x.delivery);
  if (index >= unfinished_.size())
    unfinished_.resize(std::size_t{index} + 1);
  unfinished_[index] = std::move(x);
}

void served_address::watch(const caf::actor& target) {
  target->attach_functor(
      [this, self = caf::strong_actor_ptr{ctrl()}](const caf::error& reason) {
        on_target_down(reason);
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
  std::vector<unfinished> lost;
  bool outlived = false; // its connection: that is no failure
  const auto asked = reason == caf::exit_reason::user_shutdown; // nor is that
  std::vector<waiting> nobody; // ends outside the lock
  caf::actor last;             // as well
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    nobody.swap(waiting_);
    gone_ = gone_ || !make_;
    auto now = hub_->world.now();
    outlived = made_for_ != hub_->lease.connection();
    if (outlived || now - made_at_ > well_time)
      restart_.reset();
    restart_at_ = outlived ? now : now + restart_.next();
    for (auto& x : unfinished_)
      if (x.delivery != 0)
        lost.push_back(std::exchange(x, {}));
    joined_ = 0;
  }
  using severity = observer::severity;
  hub_->report(outlived || asked ? severity::debug : severity::warning,
               "target-down", name_ + ": " + hub_->system.render(reason));
  for (const auto& x : lost) {
    ++hub_->counters.failed;
    end(x, outcome::failure());
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
  std::vector<unfinished> overdue;
  std::vector<unfinished> expired;
  std::vector<waiting> nobody; // ends outside the lock
  bool restart = false;
  {
    std::lock_guard guard{mutex_};
    if (gone_)
      return false;
    for (auto& x : unfinished_)
      if (x.delivery != 0 && x.deadline <= now)
        overdue.push_back(std::exchange(x, {}));
    for (const auto& x : waiting_)
      if (auto* found = find(x.delivery);
          found != nullptr && found->expires <= now)
        expired.push_back(std::exchange(*found, {}));
    restart = !target_ && restart_at_ <= now;
    if (!overdue.empty() || !expired.empty()) {
      auto ended = std::stable_partition(
          waiting_.begin(), waiting_.end(),
          [this](const waiting& x) { return find(x.delivery) != nullptr; });
      std::move(ended, waiting_.end(), std::back_inserter(nobody));
      waiting_.erase(ended, waiting_.end());
    }
  }
  for (const auto& x : overdue) {
    ++hub_->counters.failed;
    hub_->report(observer::severity::warning, "handler-timeout", name_);
    end(x, outcome::failure());
  }
  for (const auto& x : expired)
    expire(x);
  if (restart)
    make_target();
  return true;
}

} // namespace rookery::bridge
