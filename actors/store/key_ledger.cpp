#include "actors/store/key_ledger.hpp"

#include "actors/errc.hpp"

namespace rookery::store {

key_ledger::key_ledger(std::vector<used_key> known) {
  for (auto& x : known) {
    auto key = x.key;
    all_.emplace(std::move(key), std::move(x));
  }
}

const used_key* key_ledger::find(const std::string& key) const {
  auto i = all_.find(key);
  return i == all_.end() ? nullptr : &i->second;
}

caf::expected<std::uint64_t> key_ledger::answer_of(const used_key& known,
                                                   std::uint64_t fingerprint) {
  if (known.fingerprint != fingerprint)
    return caf::make_error(actors::errc::key_conflict, known.key);
  return known.answer;
}

void key_ledger::remember(used_key key) {
  all_.emplace(key.key, key);
  fresh_.push_back(std::move(key));
}

} // namespace rookery::store
