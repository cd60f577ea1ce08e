#include "nodes/verify/oracle_store.hpp"

namespace rookery::nodes {

namespace {

using bridge::unexpected;

constexpr int busy_timeout_ms = 5'000;

std::uint64_t number(sqlite3_stmt* row, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(row, column));
}

std::string text(sqlite3_stmt* row, int column) {
  auto bytes = sqlite3_column_text(row, column);
  return bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
}

} // namespace

bridge::expected<oracle_store, oracle_store::failure>
oracle_store::open(const std::string& directory) {
  oracle_store result;
  sqlite3* handle = nullptr;
  auto code = sqlite3_open_v2(":memory:", &handle,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, nullptr);
  result.db_.reset(handle);
  if (code != SQLITE_OK)
    return unexpected{result.last_failure("SQLite")};
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  if (auto why = result.attach(directory + "/tweets.db", "t"); !why.empty())
    return unexpected{why};
  if (auto why = result.attach(directory + "/follows.db", "f"); !why.empty())
    return unexpected{why};
  auto take = [](std::uint32_t& target) {
    return [&target](sqlite3_stmt* x) {
      target = static_cast<std::uint32_t>(number(x, 0));
    };
  };
  auto why = result.query("SELECT value FROM t.meta WHERE key = 'partitions'",
                          {}, take(result.partitions_));
  if (why.empty())
    why = result.query("SELECT value FROM f.meta WHERE key = 'shards'", {},
                       take(result.shards_));
  if (why.empty() && (result.shards_ == 0 || result.partitions_ == 0))
    why = "is not a store of rookery";
  if (!why.empty())
    return unexpected{directory + ": " + why};
  return result;
}

bridge::expected<std::map<std::string, std::uint64_t>, oracle_store::failure>
oracle_store::heads() {
  std::map<std::string, std::uint64_t> result;
  auto why = query("SELECT log, seq FROM t.writers "
                   "UNION ALL SELECT log, seq FROM f.writers",
                   {}, [&](auto* x) { result[text(x, 0)] = number(x, 1); });
  if (!why.empty())
    return unexpected{why};
  return result;
}

oracle_store::failure oracle_store::load_graph() {
  // A copy, because the store's own key begins with the shard.
  for (auto sql : {"CREATE TABLE main.follows(follower, followee, "
                   "PRIMARY KEY(follower, followee)) WITHOUT ROWID",
                   "INSERT INTO main.follows "
                   "SELECT DISTINCT follower, followee FROM f.edges"})
    if (auto why = query(sql, {}, {}); !why.empty())
      return why;
  return {};
}

bridge::expected<std::vector<actors::tweet_id>, oracle_store::failure>
oracle_store::home(actors::user_id user, std::uint32_t cap) {
  std::vector<actors::tweet_id> result;
  // "+id" keeps SQLite from walking all tweets in the order of their ids.
  auto why =
      query("SELECT id FROM t.tweets WHERE author IN "
            "(SELECT followee FROM main.follows WHERE follower = ?1 "
            "UNION SELECT ?1) ORDER BY +id DESC LIMIT ?2",
            {user, cap}, [&](auto* x) { result.push_back(number(x, 0)); });
  if (!why.empty())
    return unexpected{why};
  return result;
}

bridge::expected<std::vector<actors::user_id>, oracle_store::failure>
oracle_store::users() {
  std::vector<actors::user_id> result;
  auto why = query("SELECT author FROM t.tweets UNION SELECT follower FROM "
                   "main.follows UNION SELECT followee FROM main.follows",
                   {}, [&](auto* x) { result.push_back(number(x, 0)); });
  if (!why.empty())
    return unexpected{why};
  return result;
}

bridge::expected<std::optional<actors::user_id>, oracle_store::failure>
oracle_store::author_of(actors::tweet_id tweet) {
  std::optional<actors::user_id> result;
  auto why = query("SELECT author FROM t.tweets WHERE id = ?1", {tweet},
                   [&](auto* x) { result = number(x, 0); });
  if (!why.empty())
    return unexpected{why};
  return result;
}

bridge::expected<bool, oracle_store::failure>
oracle_store::follows(const edge& x) {
  auto result = false;
  auto why = query("SELECT 1 FROM main.follows "
                   "WHERE follower = ?1 AND followee = ?2",
                   {x.follower, x.followee}, [&](auto*) { result = true; });
  if (!why.empty())
    return unexpected{why};
  return result;
}

oracle_store::failure oracle_store::each_tweet(
    const std::function<void(actors::tweet_id, actors::user_id)>& f) {
  return query("SELECT id, author FROM t.tweets", {},
               [&](auto* x) { f(number(x, 0), number(x, 1)); });
}

oracle_store::failure
oracle_store::each_edge(const std::function<void(const edge&)>& f) {
  return query("SELECT follower, followee FROM main.follows", {}, [&](auto* x) {
    f({number(x, 0), number(x, 1)});
  });
}

oracle_store::failure oracle_store::attach(const std::string& file,
                                           const std::string& name) {
  std::string uri = "file:";
  for (auto c : file) // what a URI would take for something else
    uri += c == '%'   ? "%25"
           : c == '?' ? "%3f"
           : c == '#' ? "%23"
                      : std::string(1, c);
  uri += "?mode=ro";
  auto sql = sqlite3_mprintf("ATTACH %Q AS %s", uri.c_str(), name.c_str());
  auto code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  sqlite3_free(sql);
  return code == SQLITE_OK ? failure{} : last_failure(file.c_str());
}

oracle_store::failure
oracle_store::query(const char* sql,
                    const std::vector<std::uint64_t>& arguments, const row& f) {
  auto& statement = statements_[sql];
  if (!statement) {
    sqlite3_stmt* compiled = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql, -1, &compiled, nullptr) != SQLITE_OK)
      return last_failure(sql);
    statement.reset(compiled);
  }
  int position = 0;
  for (auto argument : arguments)
    sqlite3_bind_int64(statement.get(), ++position,
                       static_cast<std::int64_t>(argument));
  auto code = sqlite3_step(statement.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(statement.get()))
    f(statement.get());
  auto result = code == SQLITE_DONE ? failure{} : last_failure(sql);
  sqlite3_reset(statement.get());
  return result;
}

oracle_store::failure oracle_store::last_failure(const char* what) const {
  return std::string{what} + ": " + sqlite3_errmsg(db_.get());
}

} // namespace rookery::nodes
