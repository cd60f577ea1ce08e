#include "broker/core/virtual_host.hpp"

#include "broker/core/names.hpp"

#include <utility>

namespace rookery::broker {

namespace {

/// Events a queue gives before the next has its turn: enough to stay in the
/// cache, few enough that nobody waits long.
constexpr std::size_t turn_max = 64;

publish_result push_to_all(std::span<queue* const> queues,
                           const message_ptr& message) {
  publish_result all;
  for (auto* const each : queues) {
    const auto how = each->push(message);
    if (how == push_outcome::accepted) {
      if (all.what == publish_outcome::released)
        all.what = publish_outcome::accepted;
    } else if (all.what != publish_outcome::rejected) {
      all = {publish_outcome::rejected, how, each};
    }
  }
  return all;
}

} // namespace

virtual_host::virtual_host(const virtual_host_options& options)
    : options_{options},
      budget_{options.bytes_max},
      exchanges_{options.exchanges_max, options.bindings_max} {}

result<declared_queue> virtual_host::declare_queue(std::string_view name,
                                                   const queue_options& options,
                                                   connection_id by) {
  if (auto bad = check_name("queue", name))
    return *bad;
  if (find_queue(name) != nullptr) {
    auto there = usable_queue(name, by);
    if (!there)
      return there.error();
    const auto differs = first_difference(there.value()->options(), options);
    if (!differs.empty())
      return refuse(errc::precondition_failed, "queue", name,
                    "exists with another " + std::string{differs});
    return declared_queue{there.value(), false};
  }
  if (queues_.size() >= options_.queues_max)
    return refuse(errc::resource_limit_exceeded, "queue", name,
                  "is one more than the broker allows");
  auto made = std::make_unique<queue>(
      std::string{name}, options, by,
      queue_environment{budget_, runnable_, due_, dead_, options_.time,
                        options_.queue_bytes_max});
  auto* const self = made.get();
  queues_.try_emplace(std::string{name}, queue_record{std::move(made), self});
  ++epoch_;
  return declared_queue{self, true};
}

result<deleted_queue> virtual_host::delete_queue(std::string_view name,
                                                 connection_id by) {
  if (find_queue(name) == nullptr)
    return deleted_queue{};
  auto found = usable_queue(name, by);
  if (!found)
    return found.error();
  auto& gone = *found.value();
  deleted_queue removed{true, gone.counts().ready, gone.consumers().all()};
  erase_queue(gone);
  return removed;
}

result<std::size_t> virtual_host::purge_queue(std::string_view name,
                                              connection_id by) {
  auto found = usable_queue(name, by);
  if (!found)
    return found.error();
  return found.value()->purge();
}

const queue* virtual_host::find_queue(std::string_view name) const {
  const auto place = queues_.find(name);
  return place == queues_.end() ? nullptr : place->second.self;
}

result<bool> virtual_host::declare_exchange(std::string_view name,
                                            exchange_type type, bool durable) {
  ++epoch_;
  return exchanges_.declare(name, type, durable);
}

result<bool> virtual_host::delete_exchange(std::string_view name) {
  ++epoch_;
  return exchanges_.remove(name);
}

result<bool> virtual_host::bind(std::string_view exchange,
                                std::string_view queue, std::string_view key,
                                connection_id by) {
  auto target = usable_queue(queue, by);
  if (!target)
    return target.error();
  ++epoch_;
  return exchanges_.bind(exchange, *target.value(), key);
}

result<bool> virtual_host::unbind(std::string_view exchange,
                                  std::string_view queue, std::string_view key,
                                  connection_id by) {
  auto target = usable_queue(queue, by);
  if (!target)
    return target.error();
  ++epoch_;
  return exchanges_.unbind(exchange, *target.value(), key);
}

publish_result virtual_host::publish(route& to, const message_ptr& message) {
  if (to.epoch_ != epoch_) {
    to.queues_ = resolve(to.exchange(), to.key(), to.room_);
    to.epoch_ = epoch_;
  }
  if (!to.queues_)
    return {publish_outcome::no_exchange};
  return push_to_all(*to.queues_, message);
}

publish_result virtual_host::publish(std::string_view exchange,
                                     std::string_view key,
                                     const message_ptr& message) {
  std::vector<queue*> room;
  const auto queues = resolve(exchange, key, room);
  if (!queues)
    return {publish_outcome::no_exchange};
  return push_to_all(*queues, message);
}

result<consumer_ptr> virtual_host::attach(std::string_view queue,
                                          const consumer_options& options) {
  auto source = usable_queue(queue, options.connection);
  if (!source)
    return source.error();
  if (source.value()->consumers().all().size()
      >= options_.consumers_per_queue_max)
    return refuse(errc::resource_limit_exceeded, "queue", queue,
                  "has as many consumers as the broker allows");
  auto joined = std::make_shared<consumer>(options);
  source.value()->attach(joined);
  return joined;
}

std::optional<std::string> virtual_host::detach(consumer& left,
                                                detach_reason why) {
  if (!left.attached())
    return std::nullopt;
  auto& source = *left.queue_;
  source.detach(left, why);
  if (!source.options().auto_delete || !source.consumers().all().empty())
    return std::nullopt;
  auto name = source.name();
  erase_queue(source);
  return name;
}

std::vector<std::string> virtual_host::connection_closed(connection_id gone) {
  std::vector<consumer_ptr> left;
  for (const auto& [name, each] : queues_)
    for (const auto& consumer : each.self->consumers().all())
      if (consumer->options().connection == gone)
        left.push_back(consumer);
  std::vector<std::string> ended;
  for (const auto& each : left)
    if (auto name = detach(*each, detach_reason::failed))
      ended.push_back(*std::move(name));
  std::vector<queue*> owned;
  for (const auto& [name, each] : queues_)
    if (each.self->options().exclusive && each.self->owner() == gone)
      owned.push_back(each.self);
  for (auto* const each : owned) {
    ended.push_back(each->name());
    erase_queue(*each);
  }
  return ended;
}

bool virtual_host::next(event& into) {
  std::size_t idle = 0;
  publish_dead();
  while (auto* const node = runnable_.front()) {
    auto& current = *static_cast<queue*>(node);
    if (turn_ < turn_max && current.next(into)) {
      ++turn_;
      return true;
    }
    turn_ = 0;
    run_list::remove(current);
    current.wake(); // last in line, if there is more
    if (++idle == turn_max)
      return false; // they find much expired; `has_work` says so
    publish_dead();
  }
  return false;
}

std::vector<std::string> virtual_host::pass_time() {
  std::vector<std::string> gone;
  if (due_.next() == never)
    return gone;
  const auto now = options_.time.now();
  for (std::size_t i = 0; i < turn_max; ++i) { // a few, the rest next time
    auto* const each = due_.due(now);
    if (each == nullptr)
      break;
    if (each->pass_time(now)) {
      gone.push_back(each->name());
      erase_queue(*each);
    }
  }
  return gone;
}

void virtual_host::publish_dead() {
  std::vector<queue*> room;
  for (std::size_t i = 0; i < turn_max && !dead_.empty(); ++i) {
    const auto letter = make_letter(dead_.front(), options_.time.wall());
    budget_.give_back(cost_of(*dead_.front().message));
    dead_.pop_front();
    const auto& to = *letter->published_to;
    auto published = false;
    if (const auto queues = resolve(to.exchange, to.key, room))
      for (auto* const each : *queues)
        if (!letter->history->is_cycle(each->name()))
          published =
              each->push_letter(letter) == push_outcome::accepted || published;
    ++(published ? dead_counts_.published : dead_counts_.lost);
  }
}

result<queue*> virtual_host::usable_queue(std::string_view name,
                                          connection_id by) {
  const auto place = queues_.find(name);
  if (place == queues_.end())
    return refuse(errc::not_found, "queue", name, "does not exist");
  auto* const found = place->second.self;
  if (found->options().exclusive && found->owner() != by)
    return refuse(errc::resource_locked, "queue", name,
                  "is exclusive to another connection");
  return found;
}

std::optional<std::span<queue* const>>
virtual_host::resolve(std::string_view exchange, std::string_view key,
                      std::vector<queue*>& room) const {
  using destinations = std::span<queue* const>;
  if (exchange.empty()) {
    const auto place = queues_.find(key);
    if (place == queues_.end())
      return destinations{};
    return destinations{&place->second.self, 1};
  }
  const auto* const named = exchanges_.find(exchange);
  if (named == nullptr)
    return std::nullopt;
  return named->destinations(key, room);
}

void virtual_host::erase_queue(queue& gone) {
  exchanges_.forget(gone);
  queues_.erase(queues_.find(gone.name()));
  ++epoch_;
}

} // namespace rookery::broker
