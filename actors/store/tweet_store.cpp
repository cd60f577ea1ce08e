#include "actors/store/tweet_store.hpp"

#include "actors/log_name.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>

namespace rookery::store {

using actors::tweet_id;
using actors::user_id;
using service::v1::LogRow;
using service::v1::PullReply;
using service::v1::Tweets;

namespace {

// The index on author carries the id, too: it is the rowid.
constexpr auto tables = R"(
CREATE TABLE tweets(
  id INTEGER PRIMARY KEY,
  author INTEGER NOT NULL,
  text TEXT NOT NULL);
CREATE INDEX tweets_by_author ON tweets(author);
)";

/// Bounds from outside may be above every id there can be.
std::uint64_t clamp(std::uint64_t id) {
  constexpr auto id_max = std::numeric_limits<std::int64_t>::max();
  return std::min<std::uint64_t>(id, id_max);
}

} // namespace

caf::expected<std::shared_ptr<tweet_store>>
tweet_store::open(const store_options& options) {
  auto db = database::open(options.directory / file, options.database);
  if (!db)
    return std::move(db.error());
  auto result = std::shared_ptr<tweet_store>{new tweet_store{std::move(*db)}};
  if (auto error = result->prepare(options.count))
    return error;
  return result;
}

caf::error tweet_store::prepare(std::uint32_t partitions) {
  schema wanted{"partitions", partitions, {}, tables};
  for (std::uint32_t i = 0; i < partitions; ++i)
    wanted.logs.push_back(actors::tweet_log(i));
  if (auto error = start(wanted))
    return error;
  insert_ = db_.prepare("INSERT INTO tweets VALUES(?1, ?2, ?3)");
  delete_ = db_.prepare("DELETE FROM tweets WHERE id = ?1");
  select_ = db_.prepare("SELECT author, text FROM tweets WHERE id = ?1");
  select_by_author_ =
      db_.prepare("SELECT id, text FROM tweets WHERE author = ?1 AND id > ?2 "
                  "AND id <= ?3 ORDER BY id DESC LIMIT ?4");
  select_ids_by_author_ = db_.prepare("SELECT id FROM tweets WHERE author = ?1 "
                                      "AND id > ?2 ORDER BY id DESC LIMIT ?3");
  return caf::none;
}

caf::expected<std::unordered_map<tweet_id, user_id>>
tweet_store::authors(std::span<const tweet_id> ids) {
  std::unordered_map<tweet_id, user_id> result;
  for (auto id : ids) {
    auto rows = select_.run(id);
    if (rows.next())
      result.emplace(id, rows.number(0));
    if (auto error = rows.error())
      return error;
  }
  return result;
}

caf::expected<Tweets> tweet_store::tweets(std::span<const tweet_id> ids) {
  Tweets result;
  for (auto id : ids) {
    auto rows = select_.run(id);
    if (rows.next()) {
      auto& tweet = *result.add_tweets();
      tweet.set_id(id);
      tweet.set_author(rows.number(0));
      tweet.set_text(rows.text(1));
    }
    if (auto error = rows.error())
      return error;
  }
  return result;
}

caf::expected<Tweets> tweet_store::user_timeline(user_id user,
                                                 std::uint64_t since_id,
                                                 std::uint64_t max_id,
                                                 std::uint32_t limit) {
  Tweets result;
  auto rows =
      select_by_author_.run(user, clamp(since_id), clamp(max_id), limit);
  while (rows.next()) {
    auto& tweet = *result.add_tweets();
    tweet.set_id(rows.number(0));
    tweet.set_author(user);
    tweet.set_text(rows.text(1));
  }
  if (auto error = rows.error())
    return error;
  return result;
}

caf::expected<PullReply> tweet_store::pull(const std::string& log,
                                           std::vector<user_id> authors,
                                           std::uint64_t above_id,
                                           std::uint32_t limit) {
  std::sort(authors.begin(), authors.end());
  authors.erase(std::unique(authors.begin(), authors.end()), authors.end());
  transaction snapshot{db_, transaction::kind::read};
  if (snapshot.error())
    return snapshot.error();
  auto newest = head(log); // the first read: it makes the snapshot
  if (!newest)
    return std::move(newest.error());
  // The best ids so far, the smallest on top. Once there are `limit` of them,
  // an author has to beat the smallest, and most authors cost one index seek.
  std::priority_queue<tweet_id, std::vector<tweet_id>, std::greater<>> best;
  auto bound = clamp(above_id);
  for (auto author : authors) {
    auto rows = select_ids_by_author_.run(author, bound, limit);
    while (rows.next() && rows.number(0) > bound) {
      best.push(rows.number(0));
      if (best.size() > limit)
        best.pop();
      if (best.size() == limit)
        bound = best.top();
    }
    if (auto error = rows.error())
      return error;
  }
  PullReply result;
  result.set_log(log);
  result.set_head(*newest);
  auto& ids = *result.mutable_ids();
  ids.Resize(static_cast<int>(best.size()), 0);
  for (auto i = ids.rbegin(); i != ids.rend(); ++i, best.pop())
    *i = best.top();
  return result;
}

caf::error tweet_store::apply(std::uint32_t, const LogRow& row, std::uint64_t,
                              const std::string& text) {
  if (row.kind() == LogRow::POSTED)
    return insert_.execute(row.subject(), row.user(), text);
  return delete_.execute(row.subject());
}

} // namespace rookery::store
