#pragma once

#include "actors/fanout/catch_up.hpp"
#include "actors/fanout/completions.hpp"
#include "actors/fanout/effect.hpp"
#include "actors/fanout/expansion.hpp"
#include "actors/fanout/home_reads.hpp"
#include "actors/fanout/inbox.hpp"
#include "actors/fanout/log_cursor.hpp"
#include "actors/fanout/startup.hpp"

#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/timeline.pb.h"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rookery::actors {

/// The time, told to a core.
struct moment {
  steady_time steady;
  std::uint64_t wall_us; // microseconds since the Unix epoch
};

/// One shard: the logs it applies, its part of the graph, and the home
/// timelines of its readers.
///
/// A shard holds nothing that cannot be read again. So it starts with absent
/// timelines, and rows it has no room for it drops and reads back. All waiting
/// is in tables with a limit. What the shell is to do after any call is in
/// `take_effects`. Tokens are the shell's names for deliveries and reads.
class fanout_core : private expansion::followers_source {
public:
  /// `options` must be valid.
  explicit fanout_core(const fanout_options& options);
  fanout_core(const fanout_core&) = delete; // its parts refer to each other
  fanout_core& operator=(const fanout_core&) = delete;

  /// Asks for heads and edges. To be called once, before all others, when the
  /// first message comes.
  void start(moment now);

  /// Another message has come, of whatever kind; to be called before it is
  /// handled. After a silence somebody else may have had the shard, and shown
  /// what never came here, unless a read waited all the time: then reads wait
  /// until all is applied that the writers have now.
  void heard(moment now);

  /// Takes a batch; `finish_batch` with the token follows, unless this fails
  /// with errc::unknown_log or errc::invalid_argument. Rows that make no sense
  /// are skipped and counted in `refused_rows`.
  [[nodiscard]] caf::error take_batch(std::uint64_t token,
                                      const service::v1::LogBatch& batch,
                                      moment now);

  /// Fails with errc::unknown_log.
  [[nodiscard]] caf::error take_head(const service::v1::LogHead& head,
                                     moment now);

  /// See `home_reads::take`.
  [[nodiscard]] caf::error read(std::uint64_t token,
                                const service::v1::HomeTimelineRequest& request,
                                moment now);

  /// The answer to a request that was sent. One nobody waits for is dropped.
  void reply(std::uint64_t ticket, const writer_reply& x, moment now);

  /// A request that was sent has failed or was not answered in time.
  void fail(std::uint64_t ticket, moment now);

  /// One quantum of expansion.
  void work(moment now);

  /// Ends reads whose time is up, and asks again what failed.
  void tick(moment now);

  /// What is to be done, in order. Empty afterwards.
  [[nodiscard]] effects take_effects();

  /// Whether it was sent nothing for a while, because another node had the
  /// shard, and missed more than `missed_rows_max`: it should end.
  [[nodiscard]] bool is_stale() const;

  /// Whether `work` has something to do.
  [[nodiscard]] bool has_work() const noexcept { return !expansion_.empty(); }

  /// Whether something waits for time to pass, as of the last call.
  [[nodiscard]] bool wants_tick() const;

  [[nodiscard]] service::v1::ShardStatus status() const;

  /// Fails with errc::invalid_argument.
  [[nodiscard]] caf::expected<service::v1::DumpTimelinesReply>
  dump(const service::v1::DumpTimelinesRequest& request);

  [[nodiscard]] service::v1::CompletionsReply
  completions_after(const service::v1::CompletionsRequest& request) const;

  /// Rows skipped because they made no sense.
  [[nodiscard]] std::uint64_t refused_rows() const noexcept {
    return refused_rows_;
  }

private:
  using log_batch = service::v1::LogBatch;
  using log_row = service::v1::LogRow;

  // Logs have numbers: that of the partition, and after them the follow log.
  [[nodiscard]] std::optional<std::uint32_t>
  log_of(const std::string& name) const;
  [[nodiscard]] std::string name_of(std::uint32_t log) const;
  void take_rows(std::optional<std::uint64_t> token, std::uint32_t log,
                 const log_batch& batch);
  bool skip_rows(std::uint32_t log, const log_batch& batch);
  [[nodiscard]] std::vector<tweet_row> tweet_rows(const log_batch& batch,
                                                  std::uint64_t known);
  void apply_follows(const log_batch& batch, std::uint64_t known);
  void unfollow(user_id follower, user_id author,
                std::vector<user_slot>& dropped);
  void close_gaps(user_slot author);

  void start_row(const inbox::taken_row& x);
  void close_row(std::uint64_t batch);
  void completed(tweet_id tweet, std::uint64_t intended_at_us);
  void become_ready();
  void open_reads();

  // What expansions work on.
  std::span<const user_slot> followers(user_slot author) override;
  void serve(const expansion_job& job, std::span<const user_slot> followers,
             bool first) override;
  void finished(const expansion_job& job, bool cancelled) override;

  void pump();
  void read_back();
  [[nodiscard]] std::optional<writer_request> request(std::uint32_t writer,
                                                      question& what);
  [[nodiscard]] bool take_reply(const question& what, std::uint32_t writer,
                                const writer_reply& x);
  void learn_head(std::uint32_t log, std::uint64_t seq);
  [[nodiscard]] bool take_read_rows(std::uint32_t log, const log_batch& batch);
  [[nodiscard]] bool take_edges(const service::v1::EdgesReply& page);

  fanout_options options_;
  effects effects_;
  social_graph graph_;
  homes homes_;
  expansion expansion_;             // authors() <= authors_max
  inbox inbox_;                     // size() <= batches_max
  std::vector<log_cursor> cursors_; // by log
  startup startup_;
  bool ready_ = false; // graph and heads are known: timelines may be built
  steady_time shows_from_{};
  steady_time heard_at_{}; // when the last message came
  bool doubtful_ = false;  // there was a silence, and no round begun since
  catch_up catch_up_;      // begun only when ready
  writer_requests requests_;
  home_builder builder_;
  home_reads reads_;
  completions completions_;
  std::vector<tweet_row> early_;   // came before ready_, to be completed then
  std::vector<user_slot> by_user_; // for dump: ascending by user id
  std::uint64_t refused_rows_ = 0;
  moment now_{}; // of the call under way
};

} // namespace rookery::actors
