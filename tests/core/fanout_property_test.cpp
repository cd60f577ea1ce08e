// Goal: whatever is lost, late, doubled, out of order or restarted: a read is
// complete and free of duplicates, never older than what another owner of the
// shard may have shown in a silence, and when all is quiet every home timeline
// is what the oracle says.
// Method: a random run of one shard against a store in memory, over a network
// that does all of this, with tiny limits, from a seed that is printed on
// failure (ROOKERY_SEED=<seed> replays that one).
#include "actors/fanout/fanout_core.hpp"
#include "testing/seed.hpp"
#include "tests/core/fanout_world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <utility>

using namespace rookery::actors;
using namespace rookery::service::v1;
using rookery::actors::tests::fanout_world;

namespace {

constexpr int steps = 1500;
constexpr std::uint64_t locals = 14;
constexpr std::uint64_t handover_ms = 200;

class run {
public:
  explicit run(std::uint64_t seed)
      : random_{seed},
        options_{draw_options()},
        world_{options_.tweet_partitions, options_.shard, options_.shards},
        authors_{2 + draw(8)},
        posts_{10 + draw(50)},
        deletes_{draw(40)},
        published_(options_.tweet_partitions + 1),
        shown_elsewhere_(options_.tweet_partitions + 1) {
    while (draw(30) > 0)
      change_world();
    restart();
  }

  /// @returns what went wrong first, empty when nothing did.
  std::string operator()() {
    for (int step = 0; step < steps && good(); ++step) {
      act();
      if (!good())
        trouble_ << " (step " << step << ")";
    }
    if (good())
      quiet();
    return trouble_.str();
  }

private:
  struct open_read {
    HomeTimelineRequest request;
    std::set<tweet_id> due;  // what the answer must not miss
    std::set<tweet_id> gone; // what it must not show
  };
  struct open_request {
    std::uint64_t ticket;
    std::uint32_t writer;
    writer_request request;
  };
  struct open_reply {
    std::uint64_t ticket;
    writer_reply reply;
  };

  std::uint64_t draw(std::uint64_t count) { return random_() % count; }
  [[nodiscard]] bool good() const { return trouble_.str().empty(); }
  [[nodiscard]] moment now() const {
    return {steady_time{std::chrono::milliseconds{time_ms_}}, time_ms_ * 1000};
  }

  fanout_options draw_options() {
    auto small = [this](std::uint64_t max) {
      return static_cast<std::uint32_t>(1 + draw(max));
    };
    fanout_options result;
    result.shards = 2;
    result.shard = small(2) - 1;
    result.tweet_partitions = small(3);
    result.timeline_cap = draw(2) == 0 ? small(5) : small(60);
    result.quantum = small(20);
    result.authors_max = small(8);
    result.batches_max = small(8);
    result.reads_max = small(12);
    result.timelines_max = draw(3) == 0 ? small(4) : 100;
    result.builds_max = draw(3) == 0 ? small(3) : 100;
    result.kept_max = small(6);
    result.requests_max = small(4);
    result.handover_time =
        std::chrono::milliseconds{draw(4) == 0 ? 0 : handover_ms};
    if (draw(2) == 0)
      result.held_max = std::chrono::milliseconds{handover_ms};
    if (draw(3) == 0)
      result.read_timeout = std::chrono::milliseconds{150};
    if (draw(3) == 0)
      result.missed_rows_max = small(20);
    result.hash_seed = random_();
    return result;
  }

  /// Half of the authors are readers of the shard, too.
  user_id any_author() {
    auto index = draw(authors_);
    return index % 2 == 0 ? world_.local(index) : 1'000'000 + index;
  }

  void restart() {
    core_ = std::make_unique<fanout_core>(options_);
    requests_.clear();
    replies_.clear();
    reads_.clear();
    batches_.clear();
    std::fill(shown_elsewhere_.begin(), shown_elsewhere_.end(), 0);
    heard_at_ms_ = time_ms_;
    core_->start(now());
    collect();
  }

