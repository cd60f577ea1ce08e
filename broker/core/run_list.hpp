#pragma once

#include "broker/core/fwd.hpp"

namespace rookery::broker {

/// A place in a `run_list`; base of `queue`.
struct run_node {
  run_node() = default;
  run_node(const run_node&) = delete;
  run_node& operator=(const run_node&) = delete;

  run_node* run_previous = nullptr;
  run_node* run_next = nullptr;
};

/// The queues that have an event to give, in the order of their turns. A ring
/// through the queues themselves: waking one allocates nothing.
class run_list {
public:
  run_list() { anchor_.run_previous = anchor_.run_next = &anchor_; }

  /// Puts it last; does nothing when it is in already.
  void add(run_node& node) {
    if (node.run_next != nullptr)
      return;
    node.run_previous = anchor_.run_previous;
    node.run_next = &anchor_;
    anchor_.run_previous->run_next = &node;
    anchor_.run_previous = &node;
  }

  /// Takes it out; does nothing when it is not in.
  static void remove(run_node& node) {
    if (node.run_next == nullptr)
      return;
    node.run_previous->run_next = node.run_next;
    node.run_next->run_previous = node.run_previous;
    node.run_previous = node.run_next = nullptr;
  }

  /// The one whose turn it is, or null.
  [[nodiscard]] run_node* front() const {
    return anchor_.run_next == &anchor_ ? nullptr : anchor_.run_next;
  }

private:
  run_node anchor_;
};

} // namespace rookery::broker
