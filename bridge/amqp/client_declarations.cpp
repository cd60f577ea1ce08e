// What a node wants the broker to have: asked for at each connection, before
// anything is attached.
#include "bridge/amqp/client.hpp"
#include "bridge/assert.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

// Between attempts to declare what the broker refuses.
constexpr std::chrono::seconds refused_time{5};

bool good(int status) { return status >= 200 && status < 300; }

bool is_queue(const bridge::declaration& x, const std::string& name) {
  const auto* queue = std::get_if<bridge::queue_declaration>(&x);
  return queue != nullptr && queue->name == name;
}

} // namespace

void client::declare(bridge::declaration what) {
  const auto known = find_declared(what);
  if (known == declarations_.end()) {
    declarations_[declarations_made_++].what = std::move(what);
  } else {
    auto& x = known->second;
    ++x.users;
    if (x.state != progress::asked) {
      confirmed_ -= x.state == progress::confirmed ? 1 : 0;
      x.state = progress::missing; // again: it may be gone since, or allowed
    }
  }
  refusal_told_ = false;
  up_ = false;
  declare_missing();
}

void client::undeclare(const bridge::declaration& what) {
  const auto known = find_declared(what);
  ROOKERY_ASSERT(known != declarations_.end());
  if (--known->second.users > 0)
    return;
  confirmed_ -= known->second.state == progress::confirmed ? 1 : 0;
  declarations_.erase(known);
  const auto is_refused = [](const auto& x) {
    return x.second.state == progress::refused;
  };
  if (std::none_of(declarations_.begin(), declarations_.end(), is_refused))
    refused_ = refusal_told_ = false; // the next begins anew
  if (ready())
    attach_receivers(); // perhaps all waited for this one
}

client::wanted_map::iterator
client::find_declared(const bridge::declaration& what) {
  return std::find_if(declarations_.begin(), declarations_.end(),
                      [&](const auto& x) { return x.second.what == what; });
}

bool client::ready() const {
  return management_ && !aborted_ && confirmed_ == declarations_.size();
}

// All at once, in order: a broker answers one after the other, and each wait
// for an answer would be a round trip.
void client::declare_missing() {
  if (!management_ || aborted_)
    return;
  for (auto& [number, x] : declarations_) {
    if (x.state != progress::missing)
      continue;
    x.state = progress::asked;
    management_->declare(x.what,
                         [this, of = number](int status, std::string reason) {
                           on_declared(of, status, reason);
                         });
  }
  if (ready())
    attach_receivers();
}

void client::on_declared(std::uint64_t number, int status,
                         const std::string& reason) {
  const auto found = declarations_.find(number);
  if (found == declarations_.end())
    return; // nobody wants it any more
  auto& x = found->second;
  if (good(status)) {
    x.state = progress::confirmed;
    x.known = true;
    ++confirmed_;
    if (ready())
      attach_receivers();
    return;
  }
  x.state = progress::refused;
  auto text = "status " + std::to_string(status)
              + (reason.empty() ? "" : ": " + reason);
  // The broker has not noticed yet that the earlier connection is gone.
  const auto earlier =
      (x.known || options_.now() < x.doubtful_until) && !came_up_;
  if (is_queue(x.what, options_.own_queue) && earlier)
    return abort({"amqp:resource-locked", to_string(x.what) + ": " + text});
  if (!std::exchange(refused_, true))
    declare_again_at_ = options_.now() + refused_time;
  if (std::exchange(refusal_told_, true))
    return; // what follows from it, most likely
  owner_.on_refused(to_string(x.what), text);
}

void client::declare_refused(clock::time_point now) {
  if (!refused_ || now < declare_again_at_)
    return;
  refused_ = refusal_told_ = false;
  for (auto& [number, x] : declarations_)
    if (x.state == progress::refused)
      x.state = progress::missing;
  declare_missing();
}

bool client::declared_here(const bridge::address& what) const {
  using kind = bridge::address::kind_type;
  return std::any_of(
      declarations_.begin(), declarations_.end(), [&](const auto& each) {
        const auto& x = each.second.what;
        if (what.kind() == kind::queue) {
          const auto* queue = std::get_if<bridge::queue_declaration>(&x);
          return queue != nullptr && queue->name == what.name();
        }
        const auto* exchange = std::get_if<bridge::exchange_declaration>(&x);
        return exchange != nullptr && exchange->name == what.name();
      });
}

} // namespace rookery::amqp
