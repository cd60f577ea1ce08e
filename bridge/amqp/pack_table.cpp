#include "bridge/amqp/pack_table.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

using end_type = pack_table::end_type;

}

bridge::outcome pack_table::pack::outcome() const {
  auto result = bridge::outcome::untouched();
  for (const auto& x : parts)
    if (x.end == end_type::released)
      result = bridge::outcome::released();
    else if (x.end != end_type::untouched)
      return bridge::outcome::accepted();
  return result;
}

std::uint64_t pack_table::add(delivery handle, std::size_t receiver,
                              std::string& bytes,
                              const std::vector<std::string_view>& parts) {
  auto& x = packs_[++last_];
  x.handle = handle;
  x.receiver = receiver;
  x.running = parts.size();
  for (auto each : parts)
    x.parts.push_back(
        {static_cast<std::size_t>(each.data() - bytes.data()), each.size()});
  x.bytes = std::move(bytes);
  return last_;
}

pack_table::pack* pack_table::find(std::uint64_t number) {
  return const_cast<pack*>(std::as_const(*this).find(number));
}

const pack_table::pack* pack_table::find(std::uint64_t number) const {
  auto found = packs_.find(number);
  return found == packs_.end() ? nullptr : &found->second;
}

std::vector<std::uint64_t>
pack_table::overdue(std::chrono::steady_clock::time_point now) const {
  std::vector<std::uint64_t> result;
  for (const auto& [number, x] : packs_)
    if (x.running == 0 && x.returning > 0 && x.give_up_at <= now)
      result.push_back(number);
  return result;
}

void pack_table::forget_handles() {
  for (auto& [number, x] : packs_) {
    x.handle = {};
    x.returning = 0;
  }
}

void pack_table::forget_handles_of(std::size_t receiver) {
  for (auto& [number, x] : packs_)
    if (x.receiver == receiver)
      x.handle = {};
}

std::vector<std::size_t> pack_table::take_idle() {
  std::vector<std::size_t> result;
  std::erase_if(packs_, [&](const auto& each) {
    const auto idle = each.second.running == 0;
    if (idle)
      result.push_back(each.second.receiver);
    return idle;
  });
  return result;
}

void pack_table::forget_handle(delivery gone) {
  for (auto& [number, x] : packs_)
    if (x.handle == gone)
      x.handle = {};
}

} // namespace rookery::amqp
