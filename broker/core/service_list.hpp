#pragma once

#include <cstdint>
#include <functional>
#include <map>

namespace rookery::broker {

/// Base of what a `service_list` lines up; linked in at most one list.
struct service_node {
  service_node() = default;
  service_node(const service_node&) = delete;
  service_node& operator=(const service_node&) = delete;

  [[nodiscard]] bool linked() const { return next != nullptr; }

  service_node* previous = nullptr;
  service_node* next = nullptr;
};

/// Whose turn it is: a ring per priority, the highest priority first. It owns
/// no node, and every operation but the first `append` of a priority is free
/// of allocation. Searching for the front costs one step per priority in use.
class service_list {
public:
  /// Puts `node` last among those of its priority. Only when not linked.
  void append(service_node& node, std::int32_t priority);
  /// Takes `node` out; does nothing when it is not linked.
  static void unlink(service_node& node);
  /// Puts `front()` last among those of its priority.
  static void rotate(service_node& front);
  /// The one whose turn it is, or null.
  [[nodiscard]] service_node* front() const;
  /// Forgets the ring of `priority` if nobody is in it.
  void trim(std::int32_t priority);

private:
  /// The rings' anchors; an anchor linked to itself is an empty ring.
  std::map<std::int32_t, service_node, std::greater<>> rings_;
};

} // namespace rookery::broker
