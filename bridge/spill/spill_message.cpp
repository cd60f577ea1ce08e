// How a message is kept in the file, and what it is when it comes back.
#include "bridge/spill/spill.hpp"

#include <algorithm>
#include <utility>

namespace rookery::bridge {

namespace {

using std::chrono::milliseconds;

// Longest time to live that the wire has room for.
constexpr milliseconds ttl_max{0xffff'ffff};

constexpr auto never = std::chrono::steady_clock::time_point::max();

} // namespace

spill_file::message spill::to_message(const entry& x) const {
  std::int64_t expires = 0;
  if (x.item.expires != never) {
    const auto left = x.item.expires - world_.now();
    expires = std::chrono::ceil<milliseconds>(
                  (world_.wall_now() + left).time_since_epoch())
                  .count();
  }
  return {x.item.place,   x.to->address,      x.item.bytes, expires,
          x.item.waiting, x.item.ends_stored, x.item.packs};
}

amqp::outgoing spill::to_outgoing(spill_file::message x) const {
  amqp::outgoing result{std::move(x.bytes)};
  result.place = x.place;
  result.in_file = true;
  result.packs = x.packs;
  if (x.place >= first_place_) { // else nobody waits any more
    result.waiting = x.waiting;
    result.ends_stored = x.ends_stored;
  }
  if (x.expires != 0) {
    // The calendar may have been set back meanwhile, and the file be damaged.
    const auto wall = std::chrono::duration_cast<milliseconds>(
        world_.wall_now().time_since_epoch());
    result.expires =
        world_.now()
        + std::min(milliseconds{std::max<std::int64_t>(x.expires, 0)} - wall,
                   ttl_max);
  }
  return result;
}

} // namespace rookery::bridge
