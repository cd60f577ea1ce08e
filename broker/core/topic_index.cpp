#include "broker/core/topic_index.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <utility>

namespace rookery::broker {

/// Nodes, each once, in the order of their coming.
class topic_index::node_set {
public:
  /// With `#` below it, which matches no word as well.
  void enter(const node& x) {
    if (!seen_.insert(&x).second)
      return;
    all.push_back(&x);
    enter_next(x, "#");
  }

  void enter_next(const node& x, std::string_view word) {
    if (auto place = x.next.find(word); place != x.next.end())
      enter(*place->second);
  }

  std::vector<const node*> all;

private:
  std::unordered_set<const node*> seen_;
};

topic_index::words topic_index::split(std::string_view key) {
  words result;
  if (key.empty())
    return result;
  for (std::size_t dot = 0; dot != std::string_view::npos;) {
    dot = key.find('.');
    result.push_back(key.substr(0, dot));
    key.remove_prefix(std::min(key.size(), dot + 1));
  }
  return result;
}

void topic_index::add(std::string_view pattern, const queues& targets) {
  auto* at = &root_;
  for (auto word : split(pattern)) {
    auto place = at->next.find(word);
    if (place == at->next.end())
      place = at->next.try_emplace(std::string{word}, std::make_unique<node>())
                  .first;
    at = place->second.get();
    at->any_words = word == "#";
  }
  at->targets = &targets;
}

void topic_index::remove(std::string_view pattern) {
  remove_below(root_, split(pattern), 0);
}

/// @returns whether nothing is left at or below `from`
bool topic_index::remove_below(node& from, const words& pattern,
                               std::size_t at) {
  if (at == pattern.size()) {
    from.targets = nullptr;
  } else if (auto place = from.next.find(pattern[at]);
             place != from.next.end()
             && remove_below(*place->second, pattern, at + 1)) {
    from.next.erase(place);
  }
  return from.targets == nullptr && from.next.empty();
}

void topic_index::match(std::string_view key, queues& result) const {
  node_set matching;
  matching.enter(root_);
  for (auto word : split(key)) {
    node_set after;
    for (const auto* each : matching.all) {
      if (each->any_words)
        after.enter(*each);
      after.enter_next(*each, word);
      after.enter_next(*each, "*");
    }
    matching = std::move(after);
  }
  std::unordered_set<const queue*> seen;
  for (const auto* each : matching.all)
    if (each->targets != nullptr)
      for (auto* target : *each->targets)
        if (seen.insert(target).second)
          result.push_back(target);
}

} // namespace rookery::broker
