#pragma once

#include "actors/store/log_changes.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rookery::store {

/// The idempotency of one commit group: the same key with the same request has
/// the same answer, be the first use in the store or earlier in the group; with
/// another request it is errc::key_conflict. A request that fails leaves no
/// trace, so that it may be repeated under its key.
class key_ledger {
public:
  /// `known` are the keys of the group's requests that the store remembers.
  explicit key_ledger(std::vector<used_key> known);

  /// The answer known for `key`, or `decide()`'s, which is then remembered.
  /// An empty key is never remembered.
  template <class Decide>
  caf::expected<std::uint64_t> once(const std::string& key,
                                    std::uint64_t fingerprint, Decide decide) {
    if (key.empty())
      return decide();
    if (auto known = find(key))
      return answer_of(*known, fingerprint);
    caf::expected<std::uint64_t> result = decide();
    if (result)
      remember({key, fingerprint, *result});
    return result;
  }

  /// The keys first used in this group, in order. Empties them.
  [[nodiscard]] std::vector<used_key> take_fresh() {
    return std::exchange(fresh_, {});
  }

private:
  [[nodiscard]] const used_key* find(const std::string& key) const;
  static caf::expected<std::uint64_t> answer_of(const used_key& known,
                                                std::uint64_t fingerprint);
  void remember(used_key key);

  std::map<std::string, used_key> all_;
  std::vector<used_key> fresh_;
};

} // namespace rookery::store
