#include "bridge/amqp/inbox.hpp"

#include <proton/delivery.h>
#include <proton/link.h>

#include <cstddef>
#include <utility>

namespace rookery::amqp {

namespace {

constexpr std::size_t reused_bytes_max = std::size_t{128} * 1024;

/// Appends what Proton has of the link's current delivery.
void append(pn_link_t* from, pn_delivery_t* x, std::string& to) {
  const auto had = to.size();
  const auto size = pn_delivery_pending(x);
  to.resize(had + size);
  pn_link_recv(from, to.data() + had, size);
}

} // namespace

std::string* inbox::take(pn_link_t* from, pn_delivery_t* x) {
  if (pn_delivery_partial(x)) {
    if (pn_delivery_pending(x) > 0)
      append(from, x, unfinished_[from]);
    return nullptr;
  }
  whole_.clear();
  if (auto begun = unfinished_.extract(from))
    whole_ = std::move(begun.mapped());
  append(from, x, whole_);
  pn_link_advance(from);
  pn_delivery_clear(x);
  return &whole_;
}

void inbox::done() {
  if (whole_.capacity() > reused_bytes_max)
    whole_ = {};
}

} // namespace rookery::amqp
