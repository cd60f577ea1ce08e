#include "actors/tweet/tweet_core.hpp"

#include "actors/errc.hpp"
#include "actors/store/fingerprint.hpp"
#include "actors/store/request_check.hpp"
#include "actors/tweet/next_id.hpp"
#include "actors/tweet/text.hpp"

#include <utility>

namespace rookery::actors {

using service::v1::DeleteTweetRequest;
using service::v1::GetTweetsRequest;
using service::v1::LogRow;
using service::v1::PostTweetRequest;
using service::v1::PullRequest;
using service::v1::UserTimelineRequest;
using store::check_range;
using answer = caf::expected<std::uint64_t>;

namespace {

constexpr int tweets_max = 200;
constexpr int authors_max = 5'000;
constexpr std::uint32_t pull_limit_max = 10'000;

/// Decides the changes of one group, one after the other.
class planner {
public:
  planner(tweet_id last_id, tweet_authors authors, std::uint32_t partition,
          store::time_point now)
      : authors_(std::move(authors)),
        partition_(partition),
        now_(now) {
    changes_.last_id = last_id;
  }

  answer operator()(const tweet_post& post) {
    auto id = next_id(changes_.last_id, partition_, now_);
    if (id == 0)
      return caf::make_error(errc::store_failed, "the tweet ids are used up");
    changes_.last_id = id;
    authors_.emplace(id, post.author);
    auto& row = add_row(LogRow::POSTED, post.author, id);
    row.set_intended_at_us(post.intended_at_us);
    changes_.texts.push_back(post.text);
    return id;
  }

  answer operator()(const tweet_deletion& deletion) {
    auto found = authors_.find(deletion.id);
    if (found == authors_.end())
      return std::uint64_t{false};
    if (found->second != deletion.author)
      return caf::make_error(errc::not_author,
                             "tweet " + std::to_string(deletion.id)
                                 + " is not by user "
                                 + std::to_string(deletion.author));
    authors_.erase(found);
    add_row(LogRow::DELETED, deletion.author, deletion.id);
    return std::uint64_t{true};
  }

  store::log_changes take() { return std::move(changes_); }

private:
  LogRow& add_row(LogRow::Kind kind, user_id user, tweet_id id) {
    auto& row = *changes_.batch.add_rows();
    row.set_kind(kind);
    row.set_user(user);
    row.set_subject(id);
    return row;
  }

  store::log_changes changes_;
  tweet_authors authors_;
  std::uint32_t partition_;
  store::time_point now_;
};

} // namespace

tweet_core::tweet_core(std::uint32_t index, std::uint32_t count)
    : index_(index),
      count_(count) {}

caf::expected<tweet_request>
tweet_core::accept(const PostTweetRequest& request) const {
  if (auto error = store::check_partition(request.author(), index_, count_))
    return error;
  if (auto error = store::check_key(request.idempotency_key()))
    return error;
  if (auto error = check_text(request.text()))
    return error;
  store::fingerprint print;
  print.add("post").add(request.author()).add(request.text());
  tweet_post post{request.author(), request.text(), request.intended_at_us()};
  return tweet_request{std::move(post), request.idempotency_key(),
                       print.value()};
}

caf::expected<tweet_request>
tweet_core::accept(const DeleteTweetRequest& request) const {
  if (auto error = store::check_partition(request.author(), index_, count_))
    return error;
  if (auto error = store::check_key(request.idempotency_key()))
    return error;
  store::fingerprint print;
  print.add("delete").add(request.author()).add(request.tweet_id());
  tweet_deletion deletion{request.author(), request.tweet_id()};
  return tweet_request{deletion, request.idempotency_key(), print.value()};
}

caf::error tweet_core::check(const UserTimelineRequest& request) const {
  if (auto error = store::check_partition(request.user(), index_, count_))
    return error;
  return check_range("limit", request.limit(), 0, tweets_max);
}

caf::error tweet_core::check(const GetTweetsRequest& request) const {
  auto count = static_cast<std::uint64_t>(request.ids_size());
  return check_range("number of ids", count, 0, tweets_max);
}

caf::error tweet_core::check(const PullRequest& request) const {
  auto count = static_cast<std::uint64_t>(request.authors_size());
  if (auto error = check_range("number of authors", count, 0, authors_max))
    return error;
  for (auto author : request.authors())
    if (auto error = store::check_partition(author, index_, count_))
      return error;
  return check_range("limit", request.limit(), 1, pull_limit_max);
}

store::group_plan tweet_core::plan(std::span<const tweet_request> group,
                                   tweet_id last_id, tweet_authors authors,
                                   store::key_ledger& keys,
                                   store::time_point now) const {
  store::group_plan result;
  planner decide{last_id, std::move(authors), index_, now};
  for (auto& request : group)
    result.answers.push_back(keys.once(request.key, request.fingerprint, [&] {
      return std::visit(decide, request.change);
    }));
  result.changes = decide.take();
  return result;
}

} // namespace rookery::actors
