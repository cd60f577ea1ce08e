#include "actors/store/follow_store.hpp"

#include "actors/log_name.hpp"

namespace rookery::store {

using service::v1::EdgesReply;
using service::v1::LogRow;

namespace {

constexpr auto tables = R"(
CREATE TABLE edges(
  shard INTEGER NOT NULL,
  follower INTEGER NOT NULL,
  followee INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY(shard, follower, followee)) WITHOUT ROWID;
)";

} // namespace

caf::expected<std::shared_ptr<follow_store>>
follow_store::open(const store_options& options) {
  auto db = database::open(options.directory / file, options.database);
  if (!db)
    return std::move(db.error());
  auto result = std::shared_ptr<follow_store>{new follow_store{std::move(*db)}};
  if (auto error = result->prepare(options.count))
    return error;
  return result;
}

caf::error follow_store::prepare(std::uint32_t shards) {
  schema wanted{"shards", shards, {}, tables};
  for (std::uint32_t i = 0; i < shards; ++i)
    wanted.logs.push_back(actors::follow_log(i));
  if (auto error = start(wanted))
    return error;
  insert_ = db_.prepare("INSERT INTO edges VALUES(?1, ?2, ?3, ?4)");
  delete_ = db_.prepare("DELETE FROM edges WHERE shard = ?1 AND follower = ?2 "
                        "AND followee = ?3");
  select_ =
      db_.prepare("SELECT 1 FROM edges WHERE shard = ?1 AND follower = ?2 "
                  "AND followee = ?3");
  select_first_ = db_.prepare("SELECT follower, followee, seq FROM edges "
                              "WHERE shard = ?1 ORDER BY follower, followee "
                              "LIMIT ?2");
  select_after_ =
      db_.prepare("SELECT follower, followee, seq FROM edges "
                  "WHERE shard = ?1 AND (follower, followee) > (?3, ?4) "
                  "ORDER BY follower, followee LIMIT ?2");
  return caf::none;
}

caf::expected<std::set<edge>>
follow_store::known_edges(std::uint32_t shard, std::span<const edge> edges) {
  std::set<edge> result;
  for (auto& x : edges) {
    auto rows = select_.run(shard, x.follower, x.followee);
    if (rows.next())
      result.insert(x);
    if (auto error = rows.error())
      return error;
  }
  return result;
}

caf::expected<EdgesReply> follow_store::edges(std::uint32_t shard,
                                              std::optional<edge> after,
                                              std::uint32_t edges_max) {
  transaction snapshot{db_, transaction::kind::read};
  if (snapshot.error())
    return snapshot.error();
  auto log = actors::follow_log(shard);
  auto newest = head(log); // the first read: it makes the snapshot
  if (!newest)
    return std::move(newest.error());
  EdgesReply result;
  result.set_log(log);
  result.set_head(*newest);
  // One more than asked for, to know whether this page is the last.
  auto limit = std::uint64_t{edges_max} + 1;
  auto rows =
      after ? select_after_.run(shard, limit, after->follower, after->followee)
            : select_first_.run(shard, limit);
  auto more = rows.next();
  for (; more && edges_max > 0; more = rows.next(), --edges_max) {
    result.add_followers(rows.number(0));
    result.add_followees(rows.number(1));
    result.add_seqs(rows.number(2));
  }
  if (auto error = rows.error())
    return error;
  result.set_last(!more);
  return result;
}

caf::error follow_store::apply(std::uint32_t log_index, const LogRow& row,
                               std::uint64_t seq, const std::string&) {
  if (row.kind() == LogRow::FOLLOWED)
    return insert_.execute(log_index, row.user(), row.subject(), seq);
  return delete_.execute(log_index, row.user(), row.subject());
}

} // namespace rookery::store
