// What comes, if need be taken apart: to the owner as the window has room, and
// packs settled as one.
#include "bridge/amqp/client.hpp"

#include <utility>

namespace rookery::amqp {

namespace {

using end_type = pack_table::end_type;

// Until what the broker did not take back is sent there again, and until it is
// not any more: the queue may be full as long as nobody consumes it.
constexpr std::chrono::seconds return_time{1};
constexpr std::chrono::seconds returns_end{20};

} // namespace

bool client::in_pack(std::uint64_t delivery) const {
  return deliveries_.is_part(delivery);
}

void client::take_in(client_receiver& x, delivery d, std::string& bytes) {
  const auto now = options_.now();
  if (auto parts = decode_pack(bytes)) {
    x.backlog.push_back(
        {.pack = packs_.add(d, x.index(), bytes, *parts), .came = now});
    x.unpacked(parts->size());
  } else if (x.backlog.empty() && x.may_hand_over()) {
    return hand_over(x, {d, x.index()}, bytes, now);
  } else {
    x.backlog.push_back({.handle = d, .bytes = std::move(bytes), .came = now});
  }
  hand_over(x);
}

void client::hand_over(client_receiver& x) {
  std::string bytes;
  while (!x.backlog.empty() && x.may_hand_over()) {
    auto& front = x.backlog.front();
    if (x.paused() && front.next == 0)
      return; // not to be begun
    delivery_table::entry what{front.handle, x.index(), front.pack, front.next};
    const auto came = front.came;
    if (front.pack == 0) {
      bytes = std::move(front.bytes);
      x.backlog.pop_front();
    } else {
      const auto& pack = *packs_.find(front.pack);
      bytes = pack.message(pack.parts[front.next]);
      if (++front.next == pack.parts.size())
        x.backlog.pop_front();
    }
    hand_over(x, what, bytes, came);
  }
}

void client::hand_over(client_receiver& x, const delivery_table::entry& what,
                       std::string& bytes, clock::time_point came) {
  const auto number = deliveries_.add(what);
  x.handed_over();
  try {
    owner_.on_message(x.index(), number, bytes, came);
  } catch (...) {
    settle(number, bridge::outcome::failure()); // or it costs credit for ever
    throw;
  }
}

// What was not begun goes back whole, and in its place: not before nothing more
// comes, or what goes back comes here again and leaves the order. What is left
// of a pack that was begun would go back alone, behind all others: it is
// finished here, if the target is still there.
void client::release_backlog(client_receiver& x) {
  auto waiting = std::exchange(x.backlog, {});
  if (!x.closed() && !waiting.empty() && waiting.front().next > 0) {
    x.backlog.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  for (const auto& each : waiting) {
    if (each.pack == 0) {
      if (each.handle && in_time(options_.now()))
        delivery{each.handle}.settle(bridge::outcome::untouched());
      x.finished();
      continue;
    }
    auto& pack = *packs_.find(each.pack);
    for (auto i = each.next; i < pack.parts.size(); ++i) {
      x.finished();
      --pack.running;
      pack.parts[i].end = end_type::untouched;
    }
    conclude(each.pack);
  }
}

// Their link is gone, or the broker gave them to others: nobody begins them.
void client::forget_backlog(client_receiver& x,
                            const std::function<bool(delivery)>& which) {
  std::erase_if(x.backlog, [&](const client_receiver::waiting& each) {
    auto* pack = packs_.find(each.pack);
    if (!which(pack == nullptr ? each.handle : pack->handle))
      return false;
    if (pack == nullptr) {
      x.finished();
      return true;
    }
    for (auto i = each.next; i < pack->parts.size(); ++i) {
      x.finished();
      --pack->running;
    }
    pack->handle = {};
    if (pack->over())
      settle_pack(each.pack, {});
    return true;
  });
}

// One that failed goes back at once: its neighbours need not wait for what
// becomes of it. One that nobody had may yet go back with them.
void client::part_ended(const delivery_table::entry& x,
                        const bridge::outcome& how) {
  using kind = bridge::outcome::kind_type;
  auto* pack = packs_.find(x.pack);
  if (pack == nullptr || pack->parts[x.part].end != end_type::running)
    return;
  auto& part = pack->parts[x.part];
  --pack->running;
  if (how.kind == kind::accepted)
    part.end = end_type::accepted;
  else if (how.kind == kind::released)
    part.end = end_type::released;
  else if (how == bridge::outcome::untouched())
    part.end = end_type::untouched;
  else
    send_back(x.pack, part);
  conclude(x.pack);
}

void client::send_back(std::uint64_t number, pack_table::part& part) {
  auto& pack = *packs_.find(number);
  part.end = end_type::returned;
  if (!pack.handle || !in_time(options_.now()))
    return; // all of it comes again
  if (pack.returning++ == 0)
    pack.give_up_at = options_.now() + returns_end;
  ++returned_;
  send_back(outgoing{std::string{pack.message(part)}, number});
}

void client::send_back(outgoing what) {
  const auto index = packs_.find(what.waiting)->receiver;
  const auto size = what.bytes.size();
  if (!accepted(way_back(receiver(index)).queue().push(std::move(what), size)))
    to_return_.push_back({options_.now() + return_time, std::move(what)});
}

void client::returned(outgoing&& what, const bridge::outcome& how) {
  auto* pack = packs_.find(what.waiting);
  if (pack == nullptr || pack->returning == 0)
    return; // it comes again
  const auto number = what.waiting;
  const auto now = options_.now();
  if (how.kind == bridge::outcome::kind_type::accepted) {
    --pack->returning;
    conclude(number);
  } else if (now < pack->give_up_at || pack->running > 0) {
    to_return_.push_back({now + return_time, std::move(what)});
  } else {
    give_up_pack(number);
  }
}

// All of it comes again, so what could not be sent back need not.
void client::give_up_pack(std::uint64_t number) {
  const auto of_it = [number](const outgoing& x) {
    return x.waiting == number;
  };
  std::vector<outgoing> dropped;
  way_back(receiver(packs_.find(number)->receiver))
      .queue()
      .take_if(of_it, dropped);
  std::erase_if(to_return_, [&](const later& x) { return of_it(x.what); });
  settle_pack(number, bridge::outcome::failure());
}

void client::return_later(clock::time_point now) {
  for (auto number : packs_.overdue(now))
    give_up_pack(number);
  while (!to_return_.empty() && to_return_.front().due <= now) {
    auto what = std::move(to_return_.front().what);
    to_return_.pop_front();
    send_back(std::move(what));
  }
}

void client::conclude(std::uint64_t number) {
  auto& pack = *packs_.find(number);
  if (!pack.over())
    return;
  if (pack.outcome() == bridge::outcome::accepted())
    for (auto& part : pack.parts)
      if (part.end == end_type::released || part.end == end_type::untouched)
        send_back(number, part);
  if (pack.over())
    settle_pack(number, pack.outcome());
}

void client::settle_pack(std::uint64_t number, const bridge::outcome& how) {
  auto& pack = *packs_.find(number);
  auto handle = pack.handle;
  receiver(pack.receiver).finished();
  packs_.erase(number);
  if (handle && in_time(options_.now()))
    handle.settle(how);
}

// Their links are gone: they come again, with what is on its way back.
void client::forget_packs() {
  for (auto& [index, x] : receivers_)
    forget_backlog(*x, [](const delivery&) { return true; });
  packs_.forget_handles();
  to_return_.clear();
  for (auto& [queue, way] : ways_back_)
    static_cast<void>(way->give_up_all());
  for (auto index : packs_.take_idle())
    receiver(index).finished();
}

client_sender& client::way_back(client_receiver& x) {
  auto& result = ways_back_[x.queue()];
  if (result == nullptr) {
    const auto index = add_sender(
        bridge::address::queue(x.queue()),
        std::make_shared<outgoing_queue>(bridge::send_queue_limits{}));
    result = senders_[index].get();
    result->returns = true;
  }
  return *result;
}

} // namespace rookery::amqp
