#include "testing/world.hpp"

#include <cstdio>
#include <utility>

namespace rookery::testing {

using namespace std::chrono;

microseconds world::age() const {
  return duration_cast<microseconds>(now_ - start_);
}

system_clock::time_point world::wall() const {
  return system_clock::time_point{seconds{1767312000}} + age() + wall_skew_;
}

world::clock::duration world::between(clock::duration least,
                                      clock::duration most) {
  auto span = static_cast<std::uint64_t>((most - least).count());
  return least + clock::duration{static_cast<std::int64_t>(draw(span + 1))};
}

void world::after(clock::duration delay, std::function<void()> what) {
  events_.push({now_ + delay, ++order_, std::move(what)});
}

bool world::run(clock::duration span, const std::function<bool()>& stop) {
  auto until = now_ + span;
  while (failure_.empty() && !events_.empty() && events_.top().when <= until) {
    // The queue shows its top as const, though it is popped at once.
    auto what = std::move(const_cast<event&>(events_.top()).what);
    now_ = events_.top().when;
    events_.pop();
    ++count_;
    what();
    if (stop && stop())
      return true;
  }
  if (failure_.empty())
    now_ = until;
  return false;
}

void world::note(std::string_view who, std::string_view what,
                 std::uint64_t number) {
  auto add = [this](std::string_view bytes) {
    for (unsigned char c : bytes)
      hash_ = (hash_ ^ c) * 1099511628211ull;
  };
  auto time = age().count();
  add(who);
  add(what);
  add({reinterpret_cast<const char*>(&number), sizeof number});
  add({reinterpret_cast<const char*>(&time), sizeof time});
  if (trace_)
    std::fprintf(stderr, "%10.6f %-8.*s %.*s %llu\n",
                 static_cast<double>(time) / 1e6, static_cast<int>(who.size()),
                 who.data(), static_cast<int>(what.size()), what.data(),
                 static_cast<unsigned long long>(number));
}

void world::fail(const std::string& why) {
  if (!failure_.empty())
    return;
  failure_ = why;
  note("world", "FAILED: " + why);
}

} // namespace rookery::testing
