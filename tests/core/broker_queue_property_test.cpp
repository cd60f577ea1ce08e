// Goal: whatever happens to a queue in whatever order, nothing is lost, nothing
// is held twice, credit and order hold, what dies does so once, in its turn and
// for the right reason, and the counts agree.
// Method: random commands from a seed, against a naive model. On failure the
// seed and step are printed; ROOKERY_SEED=<seed> replays that one alone.
#include "testing/seed.hpp"
#include "tests/core/broker_queue_model.hpp"
#include "tests/core/broker_shell.hpp"

#include <algorithm>
#include <random>
#include <sstream>

namespace rookery::broker::tests {

namespace {

using std::chrono::milliseconds;

constexpr int steps = 400;
constexpr int consumers_max = 6;
constexpr connection_id mourners = 1'000'000;

/// The queue and the model side by side; the first difference ends it.
class duel {
public:
  explicit duel(std::uint64_t seed) : random_{seed}, options_{draw_options()} {
    (void)host_.declare_queue("q", options_, 0);
    (void)host_.declare_queue("dead", {}, 0);
    mourner_ =
        host_.attach("dead", {.settled = true, .connection = mourners}).value();
    mourner_->set_credit(1'000'000);
    model_.now = now_;
  }

  /// @returns the first difference, empty when there was none.
  std::string run() {
    for (int step = 0; step < steps && trouble_.str().empty(); ++step) {
      act();
      compare_counts();
      if (!trouble_.str().empty())
        trouble_ << " (step " << step << ")";
    }
    if (trouble_.str().empty())
      finish();
    return trouble_.str();
  }

private:
  struct link {
    consumer_ptr real;
    /// Number of a held message -> its delivery.
    std::map<std::uint64_t, delivery_id> held;
  };

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  queue_options draw_options() {
    queue_options drawn;
    if (draw(2) == 0)
      drawn.type = queue_type::classic;
    drawn.single_active_consumer = draw(2) == 0;
    if (draw(2) == 0)
      drawn.length_max = draw(20);
    if (draw(3) == 0)
      drawn.bytes_max = 10 + draw(200);
    if (draw(2) == 0)
      drawn.overflow = overflow_policy::reject_publish;
    if (draw(6) != 0)
      drawn.delivery_limit = static_cast<std::int64_t>(draw(6)) - 1;
    if (draw(3) == 0)
      drawn.message_ttl = milliseconds{draw(100)};
    if (draw(4) != 0) {
      drawn.dead_letter_exchange = "";
      drawn.dead_letter_key = draw(4) == 0 ? "nowhere" : "dead";
    }
    return drawn;
  }

  /// A consumer that is there, or none.
  std::optional<int> draw_name() {
    if (links_.empty())
      return std::nullopt;
    return std::next(links_.begin(), static_cast<long>(draw(links_.size())))
        ->first;
  }

  void act() {
    const auto choice = draw(100);
    if (choice < 35)
      push();
    else if (choice < 50)
      set_credit();
    else if (choice < 70)
      settle();
    else if (choice < 76)
      attach();
    else if (choice < 80)
      detach();
    else if (choice < 83)
      pause();
    else if (choice < 84)
      purge();
    else if (choice < 88)
      pass_time();
    else
      take(1 + draw(12));
  }

  void push() {
    const auto number = number_next_++;
    auto made = std::make_shared<message>();
    made->bytes = std::to_string(number) + '.' + std::string(draw(16), 'x');
    const auto bytes = made->bytes.size();
    if (draw(4) == 0)
      made->ttl = milliseconds{draw(100)};
    const auto ttl = made->ttl;
    const auto high = draw(3) == 0;
    made->priority = high ? 5 + draw(5) : draw(5);
    const auto taken = host_.publish("", "q", std::move(made)).what
                       == publish_outcome::accepted;
    if (taken)
      ++published_;
    if (taken != model_.push({number, bytes, high, ttl}))
      trouble_ << "push of " << number << " was "
               << (taken ? "taken" : "refused");
  }

  void set_credit() {
    const auto name = draw_name();
    if (!name)
      return;
    const auto credit = static_cast<std::uint32_t>(draw(9));
    const auto drain = draw(4) == 0;
    links_[*name].real->set_credit(credit, drain);
    model_.set_credit(*name, credit, drain);
  }

  void settle() {
    const auto name = draw_name();
    if (!name || links_[*name].held.empty())
      return;
    auto& mine = links_[*name];
    const auto [number, id] = *std::next(
        mine.held.begin(), static_cast<long>(draw(mine.held.size())));
    const auto how = static_cast<outcome>(draw(7));
    if (!mine.real->settle(id, how))
      trouble_ << "delivery of " << number << " was not held";
    if (mine.real->settle(id, how))
      trouble_ << "delivery of " << number << " was settled twice";
    model_.settle(*name, number, how);
    mine.held.erase(number);
    held_.erase(number);
  }

