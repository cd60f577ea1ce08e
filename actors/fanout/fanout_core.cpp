#include "actors/fanout/fanout_core.hpp"

#include "actors/log_name.hpp"
#include "actors/tweet/next_id.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rookery::actors {

using namespace service::v1;

namespace {

constexpr std::size_t prefetched = 8; // timelines on their way to the cache

std::uint64_t last_seq(const LogBatch& batch) {
  return batch.first_seq() + static_cast<std::uint64_t>(batch.rows_size()) - 1;
}

// What latency is measured from: rows read back from the store do not say.
std::uint64_t intended_at_us(const LogRow& row) {
  return row.intended_at_us() > 0 ? row.intended_at_us()
                                  : posted_at_us(row.subject());
}

} // namespace

fanout_core::fanout_core(const fanout_options& options)
    : options_{options},
      graph_{options.hash_seed},
      homes_{limits_of(options)},
      cursors_(options.tweet_partitions + 1),
      startup_{options.shard, options.shards, options.tweet_partitions},
      catch_up_{options.tweet_partitions + 1},
      requests_{options.tweet_partitions,
                {options.requests_max, options.retry_min, options.retry_max}},
      builder_{options.tweet_partitions, limits_of(options).timeline, graph_,
               homes_, requests_},
      reads_{options_, graph_, homes_, builder_, requests_, effects_},
      completions_{options.completions_max} {}

void fanout_core::start(moment now) {
  now_ = now;
  heard_at_ = now.steady;
  shows_from_ = now.steady + options_.handover_time;
  for (std::uint32_t log = 0; log < options_.tweet_partitions; ++log)
    requests_.ask(log, head_question{log});
  requests_.ask(requests_.follow_writer(), edges_question{});
  pump();
}

caf::error fanout_core::take_batch(std::uint64_t token, const LogBatch& batch,
                                   moment now) {
  now_ = now;
  auto log = log_of(batch.log());
  if (!log)
    return caf::make_error(errc::unknown_log, batch.log());
  auto count = static_cast<std::uint64_t>(batch.rows_size());
  if (batch.first_seq() == 0
      || batch.first_seq() > std::numeric_limits<std::uint64_t>::max() - count)
    return caf::make_error(errc::invalid_argument,
                           "first_seq=" + std::to_string(batch.first_seq()));
  take_rows(token, *log, batch);
  pump();
  return caf::none;
}

caf::error fanout_core::take_head(const LogHead& head, moment now) {
  now_ = now;
  auto log = log_of(head.log());
  if (!log)
    return caf::make_error(errc::unknown_log, head.log());
  learn_head(*log, head.seq());
  pump();
  return caf::none;
}

void fanout_core::heard(moment now) {
  now_ = now;
  auto silence = now.steady - std::exchange(heard_at_, now.steady);
  if (options_.handover_time.count() == 0
      || silence < options_.handover_time / 2)
    return;
  // While a delivery is held here nobody else has the shard.
  if (reads_.size() > 0
      || inbox_.holds_delivery(now.steady - options_.held_max))
    return;
  doubtful_ = true;
  reads_.close();
}

caf::error fanout_core::read(std::uint64_t token,
                             const HomeTimelineRequest& request, moment now) {
  now_ = now;
  auto error = reads_.take(token, request, now.steady);
  pump();
  return error;
}

void fanout_core::work(moment now) {
  now_ = now;
  expansion_.work(options_.quantum, *this);
  pump();
}

void fanout_core::tick(moment now) {
  now_ = now;
  reads_.expire(now.steady);
  pump();
}

effects fanout_core::take_effects() { return std::exchange(effects_, {}); }

bool fanout_core::wants_tick() const {
  return reads_.size() > 0 || requests_.is_delayed(now_.steady);
}

bool fanout_core::is_stale() const {
  auto missed = [this](const log_cursor& x) {
    return x.behind() > options_.missed_rows_max;
  };
  // Until the edges are known the graph goes before the follow log.
  return startup_.edges_known() && (doubtful_ || catch_up_.under_way())
         && std::any_of(cursors_.begin(), cursors_.end(), missed);
}