  /// Another node has the shard for a while: the logs go on, and what comes of
  /// them goes there. Then it is asked first of all.
  void stand_by() {
    if (!reads_.empty()
        || (!batches_.empty()
            && options_.held_max > std::chrono::milliseconds{handover_ms}))
      return; // the broker takes nothing away that is held
    for (auto rows = draw(40); rows > 0; --rows)
      change_world();
    for (std::uint32_t log = 0; log < published_.size(); ++log)
      published_[log] = world_.head(log);
    tick(handover_ms + 1 + draw(100));
    for (auto reads = draw(4); reads > 0; --reads)
      read(world_.local(draw(locals)));
  }

  /// Another message has come.
  void heard() {
    auto silence_ms = time_ms_ - std::exchange(heard_at_ms_, time_ms_);
    auto held_max_ms = static_cast<std::uint64_t>(options_.held_max.count());
    auto held = std::any_of(batches_.begin(), batches_.end(), [&](auto& x) {
      return x.second + held_max_ms >= time_ms_;
    });
    if (options_.handover_time.count() > 0 && silence_ms >= handover_ms / 2
        && reads_.empty() && !held)
      for (std::uint32_t log = 0; log < published_.size(); ++log)
        shown_elsewhere_[log] = world_.head(log);
    core_->heard(now());
  }

  void change_world() {
    auto what = draw(100);
    auto reader = world_.local(draw(locals));
    if (what < posts_) {
      world_.post(any_author());
    } else if (what < posts_ + deletes_ && !world_.tweets().empty()) {
      auto at = world_.tweets().rbegin(); // mostly a recent one
      auto most = draw(2) == 0 ? 5 : world_.tweets().size();
      std::advance(at, draw(std::min(most, world_.tweets().size())));
      world_.erase(at->first);
      for (auto& [token, read] : reads_)
        read.due.erase(at->first);
    } else if (draw(2) == 0) {
      world_.follow(reader, any_author());
    } else {
      auto author = any_author();
      world_.unfollow(reader, author);
      for (auto& [token, read] : reads_)
        if (read.request.user() == reader)
          std::erase_if(read.due, [&](tweet_id id) {
            return !world_.sees(reader, world_.tweets().at(id).author);
          });
    }
  }

  void act() {
    auto what = draw(100);
    auto log = static_cast<std::uint32_t>(draw(published_.size()));
    if (what < 20)
      change_world();
    else if (what < 40)
      publish(log);
    else if (what < 45 && !wire_.empty())
      deliver(take_one(wire_));
    else if (what < 48)
      take_head(log);
    else if (what < 60)
      handle_request();
    else if (what < 72 && !replies_.empty())
      hand_over(take_one(replies_));
    else if (what < 88)
      core_->work(now());
    else if (what < 91)
      tick(draw(200));
    else if (what < 92)
      stand_by();
    else if (what < 99 || draw(8) > 0)
      read(world_.local(draw(locals)));
    else
      restart();
    collect();
  }

  template <class T>
  T take_one(std::vector<T>& from) {
    auto at = from.begin() + static_cast<std::ptrdiff_t>(draw(from.size()));
    auto result = std::move(*at);
    from.erase(at);
    return result;
  }

  /// Publishes the next rows, now or later, never or twice.
  void publish(std::uint32_t log) {
    auto count = 1 + draw(4);
    auto batch = world_.batch(log, published_[log] + 1, count);
    published_[log] += static_cast<std::uint64_t>(batch.rows_size());
    auto fate = draw(20);
    if (fate == 0)
      return;
    if (fate == 1)
      wire_.push_back(batch);
    if (fate == 2 && published_[log] > 0)
      wire_.push_back(
          world_.batch(log, 1 + draw(published_[log]), 1 + draw(9)));
    if (fate < 5)
      wire_.push_back(batch);
    else
      deliver(batch);
  }

  void deliver(const LogBatch& batch) {
    heard();
    batches_[++last_token_] = time_ms_;
    check_error(core_->take_batch(last_token_, batch, now()));
  }

  void take_head(std::uint32_t log) {
    heard();
    check_error(core_->take_head(world_.log_head(log), now()));
  }

  void check_error(const caf::error& error) {
    if (error)
      trouble_ << "refused: " << static_cast<int>(error.code());
  }