  void attach() {
    if (links_.size() >= consumers_max)
      return;
    const auto name = name_next_++;
    consumer_options options{.priority = static_cast<std::int32_t>(draw(3)) - 1,
                             .settled = draw(5) == 0};
    model_.attach(name, options);
    options.connection = static_cast<connection_id>(name);
    auto joined = host_.attach("q", options);
    links_[name].real = joined.value();
  }

  void detach() {
    const auto name = draw_name();
    if (!name)
      return;
    const auto failed = draw(2) == 0;
    if (failed)
      host_.connection_closed(static_cast<connection_id>(*name));
    else
      host_.detach(*links_[*name].real, detach_reason::closed);
    for (const auto& [number, id] : links_[*name].held)
      held_.erase(number);
    links_.erase(*name);
    model_.detach(*name, failed);
  }

  void pause() {
    const auto name = draw_name();
    if (!name)
      return;
    const auto paused = draw(2) == 0;
    links_[*name].real->set_paused(paused);
    model_.set_paused(*name, paused);
  }

  void purge() {
    auto purged = host_.purge_queue("q", 0);
    purged_ += purged.value();
    if (purged.value() != model_.purge())
      trouble_ << "purged " << purged.value();
  }

  /// Sometimes the queue is not told, and finds out when it looks.
  void pass_time() {
    now_ += milliseconds{draw(60)};
    model_.now = now_;
    if (draw(2) == 0)
      return;
    if (!host_.pass_time().empty())
      trouble_ << "the queue went";
    model_.pass_time();
    if (host_.next_due() != model_.next_due())
      trouble_ << "the alarm is set for another time";
  }

  void take(std::uint64_t max) {
    event got;
    while (max-- > 0 && trouble_.str().empty()) {
      model_.look();
      const auto any = next_of_queue(got);
      const auto wanted = model_.next();
      if (any != wanted.has_value())
        trouble_ << (any ? "an event too many" : "an event is missing");
      if (!any)
        check_all_told();
      if (!any || !wanted)
        return;
      compare(got, *wanted);
    }
  }

  /// Who became active is looked at at once: the model elects in the same step.
  /// Dead letters come in between.
  bool next_of_queue(event& into) {
    for (int round = 0; round == 0 || (host_.has_work() && round < 10);
         ++round) // many dead letters take several
      while (host_.next(into)) {
        if (into.to == mourner_.get()) {
          mourn(into);
          continue;
        }
        if (into.what != event::kind::activated)
          return true;
        const auto active = model_.active();
        if (!active || links_[*active].real.get() != into.to)
          trouble_ << "another became active";
      }
    return false;
  }

  /// Nothing is left to say.
  void check_all_told() {
    if (host_.has_work())
      trouble_ << "there is more";
    if (leads_to_dead() && told_.size() != dead_of_model())
      trouble_ << "a dead letter is missing";
    const auto counts = host_.dead_counts();
    const auto all = options_.dead_letter_exchange ? dead_of_model() : 0;
    if (counts.published != (leads_to_dead() ? all : 0)
        || counts.lost != (leads_to_dead() ? 0 : all))
      trouble_ << counts.published << " letters and " << counts.lost
               << " lost, of " << all;
    if (host_.find_queue("q")->counts().held_cost != host_.bytes_used())
      trouble_ << "the dead cost something";
  }

  [[nodiscard]] bool leads_to_dead() const {
    return options_.dead_letter_key == "dead";
  }
  [[nodiscard]] std::uint64_t dead_of_model() const {
    return model_.letters.size();
  }

  void mourn(const event& got) {
    // Of one priority in the order in which they died.
    const auto& all = model_.letters;
    const auto place = std::find_if(all.begin(), all.end(), [&](const auto& x) {
      return x.was.high == (got.message->priority > 4)
             && told_.count(x.was.number) == 0;
    });
    if (!leads_to_dead() || place == all.end()) {
      trouble_ << "a dead letter of nobody";
      return;
    }
    const auto& [was, why] = *place;
    told_.insert(was.number);
    const auto number = std::stoull(got.message->bytes);
    const auto& history = *got.message->history;
    const auto& record = history.records.front();
    if (number != was.number || got.delivery_count != was.delivery_count)
      trouble_ << "dead letter " << number << "+" << got.delivery_count
               << ", not " << was.number << "+" << was.delivery_count;
    if (record.reason != why || history.first_reason != why)
      trouble_ << number << " died of " << to_string(record.reason) << ", not "
               << to_string(why);
    if (got.message->bytes.size() != was.bytes || got.message->ttl
        || got.first_acquirer || record.ttl != was.ttl || record.queue != "q"
        || record.count != 1 || history.records.size() != 1)
      trouble_ << "the dead letter of " << number << " is not as it was";
  }

