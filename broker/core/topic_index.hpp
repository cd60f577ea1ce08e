#pragma once

#include "broker/core/fwd.hpp"
#include "broker/core/name_map.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace rookery::broker {

/// The binding patterns of a topic exchange, word by word. Words are separated
/// by dots; in a pattern `*` stands for one word and `#` for any number of
/// words, also none. A search goes through the key once, with all nodes that
/// match so far: its time is bounded by their number, whatever the patterns.
class topic_index {
public:
  using queues = std::vector<queue*>;

  /// The queues bound with `pattern` are those in `targets`, which stays where
  /// it is until `remove`.
  void add(std::string_view pattern, const queues& targets);
  void remove(std::string_view pattern);

  /// Appends the queues of all patterns that match `key`, each once, to
  /// `result`: in an order that depends on the patterns alone.
  void match(std::string_view key, queues& result) const;

private:
  struct node {
    name_map<std::unique_ptr<node>> next; // by word
    const queues* targets = nullptr;
    bool any_words = false; // its own word is '#'
  };
  class node_set;
  using words = std::vector<std::string_view>;

  static words split(std::string_view key);
  static bool remove_below(node& from, const words& pattern, std::size_t at);

  node root_;
};

} // namespace rookery::broker
