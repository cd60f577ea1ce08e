#include "bridge/spill/spill.hpp"

#include "bridge/amqp/wire/sent_message.hpp"
#include "bridge/bridge_options.hpp"

#include <algorithm>
#include <utility>

namespace rookery::bridge {

namespace {

using std::chrono::milliseconds;

// Read at once, for one destination.
constexpr std::size_t read_messages_max = 256;
constexpr std::size_t read_bytes_max = std::size_t{1} << 20;

// Until the file is tried again when it failed.
constexpr milliseconds retry_time{100};

// Until what looks damaged, whenever it is tried, is taken to be.
constexpr milliseconds damage_time{10'000};
// Between two tries at most; else who knows what was in between.
constexpr milliseconds again_time{1'000};

// Why `x`, which was read from the file, can never be sent; empty if it can.
std::string_view flaw(const amqp::outgoing& x,
                      const amqp::outgoing_queue& queue) {
  if (!queue.may_fit(x.bytes.size())) // it was larger once
    return "it is longer than the send queue may hold";
  if (!amqp::decode_sent(x.bytes))
    return "it was damaged in the file";
  return {};
}

} // namespace

bool spill_doubt::note(const spill_file::fate& x,
                       std::chrono::steady_clock::time_point now) {
  if (!x.damaged) {
    last_.reset();
    return false;
  }
  if (!last_ || now - *last_ > again_time)
    since_ = now;
  last_ = now;
  return now - since_ >= damage_time;
}

expected<std::shared_ptr<spill_file>, std::string>
open_spill(spill_options options) {
  return spill_file::open(std::move(options));
}

spill::spill(std::shared_ptr<spill_file> file, const environment& world,
             owner tell)
    : file_{std::move(file)},
      world_{world},
      tell_{std::move(tell)},
      first_place_{file_->last_place() + 1},
      worker_{world.make_worker()},
      last_place_{file_->last_place()} {
  for (const auto& x : file_->found()) {
    messages_ += x.messages;
    bytes_ += x.bytes;
  }
}

spill::~spill() { worker_->stop(); }

std::shared_ptr<spill_lane>
spill::make_lane(std::string address,
                 std::shared_ptr<amqp::outgoing_queue> queue) {
  auto result = std::make_shared<spill_lane>(
      spill_lane{std::move(address), std::move(queue)});
  for (const auto& x : file_->found())
    if (x.address == result->address)
      result->to_read = x.messages;
  std::lock_guard guard{mutex_};
  lanes_.push_back(result);
  return result;
}

push_result spill::push(const std::shared_ptr<spill_lane>& to,
                        amqp::outgoing&& item) {
  const auto bytes = item.bytes.size();
  lock guard{mutex_};
  if (closed_)
    return push_result::closed;
  item.place = last_place_ + 1;
  if (in_memory(*to)) {
    const auto expires = item.expires;
    const auto result = to->queue->push(std::move(item), bytes, expires);
    last_place_ += accepted(result) ? 1 : 0;
    if (result != push_result::full)
      return result;
  }
  if (!file_has_room(*to, bytes))
    return refuse(*to, bytes);
  to_write_.push_back({to, std::move(item)});
  ++last_place_;
  ++to->to_write;
  ++messages_;
  bytes_ += bytes;
  bytes_to_write_ += bytes;
  begin_work();
  return push_result::queued;
}

push_result spill::would_push(spill_lane& to, std::size_t bytes) {
  lock guard{mutex_};
  if (closed_)
    return push_result::closed;
  return has_room(to, bytes) ? push_result::queued : refuse(to, bytes);
}

push_result spill::refuse(spill_lane& to, std::size_t bytes) const {
  const auto may_fit =
      to.queue->may_fit(bytes) && bytes <= file_->options().bytes_max;
  if (may_fit)
    to.refused = bytes;
  return push_result::full;
}

bool spill::has_room(const spill_lane& to, std::size_t bytes) const {
  return file_has_room(to, bytes) || (in_memory(to) && to.queue->fits(bytes));
}

bool spill::in_memory(const spill_lane& to) const {
  return to.empty()
         && to.queue->size() < file_->options().messages_in_memory_max;
}

bool spill::file_has_room(const spill_lane& to, std::size_t bytes) const {
  return !given_up_ && to.queue->may_fit(bytes)
         && bytes_ + bytes <= file_->options().bytes_max
         && (bytes_to_write_ == 0
             || bytes_to_write_ + bytes <= bytes_to_write_max);
}

bool spill::waits(const spill_lane& x) const {
  lock guard{mutex_};
  return !x.empty() || (x.refused > 0 && !has_room(x, x.refused));
}

bool spill::brings(const spill_lane& x) const {
  lock guard{mutex_};
  return reading_ && !closed_ && !x.empty();
}

void spill::ended(const amqp::outgoing& x) {
  if (!x.in_file)
    return;
  lock guard{mutex_};
  forget(x.bytes.size());
  ended_.push_back(x.place);
}

// Damage may have changed how long it is.
void spill::forget(std::uint64_t bytes) {
  --messages_;
  bytes_ -= std::min(bytes, bytes_);
}

void spill::turn() {
  lock guard{mutex_};
  if (has_work())
    begin_work();
}

std::uint64_t spill::size() const {
  lock guard{mutex_};
  return messages_;
}

bool spill::wants(const spill_lane& x) const {
  return reading_ && x.to_read > 0 && world_.now() >= x.retry_at
         && x.queue->half_empty()
         && (x.too_long == 0 || x.queue->fits(x.too_long))
         && x.queue->size() <= file_->options().messages_in_memory_max / 2;
}

bool spill::has_work() const {
  return !to_write_.empty() || !ended_.empty()
         || std::any_of(lanes_.begin(), lanes_.end(),
                        [this](const auto& x) { return wants(*x); });
}

void spill::begin_work() {
  if (closed_ || working_ || world_.now() < retry_at_)
    return;
  worker_->post([this] { work(); });
  working_ = true;
}

void spill::work() {
  lock guard{mutex_};
  auto well = true;
  while (well && !closed_ && has_work()) {
    if (!to_write_.empty() || !ended_.empty())
      well = write(guard);
    // By index: more may be made meanwhile.
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      if (const auto lane = lanes_[i]; wants(*lane))
        read(guard, *lane);
  }
  if (!well)
    retry_at_ = world_.now() + retry_time;
  working_ = false;
}

bool spill::write(lock& guard) {
  const auto items = std::exchange(to_write_, {});
  auto over = std::exchange(ended_, {});
  spill_file::fate result{given_up_};
  guard.unlock();
  std::vector<spill_file::message> messages;
  messages.reserve(items.size());
  for (const auto& x : items)
    messages.push_back(to_message(x));
  if (!result.why) {
    result = file_->write(messages, over);
    note(result.why, troubled_);
  }
  if (result.why)
    for (const auto& x : items)
      tell_.lost(x.item, *result.why);
  guard.lock();
  for (const auto& [to, item] : items) {
    --to->to_write;
    bytes_to_write_ -= item.bytes.size();
    if (result.why) {
      forget(item.bytes.size());
      continue;
    }
    ++to->to_read;
    if (item.waiting != 0 && item.ends_stored)
      to->awaited.emplace(item.place, item.waiting);
  }
  if (result.why && closed_)
    lost_at_stop_ += items.size();
  if (result.why && !given_up_) // they are still there
    ended_.insert(ended_.end(), over.begin(), over.end());
  if (doubt_.note(result, world_.now()))
    give_up(guard, *result.why);
  return !result.why;
}

void spill::read(lock& guard, spill_lane& from) {
  const auto place = from.read_to;
  const auto known = from.to_read;
  guard.unlock();
  std::vector<spill_file::message> messages;
  auto result = file_->read(from.address, place, read_messages_max,
                            read_bytes_max, messages);
  // Nobody else puts anything in or takes it out.
  if (!result.why && (messages.empty() || messages.size() > known)) {
    result = {"what waits in it is not found", true};
    messages.clear();
  }
  note(result.why, from.troubled);
  auto pushed = push_result::queued;
  auto first = false;
  std::vector<std::pair<amqp::outgoing, std::string_view>> flawed;
  guard.lock();
  for (auto& x : messages) {
    const auto bytes = x.bytes.size();
    const auto at = x.place;
    auto item = to_outgoing(std::move(x));
    const auto expires = item.expires;
    if (const auto why = flaw(item, *from.queue); !why.empty())
      flawed.emplace_back(std::move(item), why);
    else
      pushed = from.queue->push(std::move(item), bytes, expires);
    from.too_long = pushed == push_result::full ? bytes : 0;
    if (!accepted(pushed))
      break; // later
    first = first || pushed == push_result::queued_first;
    from.read_to = at;
    --from.to_read;
    from.awaited.erase(at);
  }
  const auto now = world_.now();
  if (result.why)
    from.retry_at = now + retry_time;
  const auto damaged = from.doubt.note(result, now);
  guard.unlock();
  if (first)
    tell_.refilled();
  for (const auto& [item, why] : flawed) {
    ended(item);
    tell_.lost(item, std::string{why});
  }
  guard.lock();
  if (damaged)
    give_up(guard, *result.why);
}

// What is in memory goes on.
void spill::give_up(lock& guard, const std::string& why) {
  std::uint64_t left = 0;
  std::vector<amqp::outgoing> awaited;
  for (const auto& lane : lanes_) {
    left += std::exchange(lane->to_read, 0);
    for (const auto& [place, waiting] : std::exchange(lane->awaited, {})) {
      auto& x = awaited.emplace_back();
      x.place = place;
      x.waiting = waiting;
      x.ends_stored = true;
    }
  }
  messages_ -= left;
  const auto text = "it is given up, as it is, with " + std::to_string(left)
                    + " messages that had not been read: " + why;
  given_up_ = text;
  guard.unlock();
  file_->abandon();
  tell_.trouble(text);
  for (const auto& x : awaited)
    tell_.lost(x, text);
  guard.lock();
}

void spill::note(const spill_file::error& result, bool& troubled) {
  if (result && !std::exchange(troubled, true))
    tell_.trouble(*result);
  else if (!result)
    troubled = false;
}

void spill::stop_reading() {
  lock guard{mutex_};
  reading_ = false;
}

void spill::close() {
  lock guard{mutex_};
  closed_ = true;
}

void spill::stop() {
  close();
  worker_->stop();
  file_->close();
}

std::size_t spill::keep(
    std::vector<std::pair<std::shared_ptr<spill_lane>, amqp::outgoing>> rest) {
  close();
  worker_->stop();
  lock guard{mutex_};
  for (auto& [to, item] : rest)
    if (!item.in_file) {
      ++to->to_write;
      ++messages_;
      bytes_ += item.bytes.size();
      bytes_to_write_ += item.bytes.size();
      to_write_.push_back({to, std::move(item)});
    }
  static_cast<void>(write(guard));
  file_->close();
  return lost_at_stop_;
}

} // namespace rookery::bridge