std::optional<std::uint32_t>
fanout_core::log_of(const std::string& name) const {
  auto parsed = parse_log_name(name);
  if (!parsed)
    return std::nullopt;
  if (parsed->kind == log_name::kind_type::follow)
    return parsed->index == options_.shard
               ? std::optional{options_.tweet_partitions}
               : std::nullopt;
  return parsed->index < options_.tweet_partitions
             ? std::optional{parsed->index}
             : std::nullopt;
}

std::string fanout_core::name_of(std::uint32_t log) const {
  return log < options_.tweet_partitions ? tweet_log(log)
                                         : follow_log(options_.shard);
}

void fanout_core::take_rows(std::optional<std::uint64_t> token,
                            std::uint32_t log, const LogBatch& batch) {
  std::vector<tweet_row> rows;
  if (batch.rows_size() > 0 && !skip_rows(log, batch)) {
    auto count = static_cast<std::uint64_t>(batch.rows_size());
    auto [known, fresh] = cursors_[log].offer(batch.first_seq(), count);
    if (fresh > 0 && log < options_.tweet_partitions)
      rows = tweet_rows(batch, known);
    else if (fresh > 0)
      apply_follows(batch, known);
    if (!rows.empty())
      return inbox_.add(token, log, batch.first_seq() + known, std::move(rows),
                        now_.steady);
  }
  if (token)
    effects_.push_back(finish_batch{*token});
}

/// Whether these rows are not to be taken now; then they are remembered.
bool fanout_core::skip_rows(std::uint32_t log, const LogBatch& batch) {
  auto last = last_seq(batch);
  if (log >= options_.tweet_partitions) {
    if (startup_.edges_known())
      return false;
    cursors_[log].raise_head(last);
    return true;
  }
  if (ready_ && inbox_.size() < options_.batches_max)
    return false;
  if (ready_) {
    cursors_[log].raise_head(last);
    return true;
  }
  // There are no timelines yet, and what will be pulled is newer.
  startup_.head_known(log);
  for (auto& row : batch.rows())
    if (row.kind() == LogRow::POSTED
        && early_.size() < options_.completions_max)
      early_.push_back({row.user(), row.subject(), intended_at_us(row), false});
  cursors_[log].skip_to(last);
  return true;
}

std::vector<tweet_row> fanout_core::tweet_rows(const LogBatch& batch,
                                               std::uint64_t known) {
  std::vector<tweet_row> result;
  result.reserve(static_cast<std::size_t>(batch.rows_size()) - known);
  for (auto i = static_cast<int>(known); i < batch.rows_size(); ++i) {
    auto& row = batch.rows(i);
    auto deletes = row.kind() == LogRow::DELETED;
    if ((deletes || row.kind() == LogRow::POSTED) && row.subject() != 0)
      result.push_back(
          {row.user(), row.subject(), intended_at_us(row), deletes});
    else
      ++refused_rows_;
  }
  return result;
}

void fanout_core::apply_follows(const LogBatch& batch, std::uint64_t known) {
  struct addition {
    user_slot reader;
    std::uint64_t generation;
    user_slot author;
    auto operator<=>(const addition&) const = default;
  };
  std::vector<addition> added; // to timelines that are there
  std::vector<user_slot> dropped;
  for (auto i = static_cast<int>(known); i < batch.rows_size(); ++i) {
    auto& row = batch.rows(i);
    auto follows = row.kind() == LogRow::FOLLOWED;
    if ((!follows && row.kind() != LogRow::UNFOLLOWED)
        || partition_of(row.user(), options_.shards) != options_.shard) {
      ++refused_rows_;
    } else if (!follows) {
      unfollow(row.user(), row.subject(), dropped);
    } else if (graph_.follow(row.user(), row.subject())) {
      auto reader = graph_.intern(row.user());
      added.push_back(
          {reader, homes_.generation(reader), graph_.intern(row.subject())});
    }
  }
  // Once each: it begins to build, with all edges.
  std::sort(dropped.begin(), dropped.end());
  dropped.erase(std::unique(dropped.begin(), dropped.end()), dropped.end());
  for (auto reader : dropped)
    reads_.wake(reader);
  std::sort(added.begin(), added.end());
  for (auto at = added.begin(); at != added.end();) {
    auto [reader, generation, author] = *at;
    std::vector<user_slot> authors;
    for (; at != added.end() && at->reader == reader
           && at->generation == generation;
         ++at)
      authors.push_back(at->author);
    // One that was begun anew meanwhile was begun with all edges.
    if (generation != 0 && homes_.generation(reader) == generation)
      builder_.include(reader, std::move(authors));
    reads_.wake(reader); // if it is absent now
  }
}

