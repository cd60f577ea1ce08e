#pragma once

#include "actors/store/log_changes.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rookery::store {

/// A checked request to change a log. `Change` is the role's.
template <class Change>
struct change_request {
  Change change;
  std::string key; // of idempotency; may be empty
  std::uint64_t fingerprint = 0;
};

/// What a commit group comes to: what to write, and for each of its requests,
/// in order, the answer it gets once that is durable.
struct group_plan {
  log_changes changes;
  std::vector<caf::expected<std::uint64_t>> answers;
};

} // namespace rookery::store
