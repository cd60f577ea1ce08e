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

void pump(pointer self);

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
    if (auto found = batches.find(x.token); found != batches.end()) {
      found->second.deliver(caf::unit);
      batches.erase(found);
    }
  }
  void operator()(answer_read& x) const {
    if (auto promise = take_read(x.token))
      promise->deliver(std::move(x.reply));
  }
  void operator()(fail_read& x) const {
    if (auto promise = take_read(x.token))
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
              auto& state = self->state;
              state.core->reply(ticket, writer_reply{std::move(x)},
                                state.wiring.clock());
              pump(self);
            },
            [self = self, ticket](caf::error&) {
              auto& state = self->state;
              state.core->fail(ticket, state.wiring.clock());
              pump(self);
            });
  }
};

// Does what the core wants done, until it wants nothing more at once.
void pump(pointer self) {
  auto& state = self->state;
  for (auto todo = state.core->take_effects(); !todo.empty();
       todo = state.core->take_effects())
    for (auto& x : todo)
      std::visit(executor{self}, x);
  if (state.core->has_work() && !std::exchange(state.working, true))
    self->send(self, work_atom::value);
  if (state.core->wants_tick(state.wiring.clock())
      && !std::exchange(state.ticking, true))
    self->delayed_send(self, tick_interval, caf::tick_atom::value);
}

moment begin(pointer self) {
  auto now = self->state.wiring.clock();
  if (!std::exchange(self->state.started, true)) {
    self->state.core->start(now);
    pump(self);
  }
  return now;
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
        auto& known = self->state;
        auto token = ++known.last_token;
        auto promise = self->make_response_promise<caf::unit_t>();
        known.batches.emplace(token, promise);
        if (auto error = known.core->take_batch(token, batch, now)) {
          known.batches.erase(token);
          promise.deliver(std::move(error));
        }
        pump(self);
        return promise;
      },
      [self](const LogHead& head) -> caf::result<void> {
        auto now = begin(self);
        auto error = self->state.core->take_head(head, now);
        pump(self);
        if (error)
          return error;
        return caf::unit;
      },
      [self](const HomeTimelineRequest& request)
          -> caf::result<HomeTimelineReply> {
        auto now = begin(self);
        auto& known = self->state;
        auto token = ++known.last_token;
        auto promise = self->make_response_promise<HomeTimelineReply>();
        known.reads.emplace(token, promise);
        if (auto error = known.core->read(token, request, now)) {
          known.reads.erase(token);
          promise.deliver(std::move(error));
        }
        pump(self);
        return promise;
      },
      [self](const ShardStatusRequest&) -> caf::result<ShardStatus> {
        begin(self);
        return self->state.core->status();
      },
      [self](const DumpTimelinesRequest& request)
          -> caf::result<DumpTimelinesReply> {
        begin(self);
        return self->state.core->dump(request);
      },
      [self](
          const CompletionsRequest& request) -> caf::result<CompletionsReply> {
        begin(self);
        return self->state.core->completions_after(request);
      },
      [self](work_atom) {
        self->state.working = false;
        self->state.core->work(self->state.wiring.clock());
        pump(self);
      },
      [self](caf::tick_atom) {
        self->state.ticking = false;
        self->state.core->tick(self->state.wiring.clock());
        pump(self);
      },
  };
}

} // namespace rookery::actors
