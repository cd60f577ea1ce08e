#include "nodes/drive/load_driver.hpp"

#include "nodes/drive/conclusion.hpp"
#include "nodes/load/seeded_random.hpp"
#include "nodes/verify/timeline_check.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/timeline.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace rookery::nodes {

namespace {

using namespace service::v1;
using std::chrono::microseconds;

constexpr std::chrono::milliseconds tick{1};
/// Sent before answers get a turn.
constexpr std::size_t burst_max = 500;

std::uint64_t wall_us() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<microseconds>(now).count());
}

constexpr std::uint64_t pause_us_min = 20'000;
constexpr std::uint64_t pause_us_max = 1'000'000;

/// An operation that is due.
struct due_operation {
  operation what;
  std::uint64_t due_us = 0; // since the start
  std::uint64_t number = 0; // in the journal
};

/// An operation under way: in an attempt, or in the pause before the next.
struct open_operation {
  due_operation due;
  /// Makes an attempt: the same request each time.
  std::function<void(const std::shared_ptr<open_operation>&)> ask;
  std::uint32_t attempts = 0;
  bool refused = true; // every attempt was: nothing was changed
};
using operation_pointer = std::shared_ptr<open_operation>;

class driver : public std::enable_shared_from_this<driver> {
public:
  driver(service_client& client, const load_options& options, workload& work,
         journal_writer& journal, lag_log& lags)
      : client_(client),
        options_(options),
        work_(work),
        journal_(journal),
        lags_(lags),
        arrivals_(options.seed ^ 0x6172726976616c73U),
        mean_pause_us_(1e6 / options.rate),
        pauses_(options.seed ^ 0x706175736573U),
        end_us_(std::uint64_t{options.seconds} * 1'000'000),
        retry_end_us_(end_us_ + us(options.retry_time)),
        run_(std::to_string(std::random_device{}()) + "-") {}

  caf::behavior behavior(caf::event_based_actor* self) {
    self_ = self;
    start_ = std::chrono::steady_clock::now();
    start_wall_us_ = wall_us();
    next_us_ = arrivals_.exponential(mean_pause_us_);
    self->send(self, caf::tick_atom::value);
    auto keep = shared_from_this();
    return {[keep](caf::tick_atom) { keep->turn(); }};
  }

  std::future<void> finished() { return finished_.get_future(); }
  load_results& results() { return results_; }

