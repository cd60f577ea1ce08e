// Goal: whatever happens to a queue in whatever order, nothing is lost, nothing
// is held twice, credit and order hold, and the counts agree.
// Method: random commands from a seed, against a naive model. On failure the
// seed and step are printed; ROOKERY_SEED=<seed> replays that one alone.
#include "testing/seed.hpp"
#include "tests/core/broker_queue_model.hpp"
#include "tests/core/broker_shell.hpp"

#include <random>
#include <sstream>

namespace rookery::broker::tests {

namespace {

constexpr int steps = 400;
constexpr int consumers_max = 6;

/// The queue and the model side by side; the first difference ends it.
class duel {
public:
  explicit duel(std::uint64_t seed) : random_{seed}, options_{draw_options()} {
    (void)host_.declare_queue("q", options_, 0);
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
    else
      take(1 + draw(12));
  }

  void push() {
    const auto number = number_next_++;
    auto made = std::make_shared<message>();
    made->bytes = std::to_string(number) + '.' + std::string(draw(16), 'x');
    const auto bytes = made->bytes.size();
    const auto high = draw(3) == 0;
    made->priority = high ? 5 + draw(5) : draw(5);
    const auto taken = host_.publish("", "q", std::move(made)).what
                       == publish_outcome::accepted;
    if (taken)
      ++published_;
    if (taken != model_.push({number, bytes, high}))
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
    const auto how = static_cast<outcome>(draw(6));
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

  void take(std::uint64_t max) {
    event got;
    while (max-- > 0 && trouble_.str().empty()) {
      const auto any = next_but_elections(got);
      const auto wanted = model_.next();
      if (any != wanted.has_value())
        trouble_ << (any ? "an event too many" : "an event is missing");
      if (!any || !wanted)
        return;
      compare(got, *wanted);
    }
  }

  /// Who became active is looked at at once: the model elects in the same step.
  bool next_but_elections(event& into) {
    while (host_.next(into)) {
      if (into.what != event::kind::activated)
        return true;
      const auto active = model_.active();
      if (!active || links_[*active].real.get() != into.to)
        trouble_ << "another became active";
    }
    return false;
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
    check("accepted", counts.accepted, model_.finished[outcome::accepted]);
    check("rejected", counts.rejected, model_.finished[outcome::rejected]);
    check("undeliverable", counts.undeliverable,
          model_.finished[outcome::undeliverable]);
    check("dropped_overflow", counts.dropped_overflow, model_.dropped_overflow);
    check("dropped_delivery_limit", counts.dropped_delivery_limit,
          model_.dropped_delivery_limit);
    check("purged", counts.purged, purged_);
    check("the sum of all fates",
          counts.ready + counts.unsettled + counts.accepted + counts.rejected
              + counts.undeliverable + counts.dropped_overflow
              + counts.dropped_delivery_limit + counts.purged,
          published_);
    check("held_cost", counts.held_cost, host_.bytes_used());
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

  std::mt19937_64 random_;
  queue_options options_;
  virtual_host host_;
  queue_model model_{options_};
  std::map<int, link> links_;
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