  void handle_request() {
    if (requests_.empty())
      return;
    auto request = take_one(requests_);
    if (draw(6) == 0)
      core_->fail(request.ticket, now());
    else
      replies_.push_back(
          {request.ticket, world_.answer(request.request, request.writer)});
  }

  void hand_over(const open_reply& x) {
    core_->reply(x.ticket, x.reply, now());
    if (draw(30) == 0) // once more: nobody asked
      core_->reply(x.ticket, x.reply, now());
  }

  void tick(std::uint64_t passed_ms) {
    time_ms_ += passed_ms;
    core_->tick(now());
  }

  void read(user_id user) {
    heard();
    open_read read;
    read.request.set_user(user);
    read.request.set_limit(static_cast<std::uint32_t>(draw(30)));
    read.request.set_ids_only(draw(2) == 0);
    auto count = world_.tweets().size() + 1;
    if (draw(4) == 0)
      read.request.set_max_id(draw(count) << 22);
    if (draw(4) == 0)
      read.request.set_since_id(draw(count) << 22);
    look_up(user, read);
    auto error = core_->read(++last_token_, read.request, now());
    if (!error)
      reads_.emplace(last_token_, std::move(read));
    else if (error.code() != static_cast<std::uint8_t>(errc::overloaded))
      check_error(error);
  }

  /// What the shard must know of: applied tweets over applied edges, and what
  /// another one may have shown.
  void look_up(user_id user, open_read& read) {
    std::map<std::string, std::uint64_t> applied;
    auto status = core_->status();
    for (auto& x : status.applied())
      applied[x.log()] = x.seq();
    for (std::uint32_t log = 0; log < shown_elsewhere_.size(); ++log)
      applied[world_.name(log)] =
          std::max(applied[world_.name(log)], shown_elsewhere_[log]);
    std::set<user_id> followed{user};
    for (auto& [edge, seq] : world_.edges())
      if (edge.first == user
          && seq <= applied[world_.name(world_.follow_log_number())])
        followed.insert(edge.second);
    for (auto& [id, tweet] : world_.tweets()) {
      auto known = applied[world_.name(tweet.log)];
      if (tweet.deleted != 0 && tweet.deleted <= known)
        read.gone.insert(id);
      if (tweet.deleted == 0 && followed.count(tweet.author) > 0
          && tweet.posted <= known)
        read.due.insert(id);
    }
  }

  void collect() {
    if (core_->is_stale())
      return restart();
    for (auto& x : core_->take_effects()) {
      if (auto* request = std::get_if<send_request>(&x))
        requests_.push_back(
            {request->ticket, request->writer, std::move(request->request)});
      else if (auto* batch = std::get_if<finish_batch>(&x))
        finish(batch->token);
      else if (auto* answer = std::get_if<answer_read>(&x))
        check_answer(answer->token, answer->reply);
      else if (reads_.erase(std::get<fail_read>(x).token) == 0)
        trouble_ << "a read failed that was none";
    }
  }

  void finish(std::uint64_t token) {
    if (batches_.erase(token) == 0)
      trouble_ << "a batch finished twice";
  }

  void check_answer(std::uint64_t token, const HomeTimelineReply& reply) {
    auto at = reads_.find(token);
    if (at == reads_.end()) {
      trouble_ << "an answer to nothing";
      return;
    }
    auto read = std::move(at->second);
    reads_.erase(at);
    auto& request = read.request;
    auto limit = request.limit() == 0 ? 20 : static_cast<int>(request.limit());
    auto min = request.since_id();
    auto max = request.has_max_id() ? request.max_id() : ~tweet_id{0};
    std::set<tweet_id> shown;
    for (auto& tweet : reply.tweets()) {
      auto known = world_.tweets().find(tweet.id());
      if (tweet.id() <= min || tweet.id() > max
          || (!shown.empty() && tweet.id() >= *shown.begin()))
        trouble_ << "a page out of order or bounds";
      else if (known == world_.tweets().end()
               || !world_.once_saw(request.user(), known->second.author))
        trouble_ << "a tweet of a stranger";
      else if (!request.ids_only() && tweet.author() != known->second.author)
        trouble_ << "the text of another tweet";
      else if (read.gone.count(tweet.id()) > 0)
        trouble_ << "a deleted tweet " << tweet.id();
      shown.insert(tweet.id());
    }
    if (reply.tweets_size() > limit)
      trouble_ << "a page too long";
    for (auto id : read.due)
      if (id > min && id <= max && shown.count(id) == 0
          && !(reply.tweets_size() == limit && *shown.begin() > id)
          && newer(request.user(), id) < options_.timeline_cap)
        trouble_ << "a read misses " << id;
  }

