#pragma once

#include "actors/store/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace rookery::store {

/// What this build writes into `meta.schema_version`. A store of another
/// version is refused, never guessed at.
inline constexpr std::uint32_t schema_version = 1;

/// What a kind of store looks like.
struct schema {
  /// The key in `meta` that fixes how many logs there are: "partitions" or
  /// "shards". It also tells the kinds apart.
  std::string count_key;
  /// 1..1024, fixed for ever when the store is made.
  std::uint32_t count = 1;
  /// The names of the `count` logs.
  std::vector<std::string> logs;
  /// CREATE statements of this kind's own tables.
  std::string tables;
};

/// Makes the tables in an empty database, all or nothing, or checks that the
/// database is of this version, kind and count. Fails with
/// errc::store_mismatch, naming the file, the key, and both values; with
/// errc::store_failed when it cannot be read.
/// @returns the store's own number, drawn when it was made; copies have it too
[[nodiscard]] caf::expected<std::uint64_t> prepare_schema(database& db,
                                                          const schema& wanted);

} // namespace rookery::store