  std::atomic<std::uint64_t> ended = 0;
  std::atomic<std::uint64_t> in_flight = 0;

private:
  std::uint64_t now_us() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<microseconds>(
            std::chrono::steady_clock::now() - start_)
            .count());
  }

  static std::uint64_t us(microseconds x) {
    return static_cast<std::uint64_t>(x.count());
  }

  void turn() {
    auto batch = draw();
    // What is sent must be in the journal, whatever happens to this process.
    static_cast<void>(journal_.flush());
    for (auto& x : batch)
      send(x);
    retry();
    if (over())
      return finish();
    if (batch.size() == burst_max)
      self_->send(self_, caf::tick_atom::value);
    else
      self_->delayed_send(self_, tick, caf::tick_atom::value);
  }

  std::vector<due_operation> draw() {
    std::vector<due_operation> result;
    while (next_us_ < static_cast<double>(end_us_)
           && next_us_ <= static_cast<double>(now_us())
           && in_flight < options_.in_flight_max && result.size() < burst_max) {
      due_operation x{work_.next(), static_cast<std::uint64_t>(next_us_)};
      x.number = journal_.tried(x.what);
      result.push_back(x);
      ++in_flight;
      next_us_ += arrivals_.exponential(mean_pause_us_);
    }
    return result;
  }

  /// Makes the next attempt where the pause is over.
  void retry() {
    for (std::size_t i = 0; i < burst_max && !pausing_.empty()
                            && pausing_.begin()->first <= now_us();
         ++i) {
      auto x = std::move(pausing_.begin()->second);
      pausing_.erase(pausing_.begin());
      attempt(x);
    }
  }

  /// Whether nothing is to be sent and nothing to be waited for. What could
  /// not even be sent until operations are given up never is.
  bool over() {
    if (now_us() > retry_end_us_)
      for (; next_us_ < static_cast<double>(end_us_); ++results_.left_out)
        next_us_ += arrivals_.exponential(mean_pause_us_);
    return next_us_ >= static_cast<double>(end_us_) && in_flight == 0;
  }

  void finish() {
    results_.seconds = static_cast<double>(now_us()) / 1'000'000;
    static_cast<void>(journal_.flush());
    finished_.set_value();
    self_->quit();
  }

  std::string key() { return run_ + std::to_string(++keys_); }

  void send(const due_operation& x) {
    auto& service = client_.service();
    results_.lag.record(now_us() - x.due_us);
    switch (x.what.kind) {
    case operation_kind::post: {
      PostTweetRequest request;
      request.set_author(x.what.user);
      request.set_text(work_.text());
      request.set_idempotency_key(key());
      request.set_intended_at_us(start_wall_us_ + x.due_us);
      return ask<PostTweetReply>(x, tweet_address_of(x.what.user, service),
                                 request,
                                 [](auto& reply) { return reply.tweet_id(); });
    }
    case operation_kind::remove: {
      DeleteTweetRequest request;
      request.set_author(x.what.user);
      request.set_tweet_id(x.what.subject);
      request.set_idempotency_key(key());
      return ask<DeleteTweetReply>(x, tweet_address_of(x.what.user, service),
                                   request);
    }
    case operation_kind::follow:
      return change<FollowRequest>(x);
    case operation_kind::unfollow:
      return change<UnfollowRequest>(x);
    case operation_kind::read:
      return read(x);
    }
  }

  template <class Request>
  void change(const due_operation& x) {
    Request request;
    request.set_follower(x.what.user);
    request.set_followee(x.what.subject);
    request.set_idempotency_key(key());
    ask<FollowReply>(x, follow_address_of(x.what.user, client_.service()),
                     request);
  }

  void read(const due_operation& x) {
    HomeTimelineRequest request;
    request.set_user(x.what.user);
    ask<HomeTimelineReply>(
        x, shard_address_of(x.what.user, client_.service()), request,
        [keep = shared_from_this(), x](auto& reply) {
          std::vector<actors::tweet_id> ids;
          for (auto& tweet : reply.tweets())
            ids.push_back(tweet.id());
          if (auto wrong = check_order(ids)) {
            ++keep->results_.bad_reads;
            keep->results_.bad_read =
                "home of " + std::to_string(x.what.user) + ": " + *wrong;
          }
          return std::uint64_t{0};
        });
  }

  static std::uint64_t nothing(const google::protobuf::Message&) { return 0; }

  /// @param take what to learn from the reply: the id of a post, else 0
  template <class Reply, class Request>
  void ask(const due_operation& x, const bridge::address& whom,
           const Request& what,
           std::function<std::uint64_t(Reply&)> take = nothing) {
    ++of(x).asked;
    auto opened = std::make_shared<open_operation>();
    opened->due = x;
    opened->ask = [this, whom, what, take](const operation_pointer& y) {
      auto keep = shared_from_this();
      self_->request(client_.at(whom, patience(*y)), timeout(*y), what)
          .then(
              [keep, y, take](Reply& reply) {
                keep->end(y->due, ending::acknowledged, take(reply));
              },
              [keep, y](caf::error& why) { keep->failed(y, why); });
    };
    attempt(opened);
  }

  /// How long an attempt is worth an answer. Later ones are worth it longer,
  /// or what piles up when the service stalls would be asked for again faster
  /// than the service can answer, and it would never recover.
  std::chrono::milliseconds patience(const open_operation& x) const {
    constexpr std::uint32_t shift_max = 4;
    return client_.timeout() * (1U << std::min(x.attempts - 1, shift_max));
  }

  /// Of one attempt: none lasts longer than all of them may.
  caf::timespan timeout(const open_operation& x) const {
    constexpr std::uint64_t least_us = 1'000;
    auto now = now_us();
    auto left = retry_end_us_ > now ? retry_end_us_ - now : 0;
    auto most = us(patience(x));
    return microseconds{std::clamp(left, least_us, std::max(least_us, most))};
  }

  void attempt(const operation_pointer& x) {
    ++x->attempts;
    ++of(x->due).attempts;
    x->ask(x);
  }

  void failed(const operation_pointer& x, const caf::error& why) {
    count(error_text(why));
    x->refused = x->refused && is_refusal(why);
    auto now = now_us();
    if (!is_temporary(why) || now >= retry_end_us_) {
      auto [how, given_up] = conclude(why, x->refused);
      ++(given_up ? of(x->due).failed : of(x->due).refused);
      return end(x->due, how, 0);
    }
    auto shift = std::min<std::uint32_t>(x->attempts - 1, 6);
    auto pause = std::min(pause_us_min << shift, pause_us_max);
    pausing_.emplace(now + pause / 2 + pauses_.below(pause / 2 + 1), x);
  }

  operation_results& of(const due_operation& x) {
    return results_.operations[static_cast<std::size_t>(x.what.kind)];
  }

  void end(const due_operation& x, ending how, std::uint64_t tweet) {
    auto& results = of(x);
    if (how == ending::acknowledged) {
      ++results.acknowledged;
      results.latency.record(now_us() - x.due_us);
    }
    if (tweet != 0)
      lags_.acknowledged(tweet, wall_us(), start_wall_us_ + x.due_us);
    journal_.ended(x.number, how, tweet);
    work_.finished(x.what, how, tweet);
    ++ended;
    --in_flight;
  }

  void count(const std::string& error) {
    auto& errors = results_.errors;
    if (errors.size() < load_results::errors_max || errors.contains(error))
      ++errors[error];
    else
      ++errors["other errors"];
  }

  service_client& client_;
  const load_options& options_;
  workload& work_;
  journal_writer& journal_;
  lag_log& lags_;
  seeded_random arrivals_;
  double mean_pause_us_;
  seeded_random pauses_;
  std::uint64_t end_us_;
  std::uint64_t retry_end_us_; // no attempt begins later
  /// Operations between two attempts, by when the next is due, microseconds
  /// since the start; at most those in flight.
  std::multimap<std::uint64_t, operation_pointer> pausing_;
  std::string run_; // begins every idempotency key; differs in every run
  std::uint64_t keys_ = 0;
  double next_us_ = 0; // when the next operation is due
  std::chrono::steady_clock::time_point start_;
  std::uint64_t start_wall_us_ = 0;
  caf::event_based_actor* self_ = nullptr;
  load_results results_;
  std::promise<void> finished_;
};

} // namespace

load_results
drive(service_client& client, const load_options& options, workload& work,
      journal_writer& journal, lag_log& lags,
      const std::function<void(std::uint64_t, std::uint64_t)>& look) {
  auto state = std::make_shared<driver>(client, options, work, journal, lags);
  auto finished = state->finished();
  // Detached: a thread of its own keeps its ticks on time.
  client.system().spawn<caf::detached>(
      [state](caf::event_based_actor* self) { return state->behavior(self); });
  constexpr std::chrono::milliseconds pause{100};
  while (finished.wait_for(pause) != std::future_status::ready)
    look(state->ended, state->in_flight);
  look(state->ended, state->in_flight);
  return std::move(state->results());
}

} // namespace rookery::nodes
