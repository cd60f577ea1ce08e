// What a node wants the broker to have: asked for at each connection, before
// anything is attached.
#include "bridge/amqp/client.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

// Between attempts to declare what the broker refuses.
constexpr std::chrono::seconds refused_time{5};

bool good(int status) { return status >= 200 && status < 300; }

bool is_exclusive(const bridge::declaration& x) {
  const auto* queue = std::get_if<bridge::queue_declaration>(&x);
  return queue != nullptr && queue->exclusive;
}

} // namespace

void client::declare(bridge::declaration what) {
  const auto known =
      std::find(declarations_.begin(), declarations_.end(), what);
  if (known == declarations_.end()) {
    declarations_.push_back(std::move(what));
    progress_.push_back(progress::missing);
  } else if (auto& x = progress_[known - declarations_.begin()];
             x != progress::asked) {
    confirmed_ -= x == progress::confirmed ? 1 : 0;
    x = progress::missing; // again: it may be gone since, or allowed
  }
  refusal_told_ = false;
  up_ = false;
  declare_missing();
}

bool client::ready() const {
  return management_ && !aborted_ && confirmed_ == declarations_.size();
}

// All at once, in order: a broker answers one after the other, and each wait
// for an answer would be a round trip.
void client::declare_missing() {
  if (!management_ || aborted_)
    return;
  for (std::size_t i = 0; i < declarations_.size(); ++i) {
    if (progress_[i] != progress::missing)
      continue;
    progress_[i] = progress::asked;
    management_->declare(declarations_[i],
                         [this, i](int status, std::string reason) {
                           on_declared(i, status, reason);
                         });
  }
  if (ready())
    attach_receivers();
}

void client::on_declared(std::size_t i, int status, const std::string& reason) {
  if (good(status)) {
    progress_[i] = progress::confirmed;
    ++confirmed_;
    if (ready())
      attach_receivers();
    return;
  }
  progress_[i] = progress::refused;
  auto text = "status " + std::to_string(status)
              + (reason.empty() ? "" : ": " + reason);
  const auto& asked = declarations_[i];
  // The broker may not have noticed yet that our last connection is gone.
  if (is_exclusive(asked))
    return abort({"amqp:resource-locked", to_string(asked) + ": " + text});
  if (!std::exchange(refused_, true))
    declare_again_at_ = options_.now() + refused_time;
  if (std::exchange(refusal_told_, true))
    return; // what follows from it, most likely
  owner_.on_refused(to_string(asked), text);
}

void client::declare_refused(clock::time_point now) {
  if (!refused_ || now < declare_again_at_)
    return;
  refused_ = refusal_told_ = false;
  std::replace(progress_.begin(), progress_.end(), progress::refused,
               progress::missing);
  declare_missing();
}

bool client::declared_here(const bridge::address& what) const {
  using kind = bridge::address::kind_type;
  return std::any_of(
      declarations_.begin(), declarations_.end(), [&](const auto& x) {
        if (what.kind() == kind::queue) {
          const auto* queue = std::get_if<bridge::queue_declaration>(&x);
          return queue != nullptr && queue->name == what.name();
        }
        const auto* exchange = std::get_if<bridge::exchange_declaration>(&x);
        return exchange != nullptr && exchange->name == what.name();
      });
}

} // namespace rookery::amqp
