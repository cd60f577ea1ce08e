#include "bench/fan_out_shard.hpp"

#include "actors/log_name.hpp"

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <variant>

namespace rookery::bench {

namespace {

constexpr std::size_t reads_at_once = 1'000;

actors::fanout_options options() {
  actors::fanout_options result;
  result.handover_time = {}; // nobody else has the shard
  result.timelines_max = 2'000'000;
  return result;
}

void check(const caf::error& failed) {
  if (failed)
    throw std::runtime_error{"the shard refused what it was given"};
}

} // namespace

fan_out_shard::fan_out_shard(std::span<const nodes::edge> edges)
    : edges_{edges},
      core_{options()} {}

void fan_out_shard::start() {
  core_.start(now_);
  settle();
}

void fan_out_shard::read_homes(std::span<const actors::user_id> users) {
  service::v1::HomeTimelineRequest request;
  request.set_limit(1);
  request.set_ids_only(true);
  std::size_t waiting = 0;
  for (auto user : users) {
    request.set_user(user);
    check(core_.read(++token_, request, now_));
    if (++waiting % reads_at_once == 0)
      settle();
  }
  settle();
}

void fan_out_shard::post(std::span<const actors::user_id> authors) {
  batch_.Clear();
  batch_.set_log(actors::tweet_log(0));
  batch_.set_first_seq(head_ + 1);
  for (auto author : authors) {
    auto& row = *batch_.add_rows();
    row.set_kind(service::v1::LogRow::POSTED);
    row.set_user(author);
    row.set_subject(++head_ << 22);
    row.set_intended_at_us(1);
  }
  check(core_.take_batch(++token_, batch_, now_));
}

void fan_out_shard::expand() {
  while (core_.has_work())
    core_.work(now_);
  settle();
}

void fan_out_shard::settle() {
  for (auto effects = core_.take_effects(); !effects.empty();
       effects = core_.take_effects())
    for (auto& x : effects) {
      if (std::holds_alternative<actors::fail_read>(x))
        throw std::runtime_error{"a read failed"};
      if (auto* request = std::get_if<actors::send_request>(&x))
        core_.reply(request->ticket, answer(*request), now_);
    }
}

actors::writer_reply fan_out_shard::answer(const actors::send_request& x) {
  service::v1::LogHead head;
  head.set_log(x.writer == 0 ? actors::tweet_log(0) : actors::follow_log(0));
  head.set_seq(x.writer == 0 ? head_ : edges_.size());
  return std::visit(
      [&](auto& request) -> actors::writer_reply {
        using type = std::decay_t<decltype(request)>;
        if constexpr (std::is_same_v<type, service::v1::HeadRequest>) {
          return head;
        } else if constexpr (std::is_same_v<type, service::v1::EdgesRequest>) {
          return edges(request);
        } else if constexpr (std::is_same_v<type, service::v1::PullRequest>) {
          service::v1::PullReply result;
          result.set_log(head.log());
          result.set_head(head.seq());
          return result;
        } else {
          throw std::runtime_error{"the shard asks what was not expected"};
        }
      },
      x.request);
}

actors::writer_reply
fan_out_shard::edges(const service::v1::EdgesRequest& x) const {
  service::v1::EdgesReply result;
  result.set_log(actors::follow_log(0));
  result.set_head(edges_.size());
  auto at = x.has_after_follower() ? std::upper_bound(
                edges_.begin(), edges_.end(),
                nodes::edge{x.after_follower(), x.after_followee()})
                                   : edges_.begin();
  auto left = x.edges_max();
  for (; at != edges_.end() && left > 0; ++at, --left) {
    result.add_followers(at->follower);
    result.add_followees(at->followee);
    result.add_seqs(static_cast<std::uint64_t>(at - edges_.begin()) + 1);
  }
  result.set_last(at == edges_.end());
  return result;
}

} // namespace rookery::bench
