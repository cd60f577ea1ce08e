#pragma once

#include "actors/partition.hpp"
#include "actors/store/log_store.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::store {

/// `tweets.db`: the tweets and the logs of all tweet partitions.
/// Users are unsigned, in SQL bit-cast to int64; tweet ids are below 2^63.
class tweet_store final : public log_store {
public:
  /// Its name in the directory.
  static constexpr auto file = "tweets.db";

  /// Opens or creates `<directory>/tweets.db`. Fails with errc::store_failed
  /// or errc::store_mismatch, naming the file and the reason.
  [[nodiscard]] static caf::expected<std::shared_ptr<tweet_store>>
  open(const store_options& options);

  /// The authors of those `ids` that exist.
  [[nodiscard]] caf::expected<
      std::unordered_map<actors::tweet_id, actors::user_id>>
  authors(std::span<const actors::tweet_id> ids);

  /// The tweets among `ids` that exist, in the order asked.
  [[nodiscard]] caf::expected<service::v1::Tweets>
  tweets(std::span<const actors::tweet_id> ids);

  /// Tweets of `user` with since_id < id <= max_id, newest first.
  [[nodiscard]] caf::expected<service::v1::Tweets>
  user_timeline(actors::user_id user, std::uint64_t since_id,
                std::uint64_t max_id, std::uint32_t limit);

  /// The newest `limit` ids above `above_id` by any of `authors`, descending,
  /// and the head of `log`, from one snapshot. Repeated authors are harmless.
  [[nodiscard]] caf::expected<service::v1::PullReply>
  pull(const std::string& log, std::vector<actors::user_id> authors,
       std::uint64_t above_id, std::uint32_t limit);

private:
  explicit tweet_store(database db) : log_store(std::move(db)) {}

  [[nodiscard]] caf::error prepare(std::uint32_t partitions);
  [[nodiscard]] caf::error apply(std::uint32_t log_index,
                                 const service::v1::LogRow& row,
                                 std::uint64_t seq,
                                 const std::string& text) override;

  statement insert_;
  statement delete_;
  statement select_;
  statement select_by_author_;
  statement select_ids_by_author_;
};

} // namespace rookery::store
