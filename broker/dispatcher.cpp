#include "broker/dispatcher.hpp"

#include "broker/connection.hpp"
#include "broker/consumer_link.hpp"
#include "broker/publisher_link.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace rookery::broker {

namespace {

// Events of a turn; then the sockets have theirs.
constexpr std::size_t events_max = 8'192;
// Publishers asked in a turn whether they may go on.
constexpr std::size_t resumed_max = 256;

} // namespace

dispatcher::dispatcher(const broker_options& options_arg, event_sink& sink_arg,
                       std::string incarnation, std::function<void()> ask,
                       std::function<void(time_point)> ask_at)
    : host{options_arg.host},
      options{options_arg},
      sink{sink_arg},
      incarnation_{std::move(incarnation)},
      ask_{std::move(ask)},
      ask_at_{std::move(ask_at)} {}

void dispatcher::wake() {
  goes_on_ = false;
  if (!std::exchange(asked_, true))
    ask_();
}

void dispatcher::run() {
  asked_ = false;
  const auto goes_on = std::exchange(goes_on_, false)
                       && host.next_due() > options.host.time.now();
  pass_time();
  event next;
  std::size_t count = 0;
  while (count < events_max && host.next(next)) {
    ++count;
    static_cast<consumer_link*>(next.to->options().context)->give(next);
  }
  if (host.has_work())
    wake(); // more events than a turn has, or more dead letters
  if (!goes_on || count > 0)
    unresumed_ = stalled_.size(); // there may be room for each
  resume();
  flush();
  if (unresumed_ > 0 && !asked_) {
    wake();
    goes_on_ = true;
  }
  // At last, for all of the above may have moved it.
  if (const auto due = host.next_due(); due <= options.host.time.now())
    wake(); // more was due than a turn takes
  else if (due != std::exchange(alarm_, due))
    ask_at_(due);
}

void dispatcher::pass_time() {
  for (const auto& gone : host.pass_time())
    queue_deleted(gone, {});
}

void dispatcher::touch(connection& x) {
  if (std::exchange(x.touched, true))
    return;
  touched_.push_back(&x);
  wake();
}

dispatcher::stalled_list::iterator dispatcher::stall(publisher_link& x) {
  return stalled_.insert(stalled_.end(), &x);
}

void dispatcher::add(connection& x) { connections_.push_back(&x); }

void dispatcher::remove(connection& x) {
  std::erase(connections_, &x);
  std::erase(touched_, &x);
  std::replace(flushing_.begin(), flushing_.end(), &x,
               static_cast<connection*>(nullptr));
}

void dispatcher::queue_deleted(std::string_view name,
                               const std::vector<consumer_ptr>& cancelled) {
  for (const auto& each : cancelled)
    static_cast<consumer_link*>(each->options().context)->cancel(name);
  const auto found = publishers_.find(name);
  if (found == publishers_.end())
    return;
  const amqp::condition why{"amqp:resource-deleted",
                            "queue '" + std::string{name} + "' was deleted"};
  // A copy, for each that ends takes itself out.
  for (const auto& [number, each] : std::map{found->second})
    each->end(why);
}

std::uint64_t dispatcher::add(publisher_link& x, const std::string& queue) {
  publishers_[queue].emplace(++publishers_made_, &x);
  return publishers_made_;
}

void dispatcher::remove_publisher(const std::string& queue,
                                  std::uint64_t number) {
  const auto found = publishers_.find(queue);
  found->second.erase(number);
  if (found->second.empty())
    publishers_.erase(found);
}

std::string dispatcher::make_name() {
  return "dynamic-" + incarnation_ + "-" + std::to_string(++names_);
}

broker_counters dispatcher::snapshot() const {
  auto result = counters;
  result.connections = connections_.size();
  result.bytes_held = host.bytes_used();
  result.publishers_stalled = stalled_.size();
  result.dead_letters = host.dead_counts();
  host.each_queue([&](const queue&) { ++result.queues; });
  return result;
}

void dispatcher::resume() {
  const auto count = std::min({unresumed_, resumed_max, stalled_.size()});
  for (auto i = count; i > 0; --i) {
    const auto first = stalled_.begin();
    if ((*first)->resume())
      stalled_.erase(first);
    else
      stalled_.splice(stalled_.end(), stalled_, first);
  }
  unresumed_ = std::min(unresumed_ - count, stalled_.size());
}

void dispatcher::flush() {
  flushing_.swap(touched_);
  // Whom the turn gave something first, then whose messages made it. By index:
  // a connection may end, and be taken out, while another is flushed.
  for (std::size_t i = flushing_.size(); i-- > 0;)
    if (auto* x = flushing_[i]) {
      x->touched = false;
      x->flush();
    }
  flushing_.clear();
}

} // namespace rookery::broker