void fanout_core::unfollow(user_id follower, user_id author,
                           std::vector<user_slot>& dropped) {
  if (!graph_.unfollow(follower, author))
    return;
  auto reader = graph_.intern(follower);
  homes_.drop(reader);
  dropped.push_back(reader);
  close_gaps(graph_.intern(author));
}

void fanout_core::close_gaps(user_slot author) {
  if (!graph_.is_sparse(author))
    return;
  expansion_.move_position(author, [=, this](std::uint32_t position) {
    return graph_.followers_before(author, position);
  });
  graph_.compact(author);
}

void fanout_core::start_row(const inbox::taken_row& x) {
  auto& row = x.row;
  if (auto author = graph_.users().find(row.author))
    return expansion_.push({.batch = x.batch,
                            .tweet = row.tweet,
                            .intended_at_us = row.intended_at_us,
                            .author = *author,
                            .erases = row.deletes});
  // Nobody here knows the author. Of every tweet at least one shard, that of
  // its author, tells when it was done.
  if (!row.deletes
      && partition_of(row.author, options_.shards) == options_.shard)
    completed(row.tweet, row.intended_at_us);
  close_row(x.batch);
}

void fanout_core::close_row(std::uint64_t batch) {
  if (auto token = inbox_.close(batch))
    effects_.push_back(finish_batch{*token});
}

void fanout_core::completed(tweet_id tweet, std::uint64_t intended_at_us) {
  auto latency_us = std::max(now_.wall_us, intended_at_us) - intended_at_us;
  completions_.push({tweet, latency_us});
}

void fanout_core::become_ready() {
  auto& follows = cursors_.back();
  if (ready_ || !startup_.edges_known() || !startup_.heads_known()
      || (follows.taken() < startup_.last_head() && follows.is_behind()))
    return;
  ready_ = true;
  for (auto& row : std::exchange(early_, {}))
    completed(row.tweet, row.intended_at_us);
}

void fanout_core::open_reads() {
  if (!ready_ || reads_.is_open() || reads_.size() == 0)
    return;
  if (catch_up_.under_way())
    catch_up_.look([this](std::uint32_t log) {
      return inbox_.applied(log, cursors_[log].taken());
    });
  if (catch_up_.under_way() || now_.steady < shows_from_)
    return;
  if (!doubtful_)
    return reads_.open();
  doubtful_ = false;
  catch_up_.begin();
  // The number of a log is that of its writer.
  for (std::uint32_t log = 0; log < cursors_.size(); ++log)
    requests_.ask_first(log, head_question{log, catch_up_.round()});
}

std::span<const user_slot> fanout_core::followers(user_slot author) {
  return graph_.followers(author);
}

void fanout_core::serve(const expansion_job& job,
                        std::span<const user_slot> followers, bool first) {
  auto change = [&](user_slot reader) {
    if (!job.erases)
      homes_.insert(reader, job.tweet);
    else if (homes_.erase(reader, job.tweet))
      reads_.wake(reader);
  };
  if (first)
    change(job.author);
  // Nearly every timeline is out of the cache: fetching a few ahead of time
  // lets their misses overlap. First what points to the entries, then these.
  for (std::size_t i = 0; i < followers.size(); ++i) {
    if (i + 2 * prefetched < followers.size())
      homes_.prefetch_home(followers[i + 2 * prefetched]);
    if (i + prefetched < followers.size())
      homes_.prefetch_entries(followers[i + prefetched]);
    change(followers[i]);
  }
}

void fanout_core::finished(const expansion_job& job, bool cancelled) {
  if (!job.erases && !cancelled)
    completed(job.tweet, job.intended_at_us);
  close_row(job.batch);
}

} // namespace rookery::actors