  /// How many tweets above `id` the user may ever have seen.
  std::size_t newer(user_id user, tweet_id id) {
    std::size_t result = 0;
    for (auto& [other, tweet] : world_.tweets())
      if (other > id && world_.once_saw(user, tweet.author))
        ++result;
    return result;
  }

  /// Lets everything come to an end, and compares.
  void quiet() {
    for (std::uint32_t log = 0; log < published_.size(); ++log)
      take_head(log);
    settle();
    auto status = core_->status();
    for (std::uint32_t log = 0; log < published_.size(); ++log)
      if (status.applied(static_cast<int>(log)).seq() != world_.head(log))
        trouble_ << "not applied: " << world_.name(log);
    if (!status.ready() || status.jobs() > 0 || !batches_.empty()
        || !reads_.empty() || status.building() > 0)
      trouble_ << "does not come to rest: " << status.ShortDebugString()
               << " batches=" << batches_.size() << " reads=" << reads_.size();
    if (status.edges() != world_.edges().size())
      trouble_ << "another graph";
    compare();
    for (std::uint64_t i = 0; i < locals && good(); ++i) {
      read(world_.local(i));
      settle();
      if (options_.timelines_max >= locals
          && options_.read_timeout > std::chrono::seconds{1}
          && core_->status().complete() < i + 1)
        trouble_ << "a read left no timeline";
    }
    compare();
  }

  void settle() {
    collect();
    for (int round = 0; round < 10'000; ++round) {
      while (!replies_.empty()) {
        auto x = take_one(replies_);
        core_->reply(x.ticket, x.reply, now());
      }
      core_->work(now());
      collect();
      if (requests_.empty() && !core_->has_work() && !core_->wants_tick())
        return;
      tick(requests_.empty() ? 50 : 1);
      if (!requests_.empty()) {
        auto x = take_one(requests_);
        replies_.push_back({x.ticket, world_.answer(x.request, x.writer)});
      }
    }
    trouble_ << "never quiet";
  }

  void compare() {
    DumpTimelinesRequest request;
    request.set_entries_max(1 + static_cast<std::uint32_t>(draw(50)));
    for (;;) {
      auto page = core_->dump(request);
      for (auto& shown : page->timelines()) {
        std::vector<tweet_id> ids{shown.ids().begin(), shown.ids().end()};
        ids.resize(std::min<std::size_t>(ids.size(), options_.timeline_cap));
        if (ids != world_.home(shown.user(), options_.timeline_cap))
          trouble_ << "the home of " << shown.user() << " is wrong";
        request.set_after_user(shown.user());
      }
      if (page->last())
        return;
    }
  }

  std::mt19937_64 random_;
  fanout_options options_;
  fanout_world world_;
  std::uint64_t authors_;
  std::uint64_t posts_;                  // percent of the changes
  std::uint64_t deletes_;                // percent of the changes
  std::vector<std::uint64_t> published_; // by log
  std::unique_ptr<fanout_core> core_;
  std::vector<LogBatch> wire_;
  std::vector<open_request> requests_;
  std::vector<open_reply> replies_;
  std::map<std::uint64_t, open_read> reads_;
  std::map<std::uint64_t, std::uint64_t> batches_; // when they came
  std::vector<std::uint64_t> shown_elsewhere_;     // by log: a seq
  std::uint64_t heard_at_ms_ = 0;
  std::uint64_t last_token_ = 0;
  std::uint64_t time_ms_ = 1'000'000;
  std::ostringstream trouble_;
};

} // namespace

TEST_CASE("fanout_core: any run ends with the timelines of the oracle",
          "[actors][fanout]") {
  rookery::testing::each_seed(
      60, [](std::uint64_t seed) { REQUIRE(run{seed}() == ""); });
}
