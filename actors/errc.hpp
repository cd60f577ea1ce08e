#pragma once

#include <caf/error.hpp>
#include <caf/make_message.hpp> // CAF 0.17.6: CAF_ERROR_CODE_ENUM needs it

#include <cstdint>
#include <string>

namespace rookery::actors {

/// Why the service refused or failed a request. Numbers are on the wire: they
/// are never reused. The context of the error holds the offending value.
enum class errc : std::uint8_t {
  /// The text is not valid UTF-8.
  invalid_utf8 = 1,
  /// The text is empty.
  text_empty = 2,
  /// The text has more than 280 code points.
  text_too_long = 3,
  /// The tweet belongs to another author.
  not_author = 4,
  /// The idempotency key is longer than 64 bytes.
  key_too_long = 5,
  /// The idempotency key was used before with another request.
  key_conflict = 6,
  /// The user belongs to another writer partition or shard.
  wrong_partition = 7,
  /// A field is outside its documented range.
  invalid_argument = 8,
  /// The store could not read, or could not commit: then nothing was changed,
  /// unless what it wrote in vain survives. The same key finds out.
  store_failed = 9,
  /// The home timeline could not be completed in time; ask again.
  not_complete = 10,
  /// Too many requests wait for the same thing; ask again later.
  overloaded = 11,
  /// Another process took over this writer partition.
  fenced = 12,
  /// The store was made for other partitions, shards or a newer schema.
  store_mismatch = 13,
  /// No log of this name is written here.
  unknown_log = 14,
  /// The node may have been replaced as the owner of this shard. Why a shard
  /// ended; nobody is answered with it.
  lease_lapsed = 15,
};

/// One short name, as in the enumeration.
[[nodiscard]] std::string to_string(errc code);

} // namespace rookery::actors

CAF_ERROR_CODE_ENUM(rookery::actors::errc, "service")
