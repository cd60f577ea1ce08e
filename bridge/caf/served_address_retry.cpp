// What becomes of an attempt that failed.
#include "bridge/amqp/wire/park_note.hpp"
#include "bridge/caf/mailbox_state.hpp"
#include "bridge/caf/plain_text.hpp"
#include "bridge/caf/served_address.hpp"

#include <utility>

namespace rookery::bridge {

void served_address::failed(unfinished x, const std::string& why) {
  hub_->report(observer::severity::warning, "handler-failed",
               name_ + ": " + why);
  if (goes_back(x))
    return;
  const auto& retry = options_.retry;
  ++x.failures;
  x.expires = clock::time_point::max(); // a handler had it
  // The connection over which it came may hand it to others.
  if (x.settled || !hub_->lease_held(x.connection))
    return give_up(x);
  if (is_last(x))
    return park(x, why);
  auto due = hub_->world.now();
  if (x.failures > retry.immediate)
    due += delay_before(x.failures - retry.immediate, retry.delay,
                        hub_->world.random());
  {
    std::lock_guard guard{mutex_};
    if (!gone_ && !giving_back_) {
      ++hub_->counters.failed;
      // Their neighbours must not wait for what happens here from now on.
      if (x.stream)
        for (auto copy : take_joined(x, true))
          hub_->settle(copy, outcome::failure());
      return wait(add(std::move(x)), due);
    }
  }
  give_up(x);
}

void served_address::bounced(unfinished x, const std::string& why) {
  bool begun = false;
  {
    std::lock_guard guard{mutex_};
    begun = target_ && x.target == targets_ && !mailbox_closed(target_);
    if (!begun && !x.settled && !gone_ && !giving_back_)
      return wait(add(std::move(x)), hub_->world.now());
  }
  if (begun)
    failed(std::move(x), why);
  else
    give_up(x);
}

void served_address::timed_out(unfinished x) {
  using place = unfinished::place_type;
  {
    std::lock_guard guard{mutex_};
    // Who waits for a settled one has been told nothing yet.
    if (x.late && !x.settled && find(x.delivery) == nullptr)
      return; // its answer came in between
    if (x.place == place::joined)
      x.failures = x.stream->failures(x.seq);
  }
  hub_->report(observer::severity::warning, "handler-timeout", name_);
  const auto begun = x.place != place::waits;
  // A process that was stopped all the time has failed on nothing.
  if (begun && !x.settled && !x.in_pack && hub_->lease_held(x.connection)) {
    ++x.failures;
    if (is_last(x))
      return park(x, "no answer in "
                         + std::to_string(options_.handler_timeout.count())
                         + " ms");
  }
  // A target that lives may be at it still: it does not get it again from here.
  give_up(x);
}

void served_address::end_late(unfinished x,
                              const caf::type_erased_tuple* answer) {
  x.late = false;
  if (answer != nullptr && !answer->match_elements<caf::error>() && !x.settled)
    return finish(std::move(x), *answer); // a copy will find that it is done
  if (x.stream && !x.settled) {
    std::lock_guard guard{mutex_};
    x.failures = x.stream->failures(x.seq);
  }
  end(x, outcome::failure());
}

bool served_address::is_last(const unfinished& x) const {
  const auto most = options_.retry.attempts_max;
  return most > 0 && x.failures >= most;
}

void served_address::give_up(const unfinished& x) {
  ++hub_->counters.failed;
  hub_->report(observer::severity::debug, "delivery-given-up", name_);
  // It does not come again: who waits is to know, and that claims nothing.
  if (x.settled && !x.reply_to.empty())
    reply_error(x, caf::make_error(errc::failed, name_ + " failed on it"));
  end(x, outcome::failure());
}

bool served_address::goes_back(const unfinished& x) {
  if (!x.in_pack || x.settled)
    return false;
  ++hub_->counters.failed;
  end(x, outcome::failure());
  return true;
}

void served_address::park(const unfinished& x, const std::string& why) {
  auto text = plain_text("failed " + std::to_string(x.failures)
                             + " times, at last: " + why,
                         amqp::park_reason_bytes_max);
  ++hub_->counters.failed;
  ++hub_->counters.given_up;
  hub_->report(observer::severity::error, "delivery-rejected",
               name_ + ": " + text);
  if (!x.reply_to.empty())
    reply_error(x, caf::make_error(errc::failed, text));
  end(x, parked("amqp:internal-error", text, x.failures));
}

void served_address::give_back() {
  std::vector<unfinished> waiting;
  std::vector<unfinished> left;
  {
    std::lock_guard guard{mutex_};
    giving_back_ = true;
    for (auto& x : unfinished_)
      if (x.late)
        left.push_back(take(x));
    for (auto delivery : std::exchange(waiting_, {}))
      if (auto* x = find(delivery))
        waiting.push_back(take(*x));
  }
  for (const auto& x : waiting)
    if (x.in_pack) // nobody here had it
      end(x, outcome::untouched());
    else
      give_up(x);
  for (auto& x : left) // others have it since
    end_late(std::move(x));
}

} // namespace rookery::bridge
