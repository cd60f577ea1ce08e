#pragma once

#include "actors/fanout/effect.hpp"
#include "actors/log_name.hpp"
#include "actors/partition.hpp"

#include "rookery/service/v1/log.pb.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rookery::actors::tests {

/// What a shard hangs on, in memory: the store, its logs, and the writers that
/// answer from it. Also the oracle of home timelines, in the plainest words.
class fanout_world {
public:
  struct tweet {
    user_id author;
    std::uint32_t log;
    std::uint64_t posted;      // seq
    std::uint64_t deleted = 0; // seq; 0 = it lives
  };

  fanout_world(std::uint32_t partitions, std::uint32_t shard,
               std::uint32_t shards)
      : partitions_{partitions},
        shard_{shard},
        shards_{shards},
        logs_(partitions + 1) {}

  tweet_id post(user_id author) {
    auto log = partition_of(author, partitions_);
    auto id = (++last_number_ << 22) | (std::uint64_t{log} << 12);
    append(log, service::v1::LogRow::POSTED, author, id);
    tweets_[id] = {author, log, head(log)};
    return id;
  }

  void erase(tweet_id id) {
    auto& doomed = tweets_.at(id);
    if (doomed.deleted != 0)
      return;
    append(doomed.log, service::v1::LogRow::DELETED, doomed.author, id);
    doomed.deleted = head(doomed.log);
  }

  void follow(user_id follower, user_id author) {
    if (follower == author || edges_.count({follower, author}) > 0)
      return;
    append(partitions_, service::v1::LogRow::FOLLOWED, follower, author);
    edges_[{follower, author}] = head(partitions_);
    once_followed_.insert({follower, author});
  }

  void unfollow(user_id follower, user_id author) {
    if (edges_.erase({follower, author}) > 0)
      append(partitions_, service::v1::LogRow::UNFOLLOWED, follower, author);
  }

  /// A user of the shard: the `index`-th number that is one.
  [[nodiscard]] user_id local(std::uint64_t index) const {
    for (user_id user = 0;; ++user)
      if (partition_of(user, shards_) == shard_ && index-- == 0)
        return user;
  }

  /// The greatest `cap` live tweets by `user` and those he follows, descending.
  [[nodiscard]] std::vector<tweet_id> home(user_id user,
                                           std::size_t cap) const {
    std::vector<tweet_id> result;
    for (auto at = tweets_.rbegin(); at != tweets_.rend(); ++at)
      if (at->second.deleted == 0 && sees(user, at->second.author)
          && result.size() < cap)
        result.push_back(at->first);
    return result;
  }

  [[nodiscard]] bool sees(user_id user, user_id author) const {
    return user == author || edges_.count({user, author}) > 0;
  }

  [[nodiscard]] bool once_saw(user_id user, user_id author) const {
    return user == author || once_followed_.count({user, author}) > 0;
  }

  [[nodiscard]] const std::map<tweet_id, tweet>& tweets() const {
    return tweets_;
  }

  /// The edges with the seqs that made them.
  [[nodiscard]] const std::map<std::pair<user_id, user_id>, std::uint64_t>&
  edges() const {
    return edges_;
  }

  [[nodiscard]] std::uint32_t follow_log_number() const { return partitions_; }
  [[nodiscard]] std::uint64_t head(std::uint32_t log) const {
    return logs_[log].size();
  }

  [[nodiscard]] std::string name(std::uint32_t log) const {
    return log < partitions_ ? tweet_log(log) : follow_log(shard_);
  }

  [[nodiscard]] service::v1::LogHead log_head(std::uint32_t log) const {
    service::v1::LogHead result;
    result.set_log(name(log));
    result.set_seq(head(log));
    return result;
  }

  /// At most `count` rows from seq `first` on.
  [[nodiscard]] service::v1::LogBatch
  batch(std::uint32_t log, std::uint64_t first, std::uint64_t count) const {
    service::v1::LogBatch result;
    result.set_log(name(log));
    result.set_first_seq(first);
    for (auto seq = first; seq < first + count && seq <= head(log); ++seq)
      *result.add_rows() = logs_[log][seq - 1];
    return result;
  }

  /// What the writer answers, reading the store as it is now.
  [[nodiscard]] writer_reply answer(const writer_request& request,
                                    std::uint32_t writer) const {
    return std::visit([&](auto& x) { return reply(x, writer); }, request);
  }

private:
  void append(std::uint32_t log, service::v1::LogRow::Kind kind, user_id user,
              std::uint64_t subject) {
    auto& row = logs_[log].emplace_back();
    row.set_kind(kind);
    row.set_user(user);
    row.set_subject(subject);
    if (kind == service::v1::LogRow::POSTED)
      row.set_intended_at_us(1);
  }

  writer_reply reply(const service::v1::HeadRequest&,
                     std::uint32_t writer) const {
    return log_head(writer);
  }

  writer_reply reply(const service::v1::ReadLogRequest& x,
                     std::uint32_t writer) const {
    auto result = batch(writer, x.after_seq() + 1, x.rows_max());
    for (auto& row : *result.mutable_rows())
      row.clear_intended_at_us(); // the store does not keep it
    return result;
  }

  writer_reply reply(const service::v1::EdgesRequest& x,
                     std::uint32_t writer) const {
    service::v1::EdgesReply result;
    result.set_log(name(writer));
    result.set_head(head(writer));
    auto at = x.has_after_follower()
                  ? edges_.upper_bound({x.after_follower(), x.after_followee()})
                  : edges_.begin();
    for (; at != edges_.end() && result.followers_size() < edges_per_page;
         ++at) {
      result.add_followers(at->first.first);
      result.add_followees(at->first.second);
      result.add_seqs(at->second);
    }
    result.set_last(at == edges_.end());
    return result;
  }

  writer_reply reply(const service::v1::PullRequest& x,
                     std::uint32_t writer) const {
    service::v1::PullReply result;
    result.set_log(name(writer));
    result.set_head(head(writer));
    for (auto at = tweets_.rbegin(); at != tweets_.rend(); ++at) {
      auto& [id, made] = *at;
      if (id <= x.above_id()
          || result.ids_size() == static_cast<int>(x.limit()))
        break;
      auto by = std::find(x.authors().begin(), x.authors().end(), made.author);
      if (made.deleted == 0 && by != x.authors().end())
        result.add_ids(id);
    }
    return result;
  }

  writer_reply reply(const service::v1::GetTweetsRequest& x,
                     std::uint32_t) const {
    service::v1::Tweets result;
    for (auto id : x.ids()) {
      auto at = tweets_.find(id);
      if (at == tweets_.end() || at->second.deleted != 0)
        continue;
      auto& made = *result.add_tweets();
      made.set_id(id);
      made.set_author(at->second.author);
      made.set_text("text");
    }
    return result;
  }

  static constexpr int edges_per_page = 3;

  std::uint32_t partitions_;
  std::uint32_t shard_;
  std::uint32_t shards_;
  std::vector<std::vector<service::v1::LogRow>> logs_;
  std::map<tweet_id, tweet> tweets_;
  std::map<std::pair<user_id, user_id>, std::uint64_t> edges_;
  std::set<std::pair<user_id, user_id>> once_followed_;
  std::uint64_t last_number_ = 0;
};

} // namespace rookery::actors::tests
