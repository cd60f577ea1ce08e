#include "actors/fanout/fanout.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace rookery::actors {

using namespace service::v1;

namespace {

using pointer = fanout_actor::stateful_pointer<fanout_state>;

// How often time is looked at while something waits for it.
constexpr std::chrono::milliseconds tick_interval{50};

moment machine_time() {
  using namespace std::chrono;
  auto since_epoch = system_clock::now().time_since_epoch();
  return {steady_clock::now(),
          static_cast<std::uint64_t>(
              duration_cast<microseconds>(since_epoch).count())};
}

// What a writer answers to each kind of request.
template <class Request>
struct reply_to;
template <>
struct reply_to<HeadRequest> : std::type_identity<LogHead> {};
template <>
struct reply_to<ReadLogRequest> : std::type_identity<LogBatch> {};
template <>
struct reply_to<EdgesRequest> : std::type_identity<EdgesReply> {};
template <>
struct reply_to<PullRequest> : std::type_identity<PullReply> {};
template <>
struct reply_to<GetTweetsRequest> : std::type_identity<Tweets> {};

// Whether the actor may go on; ends it when it may not, or had better not. What
// it was sent goes to the next one then.
bool holds(pointer self) {
  auto& state = self->state;
  if (state.over)
    return false;
  if (state.wiring.lease && !state.wiring.lease())
    self->quit(caf::make_error(errc::lease_lapsed));
  else if (state.core->is_stale())
    self->quit(caf::exit_reason::user_shutdown);
  else
    return true;
  state.over = true;
  return false;
}

// An answer that never comes.
template <class Reply>
caf::typed_response_promise<Reply> silence(pointer self) {
  return self->template make_response_promise<Reply>();
}

void pump(pointer self);

// For what has no answer: `f` gets the core and the time.
template <class F>
void go_on(pointer self, F f) {
  if (!holds(self))
    return;
  f(*self->state.core, self->state.wiring.clock());
  pump(self);
}

struct executor {
  pointer self;

  void operator()(send_request& x) const {
    auto& wiring = self->state.wiring;
    auto& writer = x.writer < wiring.tweet_writers.size()
                       ? wiring.tweet_writers[x.writer]
                       : wiring.follow_writer;
    std::visit([&](auto& request) { ask(writer, x.ticket, request); },
               x.request);
  }
  void operator()(finish_batch& x) const {
    auto& batches = self->state.batches;
    if (!holds(self))
      return;
    if (auto found = batches.find(x.token); found != batches.end()) {
      found->second.deliver(caf::unit);
      batches.erase(found);
    }
  }
  void operator()(answer_read& x) const {
    if (auto promise = take_read(x.token); promise && holds(self))
      promise->deliver(std::move(x.reply));
  }
  void operator()(fail_read& x) const {
    if (auto promise = take_read(x.token); promise && holds(self))
      promise->deliver(caf::make_error(x.why, "home timeline"));
  }

private:
  using read_promise = caf::typed_response_promise<HomeTimelineReply>;

  std::optional<read_promise> take_read(std::uint64_t token) const {
    auto& reads = self->state.reads;
    auto found = reads.find(token);
    if (found == reads.end())
      return std::nullopt;
    auto result = std::move(found->second);
    reads.erase(found);
    return result;
  }

