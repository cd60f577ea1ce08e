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

// Until what looks damaged is tried again, and lost if it is so still: SQLite
// takes a disk that fails for a moment for damage.
constexpr milliseconds damage_time{2'000};

// Until the file is looked at as a whole again, which takes long.
constexpr milliseconds mend_time{60'000};

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
  return to.queue->may_fit(bytes)
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

// Of one that was damaged when the file was opened nobody knew how long it is,
// and a damaged index may name one twice.
void spill::forget(std::uint64_t bytes) {
  messages_ -= std::min<std::uint64_t>(messages_, 1);
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
  return !to_write_.empty() || !ended_.empty() || left_is_due()
         || std::any_of(lanes_.begin(), lanes_.end(),
                        [this](const auto& x) { return wants(*x); });
}

bool spill::left_is_due() const {
  return !left_.empty() && world_.now() >= left_retry_at_;
}

void spill::begin_work() {
  if (closed_ || working_ || world_.now() < retry_at_)
    return;
  worker_->post([this] { work(); });
  working_ = true;
}

void spill::work() {
  const auto begun = world_.now();
  if (begun >= mend_at_)
    file_->may_mend();
  const auto looked_before = file_->has_looked();
  lock guard{mutex_};
  auto well = true;
  while (well && !closed_ && has_work()) {
    if (!to_write_.empty() || !ended_.empty())
      well = write(guard);
    if (left_is_due())
      try_left_again(guard);
    // By index: more may be made meanwhile.
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      if (const auto lane = lanes_[i]; wants(*lane))
        read(guard, *lane);
  }
  const auto now = world_.now();
  if (!well)
    retry_at_ = now + retry_time;
  // If in doubt soon, but mostly the others have the worker.
  if (!looked_before && file_->has_looked())
    mend_at_ = now
               + (file_->in_doubt() ? std::clamp<std::chrono::nanoseconds>(
                      10 * (now - begun), damage_time, mend_time)
                                    : mend_time);
  working_ = false;
}

bool spill::write(lock& guard) {
  const auto items = std::exchange(to_write_, {});
  auto over = std::exchange(ended_, {});
  guard.unlock();
  std::vector<spill_file::message> messages;
  messages.reserve(items.size());
  for (const auto& x : items)
    messages.push_back(to_message(x));
  auto [failure, left] = file_->write(messages, over);
  note(failure, troubled_);
  if (failure)
    for (const auto& x : items)
      tell_.lost(x.item, *failure);
  guard.lock();
  for (const auto& x : items) {
    const auto bytes = x.item.bytes.size();
    --x.to->to_write;
    bytes_to_write_ -= bytes;
    x.to->to_read += failure ? 0 : 1;
    if (failure)
      forget(bytes);
  }
  if (failure && closed_)
    lost_at_stop_ += items.size();
  if (failure) { // they are still there
    ended_.insert(ended_.end(), over.begin(), over.end());
  } else if (!left.empty()) {
    left_.insert(left_.end(), left.begin(), left.end());
    left_retry_at_ = world_.now() + damage_time;
  }
  return !failure;
}

// What is left now stays in the file.
void spill::try_left_again(lock& guard) {
  const auto places = std::exchange(left_, {});
  guard.unlock();
  const auto [failure, still] = file_->write({}, places);
  guard.lock();
  if (!failure && !file_->in_doubt())
    return;
  const auto& again = failure ? places : still;
  left_.insert(left_.end(), again.begin(), again.end());
  left_retry_at_ = world_.now() + damage_time;
}

void spill::read(lock& guard, spill_lane& from) {
  const auto place = from.read_to;
  guard.unlock();
  std::vector<spill_file::message> messages;
  auto [failure, damaged] = file_->read(from.address, place, read_messages_max,
                                        read_bytes_max, messages);
  auto loss = damaged && messages.empty()
                  ? file_->find_loss(from.address, place)
                  : std::nullopt;
  // Nobody else takes anything out.
  auto gone = !failure && messages.empty() && !file_->mend_index();
  if (gone) {
    failure = "it is damaged: what waits in it is not found";
    gone = !file_->in_doubt();
  }
  note(failure, from.troubled);
  auto result = push_result::queued;
  auto first = false;
  std::vector<std::pair<amqp::outgoing, std::string_view>> flawed;
  guard.lock();
  if (!messages.empty() || !damaged)
    from.damaged_since.reset();
  for (auto& x : messages) {
    const auto bytes = x.bytes.size();
    const auto at = x.place;
    auto item = to_outgoing(std::move(x));
    const auto expires = item.expires;
    if (const auto why = flaw(item, *from.queue); !why.empty())
      flawed.emplace_back(std::move(item), why);
    else
      result = from.queue->push(std::move(item), bytes, expires);
    from.too_long = result == push_result::full ? bytes : 0;
    if (!accepted(result))
      break; // later
    first = first || result == push_result::queued_first;
    from.read_to = at;
    from.to_read -= std::min<std::uint64_t>(from.to_read, 1);
  }
  if (gone) {
    messages_ -= std::min(messages_, from.to_read);
    from.to_read = 0;
  }
  const auto now = world_.now();
  if (loss) {
    if (!from.damaged_since)
      from.damaged_since = now;
    if (now - *from.damaged_since < damage_time)
      loss.reset();
  }
  if (loss) {
    // The next one looks so from now on, or it was a disk that fails for long.
    from.damaged_since = now - damage_time + retry_time;
    from.read_to = loss->what.place;
    if (--from.to_read == 0)
      from.damaged_since.reset();
    forget(loss->bytes);
  } else if (failure) {
    from.retry_at = now + retry_time;
  }
  guard.unlock();
  if (first)
    tell_.refilled();
  for (const auto& [item, why] : flawed) {
    ended(item);
    tell_.lost(item, std::string{why});
  }
  if (loss)
    tell_.lost(to_outgoing(loss->what), *failure);
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
  if (!left_.empty())
    try_left_again(guard);
  file_->close();
  return lost_at_stop_;
}

} // namespace rookery::bridge
