#include "bridge/core/dedupe.hpp"

#include "bridge/assert.hpp"

#include <algorithm>

namespace rookery::bridge {

namespace {

constexpr std::uint64_t word_bits = 64;

// Of the window, as many that failed are remembered: each costs some 64 bytes.
constexpr std::uint64_t failed_share = 8;

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
  if (!in_window(seq)) {
    const auto found = failed_.find(seq);
    return found == failed_.end() ? state::forgotten : found->second.now;
  }
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
  change(seq, state::running);
  return before;
}

void dedupe::finish(std::uint64_t seq) {
  if (find(seq) == state::running)
    change(seq, state::done);
}

void dedupe::fail(std::uint64_t seq, std::uint32_t failures) {
  const auto before = find(seq);
  if (before != state::running && before != state::forgotten)
    return;
  failed_[seq].failures = failures;
  change(seq, state::unseen);
  if (failed_.size() > size_ / failed_share)
    forget_one_but(seq);
}

// Rather one that is done, and the oldest of them.
void dedupe::forget_one_but(std::uint64_t seq) {
  auto victim = std::find_if(failed_.begin(), failed_.end(), [](const auto& x) {
    return x.second.now == state::done;
  });
  if (victim == failed_.end())
    victim = failed_.begin();
  if (victim->first == seq)
    ++victim;
  failed_.erase(victim);
}

void dedupe::give_up(std::uint64_t seq) {
  if (find(seq) != state::running)
    return;
  change(seq, state::unseen);
  failed_.erase(seq);
}

std::uint32_t dedupe::failures(std::uint64_t seq) const {
  const auto found = failed_.find(seq);
  return found == failed_.end() ? 0 : found->second.failures;
}

bool dedupe::in_window(std::uint64_t seq) const {
  return highest_ >= seq && highest_ - seq < size_;
}

void dedupe::change(std::uint64_t seq, state now) {
  if (in_window(seq)) {
    set(running_, seq, now == state::running);
    set(done_, seq, now == state::done);
  }
  const auto found = failed_.find(seq);
  if (found == failed_.end())
    return;
  found->second.now = now;
  if (now == state::done)
    found->second.failures = 0;
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
    for (auto fresh = highest_; fresh < seq;) { // seq may be the last number
      ++fresh;
      set(running_, fresh, false);
      set(done_, fresh, false);
    }
  }
  highest_ = seq;
}

} // namespace rookery::bridge
