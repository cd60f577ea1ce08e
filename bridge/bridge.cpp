#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/pack.hpp"
#include "bridge/assert.hpp"
#include "bridge/caf/bridge_impl.hpp"
#include "bridge/caf/local_proxy.hpp"
#include "bridge/caf/time_bounds.hpp"

#include <caf/actor_cast.hpp>

#include <algorithm>
#include <future>

namespace rookery::bridge {

namespace {

amqp::client_options make_client_options(const hub& x) {
  return {x.options.profile,
          x.options.node_name + "." + x.stream,
          {x.options.in_flight_max, x.options.send_queue.bytes_max,
           x.options.outcome_timeout, x.options.message_bytes_max},
          x.options.idle_timeout,
          x.world.now,
          x.reply_queue,
          x.world.random};
}

amqp::loop_options make_loop_options(const bridge_options& x) {
  ROOKERY_ASSERT(!x.brokers.empty());
  amqp::loop_options result;
  for (const auto& [host, port] : x.brokers)
    result.brokers.emplace_back(host, port);
  result.engine.container_id = x.node_name;
  result.engine.hostname = x.brokers.front().host;
  result.engine.user = x.user;
  result.engine.password = x.password;
  // Of a message in a pack it is looked at when that is taken apart.
  result.engine.message_bytes_max =
      std::max(x.message_bytes_max, amqp::pack_bytes_max)
      + amqp::broker_adds_max;
  result.engine.idle_timeout = x.idle_timeout;
  result.open_timeout = x.open_timeout;
  result.reconnect = x.reconnect;
  return result;
}

} // namespace

bridge::impl::impl(caf::actor_system& system, type_registry types,
                   bridge_options options, std::shared_ptr<observer> watcher,
                   environment world)
    : hub_{std::make_shared<hub>(system, std::move(types), std::move(options),
                                 std::move(watcher), std::move(world))},
      client_{make_client_options(*hub_), *this},
      loop_{hub_->world.make_loop(make_loop_options(hub_->options), client_,
                                  *this)},
      watching_{*hub_, [this](auto& path) { return find_destination(path); }} {
  queue_declaration replies;
  replies.name = hub_->reply_queue;
  replies.replicated = false;
  replies.exclusive = true;
  replies.auto_delete = true;
  client_.declare(replies);
  reply_receiver_ =
      client_.add_receiver(replies.name, hub_->options.reply_window, {});
  reply_sender_ = client_.add_sender(std::nullopt, hub_->replies);
  control_sender_ = client_.add_sender(std::nullopt, hub_->control);
  hub_->on_control = [this](const auto& x, auto target) {
    return watching_.take(x, target);
  };
  hub_->set_wake([this] { loop_->wake(); });
  if (hub_->spilled)
    find_spilled();
  loop_->start();
}

bridge::impl::~impl() {
  hub_->set_wake(nullptr);
  loop_->stop();
  refuse_all();
  if (stopped_ || !hub_->spilled) // its stop may not have come so far
    static_cast<void>(keep_sends(0));
  if (hub_->spilled)
    hub_->spilled->stop();
  for (auto& [index, x] : served_)
    static_cast<served_address*>(x.actor->get())->release();
}

void bridge::impl::refuse_all() {
  {
    std::lock_guard guard{proxies_mutex_};
    refusing_ = true;
    for (auto& [to, x] : destinations_)
      x->queue->close();
  }
  if (hub_->spilled)
    hub_->spilled->close();
  tell_ready();
  hub_->replies->close();
  hub_->control->close();
  hub_->give_up_waiting();
}

void bridge::impl::change(std::function<void()> f) {
  {
    std::lock_guard guard{state_mutex_};
    ++state_.asked;
  }
  loop_->post([this, f = std::move(f)] {
    call(f);
    publish_state(1);
  });
}

caf::actor bridge::impl::proxy(const address& to, send_options how) {
  std::lock_guard guard{proxies_mutex_};
  auto& result = proxies_[{to, how}];
  if (!result)
    result =
        caf::actor_cast<caf::actor>(make_local_proxy<rookery::bridge::proxy>(
            hub_->system, hub_, destination_of(to), how));
  return result;
}

std::shared_ptr<destination> bridge::impl::destination_of(const address& to) {
  auto& result = destinations_[to];
  if (result)
    return result;
  result = std::make_shared<destination>(
      static_cast<std::uint32_t>(destinations_.size()), to_string(to),
      hub_->options.send_queue);
  if (hub_->spilled)
    result->lane = hub_->spilled->make_lane(result->name, result->queue);
  by_path_[hub_->options.profile->encode(to)] = result;
  if (refusing_)
    result->queue->close();
  change([this, to, queue = result->queue] {
    static_cast<void>(client_.add_sender(to, queue));
  });
  return result;
}

void bridge::impl::find_spilled() {
  std::lock_guard guard{proxies_mutex_};
  for (const auto& x : hub_->spilled->found())
    if (auto to = address::parse(x.address))
      static_cast<void>(destination_of(*to));
    else
      hub_->report(observer::severity::error, "spill-failed", to.error());
}

void bridge::impl::resolve(
    const address& to, std::chrono::milliseconds timeout,
    std::function<void(caf::expected<caf::actor>)> done) {
  auto handle = proxy(to, {});
  std::unique_lock guard{proxies_mutex_};
  auto where = destination_of(to);
  guard.unlock();
  hub_->resolve(*where,
                std::make_unique<resolution>(
                    [handle, done = std::move(done)](caf::error why) {
                      if (why)
                        done(std::move(why));
                      else
                        done(handle);
                    }),
                timeout);
}

std::shared_ptr<destination>
bridge::impl::find_destination(const std::string& path) {
  std::lock_guard guard{proxies_mutex_};
  auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

void bridge::impl::when_ready(const address& to, const caf::actor& who) {
  {
    std::lock_guard guard{proxies_mutex_};
    room_waiter x{destination_of(to), who};
    if (std::find(waiters_.begin(), waiters_.end(), x) == waiters_.end())
      waiters_.push_back(std::move(x));
    anybody_waits_ = true;
  }
  tell_ready();
}

void bridge::impl::serve(const address& at, serve_options options,
                         caf::actor target, std::function<caf::actor()> make) {
  ROOKERY_ASSERT(at.kind() == address::kind_type::queue);
  ROOKERY_ASSERT(options.window > 0);
  const auto& delay = options.retry.delay;
  ROOKERY_ASSERT(delay.delay_min.count() >= 0 && delay.delay_min <= delay.first
                 && delay.first <= delay.delay_max);
  for (const auto& name : options.types)
    ROOKERY_ASSERT(hub_->types.find(name) != nullptr);
  ROOKERY_ASSERT(target || make);
  if (stopped_)
    return;
  auto x =
      make_local_proxy<served_address>(hub_->system, hub_, at.name(), options,
                                       std::move(target), std::move(make));
  auto& served = *static_cast<served_address*>(x->get());
  hub_->settlements.add_window(served.settlements_max());
  hub_->replies->add_room(served.window());
  change([this, x, at, options = std::move(options)] {
    if (stopped_)
      return; // meanwhile: it would not be told to pause
    std::vector<declaration> declared;
    if (options.queue) {
      auto queue = *options.queue;
      queue.name = at.name();
      declared.emplace_back(std::move(queue));
    }
    for (const auto& [exchange, key] : options.bindings)
      declared.emplace_back(binding_declaration{exchange, at.name(), key});
    for (const auto& each : declared)
      client_.declare(each);
    static_cast<served_address*>(x->get())->start();
    const auto index =
        client_.add_receiver(at.name(), options.window, options.priority);
    client_.hold_receiver(index, holding_);
    served_.emplace(index, serving{x, std::move(declared)});
  });
}

caf::error bridge::impl::wait_until_up(std::chrono::milliseconds timeout) {
  std::unique_lock guard{state_mutex_};
  auto done = [this] {
    return stopped_ || !state_.refusal.empty()
           || (state_.up && state_.applied == state_.asked);
  };
  auto in_time = state_changed_.wait_for(guard, bounded(timeout), done);
  if (stopped_)
    return caf::make_error(errc::closed, "the bridge has stopped");
  if (!state_.refusal.empty())
    return caf::make_error(errc::refused, state_.refusal);
  if (!in_time)
    return caf::make_error(errc::unreachable,
                           state_.trouble.empty()
                               ? "nobody there has answered yet; is it an "
                                 "AMQP 1.0 broker?"
                               : state_.trouble);
  return caf::none;
}

bool bridge::impl::begin_stop(std::chrono::milliseconds timeout,
                              std::function<void(std::size_t)> done) {
  {
    std::lock_guard guard{state_mutex_}; // for who is about to wait
    if (stopped_.exchange(true))
      return false;
  }
  state_changed_.notify_all();
  auto deadline = hub_->world.now() + bounded(timeout);
  loop_->post([this, deadline, done = std::move(done)] {
    for (const auto& [index, x] : served_)
      client_.pause_receiver(index);
    if (hub_->spilled)
      hub_->spilled->stop_reading();
    stopping_ = stopping{deadline, done};
  });
  return true;
}

std::size_t bridge::impl::stop(std::chrono::milliseconds timeout) {
  auto done = std::make_shared<std::promise<std::size_t>>();
  auto left = done->get_future();
  if (!begin_stop(timeout, [done](std::size_t x) { done->set_value(x); }))
    return 0;
  // The IO thread sees the deadline at its next turn, unless a hook blocks it.
  constexpr std::chrono::milliseconds margin{500};
  left.wait_for(bounded(timeout) + margin);
  hub_->set_wake(nullptr);
  loop_->stop();
  refuse_all();
  std::unique_lock guard{state_mutex_};
  const auto unfinished = state_.unfinished;
  guard.unlock();
  const auto given_up = keep_sends(unfinished);
  if (left.wait_for(std::chrono::seconds{0}) == std::future_status::ready)
    return left.get();
  return given_up;
}

bridge::bridge(caf::actor_system& system, type_registry types,
               bridge_options options, std::shared_ptr<observer> watcher,
               environment world)
    : impl_{std::make_unique<impl>(system, std::move(types), std::move(options),
                                   std::move(watcher), std::move(world))} {}

bridge::~bridge() = default;

void bridge::declare(declaration what) {
  impl_->change(
      [x = impl_.get(), what = std::move(what)] { x->client_.declare(what); });
}

caf::actor bridge::proxy(const address& to, send_options how) {
  return impl_->proxy(to, how);
}

void bridge::resolve(const address& to, std::chrono::milliseconds timeout,
                     std::function<void(caf::expected<caf::actor>)> done) {
  impl_->resolve(to, timeout, std::move(done));
}

void bridge::when_ready(const address& to, const caf::actor& who) {
  impl_->when_ready(to, who);
}

void bridge::serve(const address& at, caf::actor target,
                   serve_options options) {
  impl_->serve(at, std::move(options), std::move(target), nullptr);
}

void bridge::serve(const address& at, std::function<caf::actor()> factory,
                   serve_options options) {
  impl_->serve(at, std::move(options), nullptr, std::move(factory));
}

void bridge::on_up(std::function<void()> f) {
  impl_->change([x = impl_.get(), f = std::move(f)] {
    x->up_hooks_.push_back(f);
    if (x->client_.came_up())
      f();
  });
}

void bridge::on_down(std::function<void()> f) {
  impl_->change(
      [x = impl_.get(), f = std::move(f)] { x->down_hooks_.push_back(f); });
}

bool bridge::lease_held() const {
  const auto& x = *impl_->hub_;
  return x.lease.held(x.world.now());
}

std::function<bool()> bridge::lease() const {
  return [x = impl_->hub_, connection = impl_->hub_->lease.connection()] {
    return x->lease_held(connection);
  };
}

caf::error bridge::wait_until_up(std::chrono::milliseconds timeout) {
  return impl_->wait_until_up(timeout);
}

std::size_t bridge::stop(std::chrono::milliseconds timeout) {
  return impl_->stop(timeout);
}

void bridge::stop(std::chrono::milliseconds timeout,
                  std::function<void(std::size_t)> done) {
  static_cast<void>(impl_->begin_stop(timeout, std::move(done)));
}

std::size_t bridge::unfinished() const {
  std::lock_guard guard{impl_->state_mutex_};
  return impl_->state_.unfinished;
}

bridge_counters bridge::counters() const {
  auto result = impl_->hub_->counters.snapshot();
  result.watches = impl_->hub_->monitors.size();
  result.watchers = impl_->hub_->watchers.size();
  result.spilled = impl_->hub_->spilled ? impl_->hub_->spilled->size() : 0;
  return result;
}

} // namespace rookery::bridge
