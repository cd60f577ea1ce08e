#include "testing/wire.hpp"

#include "testing/frames.hpp"

#include <algorithm>
#include <utility>

namespace rookery::testing {

void wire::join(side which, std::weak_ptr<host> who,
                amqp::engine_options options, amqp::engine_handler& handler) {
  options.frame_bytes_max = terms_.frame_bytes_max;
  ends_[which].who = std::move(who);
  ends_[which].engine = std::make_unique<amqp::engine>(
      which == client ? amqp::engine::side::client : amqp::engine::side::server,
      std::move(options), handler);
}

void wire::start() {
  tick(client);
  tick(server);
}

void wire::tick(side which) {
  auto& x = ends_[which];
  if (x.left || x.closed)
    return;
  x.engine->tick(outside_.now());
  pump(which);
}

void wire::pump(side which) {
  auto& x = ends_[which];
  if (x.left || x.pumping || !x.engine)
    return;
  auto self = shared_from_this(); // a handler may let go of it
  x.pumping = true;
  x.engine->dispatch();
  while (!x.left && !x.writing) {
    auto out = x.engine->write_buffer();
    if (out.empty())
      break;
    x.writing = under_way(other(which)) >= terms_.under_way_max;
    if (x.writing)
      break;
    std::string_view bytes{out.data(), out.size()};
    if (which == server && lapses_ > 0)
      send_with_lapses(bytes);
    else
      send(which, bytes);
    x.engine->write_done(out.size());
    x.engine->dispatch();
  }
  if (!x.left && (x.engine->broken() || x.engine->finished())
      && !std::exchange(x.closed, true)) {
    // As a socket does: what it had to say was sent, now it is closed.
    x.engine->read_closed();
    x.engine->write_closed();
    x.engine->dispatch();
    close_after(other(which));
  }
  x.pumping = false;
}

std::size_t wire::under_way(side to) const {
  auto result = ends_[to].unread.size();
  for (const auto& chunk : ends_[to].coming)
    result += chunk.size();
  return result;
}

void wire::go_on(side which) {
  auto& x = ends_[which];
  if (!x.writing || under_way(other(which)) >= terms_.under_way_max)
    return;
  auto who = x.who.lock();
  if (!who)
    return;
  who->execute([weak = weak_from_this(), which] {
    auto self = weak.lock();
    if (!self || !std::exchange(self->ends_[which].writing, false))
      return;
    self->pump(which);
    self->read(which);
  });
}

void wire::forget_outcomes(lapse how, std::size_t count,
                           std::function<void()> done) {
  lapse_ = how;
  lapses_ = count;
  on_lapse_ = std::move(done);
}

// An engine is always asked for all it has to write: whole frames.
void wire::send_with_lapses(std::string_view bytes) {
  while (!bytes.empty()) {
    auto frame = bytes.substr(0, first_frame_bytes(bytes));
    bytes.remove_prefix(frame.size());
    auto bare = lapses_ > 0 ? without_outcome(frame) : std::nullopt;
    if (!bare) {
      send(server, frame);
      continue;
    }
    --lapses_;
    if (lapse_ == lapse::no_outcome)
      send(server, *bare);
    on_lapse_();
  }
}

void wire::send(side from, std::string_view bytes) {
  const auto to = other(from);
  auto& x = ends_[to];
  if (x.left || x.closed || x.closing)
    return; // into a closed socket
  while (!bytes.empty()) {
    auto n = std::min<std::size_t>(
        bytes.size(), 1 + outside_.draw(terms_.slice_max)); // slices, in order
    if (terms_.slice_max >= 64 * 1024)
      n = bytes.size();
    x.coming.emplace_back(bytes.substr(0, n));
    bytes.remove_prefix(n);
    auto when =
        std::max(outside_.now()
                     + outside_.between(terms_.latency_min, terms_.latency_max),
                 x.last_arrival);
    x.last_arrival = when;
    outside_.after(when - outside_.now(), weak_from_this(),
                   [to](wire& self) { self.arrive(to); });
  }
}

void wire::arrive(side at) {
  auto& x = ends_[at];
  ++x.arrived;
  if (x.silent || x.left)
    return;
  auto who = x.who.lock();
  if (!who)
    return;
  who->execute([weak = weak_from_this(), at] {
    if (auto self = weak.lock())
      self->read(at);
  });
}

void wire::read(side at) {
  auto& x = ends_[at];
  while (!x.left && !x.closed && !x.silent
         && ((x.arrived > 0 && !x.coming.empty()) || !x.unread.empty())) {
    if (x.unread.empty()) {
      x.unread = std::move(x.coming.front());
      x.coming.pop_front();
      --x.arrived;
    }
    auto room = x.engine->read_buffer();
    if (room.empty()) {
      if (x.writing) // it takes nothing until the other end does
        break;
      x.unread.clear(); // it takes no more: as if the socket were closed
      continue;
    }
    auto n = std::min(room.size(), x.unread.size());
    std::copy_n(x.unread.data(), n, room.data());
    x.engine->read_done(n);
    x.unread.erase(0, n);
    x.engine->tick(outside_.now());
    pump(at);
  }
  go_on(other(at));
  if (!x.left && !x.closed && x.ended && x.coming.empty()) {
    x.closed = true;
    x.engine->read_closed();
    x.engine->write_closed();
    pump(at);
  }
}

void wire::close_after(side at) {
  auto& x = ends_[at];
  if (x.left || x.closed || std::exchange(x.closing, true))
    return;
  auto when = std::max(outside_.now() + terms_.latency_min, x.last_arrival);
  x.last_arrival = when;
  outside_.after(when - outside_.now(), weak_from_this(), [at](wire& self) {
    auto& there = self.ends_[at];
    auto who = there.who.lock();
    if (!who || there.silent) {
      there.ended = true;
      return;
    }
    // One that sleeps does not learn of it with the first bytes that it reads.
    who->execute([weak = self.weak_from_this(), at] {
      if (auto alive = weak.lock()) {
        alive->ends_[at].ended = true;
        alive->read(at);
      }
    });
  });
}

void wire::leave(side which) {
  auto& x = ends_[which];
  if (std::exchange(x.left, true))
    return;
  torn_ = torn_ || !closed();
  x.closed = true;
  close_after(other(which));
}

void wire::cut() {
  torn_ = torn_ || !closed();
  for (auto at : {client, server}) {
    auto& x = ends_[at];
    std::size_t total = 0;
    for (auto& chunk : x.coming)
      total += chunk.size();
    auto rest = total == 0 ? 0 : outside_.draw(total + 1);
    for (auto& chunk : x.coming) {
      auto n = std::min<std::size_t>(rest, chunk.size());
      chunk.resize(n);
      rest -= n;
    }
    close_after(at);
  }
}

void wire::restore() {
  for (auto at : {client, server})
    if (std::exchange(ends_[at].silent, false))
      outside_.after(terms_.latency_min, weak_from_this(), [at](wire& self) {
        if (auto who = self.ends_[at].who.lock())
          who->execute([weak = self.weak_from_this(), at] {
            if (auto alive = weak.lock())
              alive->read(at);
          });
      });
}

void wire::heal() {
  lapses_ = 0;
  restore();
}

std::size_t wire::bytes_under_way() const {
  std::size_t result = 0;
  for (auto& x : ends_)
    for (auto& chunk : x.coming)
      result += chunk.size();
  return result;
}

std::size_t wire::bytes_held_back() const {
  std::size_t result = 0;
  for (auto& x : ends_)
    if (x.silent)
      for (std::size_t i = 0; i < x.arrived && i < x.coming.size(); ++i)
        result += x.coming[i].size();
  return result;
}

} // namespace rookery::testing
