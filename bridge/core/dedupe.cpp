#include "bridge/core/dedupe.hpp"

#include "bridge/assert.hpp"

#include <algorithm>

namespace rookery::bridge {

namespace {

constexpr std::uint64_t word_bits = 64;

} // namespace

dedupe::dedupe(std::uint32_t window)
    : size_((window + word_bits - 1) / word_bits * word_bits),
      running_(size_ / word_bits),
      done_(size_ / word_bits) {
  ROOKERY_ASSERT(window > 0);
}

dedupe::state dedupe::find(std::uint64_t seq) const {
  if (seq > highest_)
    return state::unseen;
  if (highest_ - seq >= size_)
    return state::forgotten;
  if (test(running_, seq))
    return state::running;
  return test(done_, seq) ? state::done : state::unseen;
}

dedupe::state dedupe::begin(std::uint64_t seq) {
  ROOKERY_ASSERT(seq > 0);
  const auto before = find(seq);
  if (before != state::unseen)
    return before;
  if (seq > highest_)
    move_to(seq);
  set(running_, seq, true);
  return before;
}

void dedupe::finish(std::uint64_t seq) {
  failures_.erase(seq);
  if (find(seq) != state::running)
    return;
  set(running_, seq, false);
  set(done_, seq, true);
}

void dedupe::fail(std::uint64_t seq, std::uint32_t failures) {
  const auto before = find(seq);
  if (before == state::running)
    set(running_, seq, false);
  else if (before != state::forgotten)
    return;
  if (failures > 0)
    failures_[seq] = failures;
  else
    failures_.erase(seq);
  if (failures_.size() > size_)
    failures_.erase(failures_.begin());
}

std::uint32_t dedupe::failures(std::uint64_t seq) const {
  const auto found = failures_.find(seq);
  return found == failures_.end() ? 0 : found->second;
}

bool dedupe::test(const words& bits, std::uint64_t seq) const {
  const auto place = seq % size_;
  return (bits[place / word_bits] >> (place % word_bits) & 1) != 0;
}

void dedupe::set(words& bits, std::uint64_t seq, bool value) {
  const auto place = seq % size_;
  const auto mask = std::uint64_t{1} << (place % word_bits);
  auto& word = bits[place / word_bits];
  word = value ? word | mask : word & ~mask;
}

void dedupe::move_to(std::uint64_t seq) {
  if (seq - highest_ >= size_) {
    std::fill(running_.begin(), running_.end(), 0);
    std::fill(done_.begin(), done_.end(), 0);
  } else {
    // The places of the new numbers hold the oldest ones.
    for (auto fresh = highest_ + 1; fresh <= seq; ++fresh) {
      set(running_, fresh, false);
      set(done_, fresh, false);
    }
  }
  highest_ = seq;
}

} // namespace rookery::bridge
