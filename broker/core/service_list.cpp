#include "broker/core/service_list.hpp"

namespace rookery::broker {

namespace {

void insert_before(service_node& place, service_node& node) {
  node.previous = place.previous;
  node.next = &place;
  place.previous->next = &node;
  place.previous = &node;
}

} // namespace

void service_list::append(service_node& node, std::int32_t priority) {
  auto& anchor = rings_[priority];
  if (!anchor.linked())
    anchor.previous = anchor.next = &anchor;
  insert_before(anchor, node);
}

void service_list::unlink(service_node& node) {
  if (!node.linked())
    return;
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.previous = node.next = nullptr;
}

void service_list::rotate(service_node& front) {
  auto& anchor = *front.previous;
  if (front.next == &anchor)
    return; // alone
  unlink(front);
  insert_before(anchor, front);
}

service_node* service_list::front() const {
  for (const auto& [priority, anchor] : rings_)
    if (anchor.next != &anchor)
      return anchor.next;
  return nullptr;
}

void service_list::trim(std::int32_t priority) {
  const auto ring = rings_.find(priority);
  if (ring != rings_.end() && ring->second.next == &ring->second)
    rings_.erase(ring);
}

} // namespace rookery::broker