  template <class Request>
  void ask(const caf::actor& writer, std::uint64_t ticket,
           const Request& request) const {
    using reply = typename reply_to<Request>::type;
    self->request(writer, self->state.request_timeout, request)
        .then(
            [self = self, ticket](reply& x) {
              go_on(self, [&](fanout_core& core, moment now) {
                core.reply(ticket, writer_reply{std::move(x)}, now);
              });
            },
            [self = self, ticket](caf::error&) {
              go_on(self, [&](fanout_core& core, moment now) {
                core.fail(ticket, now);
              });
            });
  }
};

// Does what the core wants done, until it wants nothing more at once.
void pump(pointer self) {
  auto& state = self->state;
  for (auto todo = state.core->take_effects(); !todo.empty();
       todo = state.core->take_effects())
    for (auto& x : todo) {
      if (state.over)
        return;
      std::visit(executor{self}, x);
    }
  if (state.over)
    return;
  if (state.core->has_work() && !std::exchange(state.working, true))
    self->send(self, work_atom::value);
  if (state.core->wants_tick() && !std::exchange(state.ticking, true))
    self->delayed_send(self, tick_interval, caf::tick_atom::value);
}

// What comes before every message: the time, or nothing when the actor is over.
std::optional<moment> begin(pointer self) {
  if (!holds(self))
    return std::nullopt;
  auto now = self->state.wiring.clock();
  auto& core = *self->state.core;
  if (std::exchange(self->state.started, true)) {
    core.heard(now);
    return now;
  }
  core.start(now);
  pump(self);
  if (self->state.over)
    return std::nullopt;
  return now;
}

// Answers with what `f` makes of the core.
template <class Reply, class F>
caf::result<Reply> answer_at_once(pointer self, F f) {
  if (!begin(self))
    return silence<Reply>(self);
  caf::result<Reply> answer = f(*self->state.core);
  if (!holds(self)) // a dump takes its time
    return silence<Reply>(self);
  return answer;
}

} // namespace

fanout_actor::behavior_type fanout(pointer self, fanout_options options,
                                   fanout_wiring wiring) {
  auto& state = self->state;
  state.core.emplace(options);
  state.request_timeout = options.request_timeout;
  state.wiring = std::move(wiring);
  if (!state.wiring.clock)
    state.wiring.clock = machine_time;
  return {
      [self](const LogBatch& batch) -> caf::result<void> {
        auto now = begin(self);
        if (!now)
          return silence<caf::unit_t>(self);
        auto& known = self->state;
        auto token = ++known.last_token;
        auto promise = self->make_response_promise<caf::unit_t>();
        known.batches.emplace(token, promise);
        if (auto error = known.core->take_batch(token, batch, *now)) {
          known.batches.erase(token);
          if (holds(self))
            promise.deliver(std::move(error));
        }
        pump(self);
        return promise;
      },
      [self](const LogHead& head) -> caf::result<void> {
        auto now = begin(self);
        if (!now)
          return silence<caf::unit_t>(self);
        auto error = self->state.core->take_head(head, *now);
        pump(self);
        if (!holds(self))
          return silence<caf::unit_t>(self);
        if (error)
          return error;
        return caf::unit;
      },
      [self](const HomeTimelineRequest& request)
          -> caf::result<HomeTimelineReply> {
        auto now = begin(self);
        if (!now)
          return silence<HomeTimelineReply>(self);
        auto& known = self->state;
        auto token = ++known.last_token;
        auto promise = self->make_response_promise<HomeTimelineReply>();
        known.reads.emplace(token, promise);
        if (auto error = known.core->read(token, request, *now)) {
          known.reads.erase(token);
          if (holds(self))
            promise.deliver(std::move(error));
        }
        pump(self);
        return promise;
      },
      [self](const ShardStatusRequest&) {
        return answer_at_once<ShardStatus>(
            self, [](fanout_core& core) { return core.status(); });
      },
      [self](const DumpTimelinesRequest& request) {
        return answer_at_once<DumpTimelinesReply>(
            self, [&](fanout_core& core) { return core.dump(request); });
      },
      [self](const CompletionsRequest& request) {
        return answer_at_once<CompletionsReply>(self, [&](fanout_core& core) {
          return core.completions_after(request);
        });
      },
      [self](work_atom) {
        self->state.working = false;
        go_on(self, [](fanout_core& core, moment now) { core.work(now); });
      },
      [self](caf::tick_atom) {
        self->state.ticking = false;
        go_on(self, [](fanout_core& core, moment now) { core.tick(now); });
      },
  };
}

} // namespace rookery::actors