  void compare(const event& got, const queue_model::expected& wanted) {
    auto& mine = links_[wanted.to];
    if (got.what != wanted.what || got.to != mine.real.get()) {
      trouble_ << "another event, or to another, than to " << wanted.to;
      return;
    }
    if (got.to->credit() != model_.readers[wanted.to].credit)
      trouble_ << "credit left " << got.to->credit();
    if (got.what == event::kind::drained) {
      if (got.credit != wanted.credit)
        trouble_ << "drained " << got.credit << ", not " << wanted.credit;
      return;
    }
    const auto number = std::stoull(got.message->bytes);
    if (number != wanted.delivered->number
        || got.delivery_count != wanted.delivered->delivery_count
        || got.returned_count != wanted.delivered->returned_count
        || got.first_acquirer != (wanted.delivered->returned_count == 0))
      trouble_ << "delivery of " << number << "+" << got.delivery_count
               << ", not of " << wanted.delivered->number << "+"
               << wanted.delivered->delivery_count;
    if ((got.id == 0) != got.to->options().settled)
      trouble_ << "delivery id " << got.id;
    if (got.id == 0)
      return;
    if (!held_.insert(number).second)
      trouble_ << number << " is held twice";
    mine.held[number] = got.id;
  }

  void compare_counts() {
    const auto counts = host_.find_queue("q")->counts();
    const auto check = [this](const char* what, std::uint64_t got,
                              std::uint64_t wanted) {
      if (got != wanted)
        trouble_ << what << " is " << got << ", not " << wanted;
    };
    check("ready", counts.ready, model_.ready());
    check("ready_bytes", counts.ready_bytes, model_.ready_bytes());
    check("unsettled", counts.unsettled, model_.unsettled());
    check("held", counts.unsettled, held_.size());
    check("published", counts.published, published_);
    check("accepted", counts.accepted, model_.accepted);
    check("rejected", counts.rejected, model_.rejected);
    check("undeliverable", counts.undeliverable, model_.undeliverable);
    check("expired", counts.expired, model_.expired);
    check("dropped_overflow", counts.dropped_overflow, model_.dropped_overflow);
    check("dropped_delivery_limit", counts.dropped_delivery_limit,
          model_.dropped_delivery_limit);
    check("purged", counts.purged, purged_);
    check("the sum of all fates",
          counts.ready + counts.unsettled + counts.accepted + counts.rejected
              + counts.undeliverable + counts.expired + counts.dropped_overflow
              + counts.dropped_delivery_limit + counts.purged,
          published_);
    if (host_.next_due() > model_.next_due())
      trouble_ << "the alarm comes too late";
  }

  /// When all consumers are gone and a new one reads everything, the broker is
  /// empty.
  void finish() {
    while (!links_.empty()) {
      const auto name = links_.begin()->first;
      host_.detach(*links_[name].real, detach_reason::closed);
      links_.erase(name);
      model_.detach(name, false);
    }
    held_.clear();
    auto last = host_.attach("q", {.settled = true});
    const auto name = name_next_++;
    links_[name].real = last.value();
    model_.attach(name, {.settled = true});
    last.value()->set_credit(1'000'000);
    model_.set_credit(name, 1'000'000, false);
    take(1'000'000);
    compare_counts();
    if (host_.bytes_used() != 0)
      trouble_ << host_.bytes_used() << " bytes are left";
  }

  [[nodiscard]] virtual_host_options with_clock() const {
    virtual_host_options result;
    result.time.now = [this] { return now_; };
    return result;
  }

  std::mt19937_64 random_;
  queue_options options_;
  time_point now_{std::chrono::hours{1}};
  virtual_host host_{with_clock()};
  queue_model model_{options_};
  std::map<int, link> links_;
  consumer_ptr mourner_;         // gets the dead letters
  std::set<std::uint64_t> told_; // the numbers of their messages
  /// The numbers of all messages that anyone holds.
  std::set<std::uint64_t> held_;
  std::uint64_t number_next_ = 0;
  int name_next_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t purged_ = 0;
  std::ostringstream trouble_;
};

} // namespace

TEST_CASE("queue: any run of commands ends as in the model") {
  testing::each_seed(
      100, [](std::uint64_t seed) { REQUIRE(duel{seed}.run() == ""); });
}

} // namespace rookery::broker::tests
