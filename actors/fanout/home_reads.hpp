#pragma once

#include "actors/fanout/effect.hpp"
#include "actors/fanout/fanout_options.hpp"
#include "actors/fanout/home_builder.hpp"
#include "actors/fanout/read_table.hpp"

#include <caf/error.hpp>

#include <cstdint>

namespace rookery::actors {

/// Answers reads of home timelines: builds those that are absent, waits for
/// them to be complete, fetches the texts. Never shows a part of a timeline.
class home_reads {
public:
  home_reads(const fanout_options& options, social_graph& graph,
             homes& timelines, home_builder& builder, writer_requests& requests,
             effects& out);

  /// Takes a read; `answer_read` or `fail_read` with the token follows, maybe
  /// at once. On failure neither does: errc::wrong_partition,
  /// errc::invalid_argument, errc::overloaded.
  [[nodiscard]] caf::error take(std::uint64_t token,
                                const service::v1::HomeTimelineRequest& request,
                                steady_time now);

  /// From now on timelines may be built and shown. Until then all reads wait.
  void open();

  /// From now on reads wait again, but for those that have their timeline.
  void close() noexcept { is_open_ = false; }

  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

  /// The timeline of `reader` may have become complete or absent: answers
  /// those who wait for it, or builds it again for them.
  void wake(user_slot reader);

  /// The request for texts; nothing when nobody waits for them any more.
  [[nodiscard]] std::optional<service::v1::GetTweetsRequest>
  request(const texts_question& what);

  void take_texts(const texts_question& what, const service::v1::Tweets& texts);

  /// Fails the reads whose time is up with errc::not_complete.
  void expire(steady_time now);

  /// Reads that are not answered.
  [[nodiscard]] std::size_t size() const noexcept { return reads_.size(); }

private:
  [[nodiscard]] caf::error
  check(const service::v1::HomeTimelineRequest& request) const;
  void show(std::uint64_t token, const timeline& entries);
  void ask_texts(std::uint64_t token, pending_read& read);

  const fanout_options& options_;
  social_graph& graph_;
  homes& homes_;
  home_builder& builder_;
  writer_requests& requests_;
  effects& out_;
  read_table reads_;
  bool is_open_ = false;
};

} // namespace rookery::actors
