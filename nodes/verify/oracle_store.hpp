#pragma once

#include "actors/partition.hpp"
#include "bridge/expected.hpp"
#include "nodes/load/edge_file.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rookery::nodes {

/// The truth, read from the databases of a store in SQL: who follows whom and
/// what exists. Shares no code with the actors, whose work it judges; opens
/// both databases read-only, and may do so while writers work.
/// Every call returns what went wrong, if anything, in one sentence.
/// @thread any, one at a time
class oracle_store {
public:
  using failure = std::string; // empty = none

  /// Opens `<directory>/tweets.db` and `<directory>/follows.db`.
  [[nodiscard]] static bridge::expected<oracle_store, failure>
  open(const std::string& directory);

  /// How many shards and tweet partitions the store is made for.
  [[nodiscard]] std::uint32_t shards() const { return shards_; }
  [[nodiscard]] std::uint32_t partitions() const { return partitions_; }

  /// The seq of every log, by name.
  [[nodiscard]] bridge::expected<std::map<std::string, std::uint64_t>, failure>
  heads();

  /// Takes the graph over, once, for `home`, `follows` and `users`.
  [[nodiscard]] failure load_graph();

  /// home(user): the ids of the greatest `cap` live tweets by `user` and by
  /// those `user` follows, descending.
  [[nodiscard]] bridge::expected<std::vector<actors::tweet_id>, failure>
  home(actors::user_id user, std::uint32_t cap);

  /// Everybody who follows, is followed or has a tweet; ascending.
  [[nodiscard]] bridge::expected<std::vector<actors::user_id>, failure> users();

  /// The author of a tweet that exists.
  [[nodiscard]] bridge::expected<std::optional<actors::user_id>, failure>
  author_of(actors::tweet_id tweet);

  [[nodiscard]] bridge::expected<bool, failure> follows(const edge& x);

  /// Calls `f` for each tweet, and for each edge.
  [[nodiscard]] failure
  each_tweet(const std::function<void(actors::tweet_id, actors::user_id)>& f);
  [[nodiscard]] failure each_edge(const std::function<void(const edge&)>& f);

private:
  struct closer {
    void operator()(sqlite3* x) const { sqlite3_close_v2(x); }
    void operator()(sqlite3_stmt* x) const { sqlite3_finalize(x); }
  };
  using row = std::function<void(sqlite3_stmt*)>;

  oracle_store() = default;

  [[nodiscard]] failure attach(const std::string& file,
                               const std::string& name);
  /// Compiles `sql` once, and calls `f` for each row it gives.
  [[nodiscard]] failure query(const char* sql,
                              const std::vector<std::uint64_t>& arguments,
                              const row& f);
  [[nodiscard]] failure last_failure(const char* what) const;

  std::unique_ptr<sqlite3, closer> db_;
  /// By their text; freed before the connection.
  std::map<const char*, std::unique_ptr<sqlite3_stmt, closer>> statements_;
  std::uint32_t shards_ = 0;
  std::uint32_t partitions_ = 0;
};

} // namespace rookery::nodes
