#include "broker/core/consumer_group.hpp"

#include <algorithm>
#include <utility>

namespace rookery::broker {

void consumer_group::attach(consumer_ptr joined) {
  ++connections_[joined->options_.connection];
  all_.push_back(std::move(joined));
  elect();
}

void consumer_group::detach(consumer& left) {
  const auto place =
      std::find_if(all_.begin(), all_.end(),
                   [&](const auto& each) { return each.get() == &left; });
  const auto gone = std::move(*place); // keeps it alive to the end
  all_.erase(place);
  const auto own = connections_.find(left.options_.connection);
  if (--own->second == 0)
    connections_.erase(own);
  set_credit(left, 0);
  service_.trim(left.options_.priority);
  if (active_ == &left) {
    active_ = nullptr;
    elected_ = false;
  }
  elect();
}

void consumer_group::set_credit(consumer& whose, std::uint32_t credit) {
  whose.credit_ = credit;
  refresh(whose);
}

void consumer_group::set_paused(consumer& whose, bool paused) {
  whose.paused_ = paused;
  refresh(whose);
}

void consumer_group::served(consumer& whose) {
  --whose.credit_;
  --whose.usable_;
  --credit_;
  if (whose.usable_ == 0)
    service_list::unlink(whose);
  else
    service_list::rotate(whose);
}

void consumer_group::relieved(consumer& whose) {
  if (quiescing_ && &whose == active_ && whose.unsettled_.empty())
    elect();
}

consumer* consumer_group::next() const {
  return static_cast<consumer*>(service_.front());
}

void consumer_group::elect() {
  if (!single_active_)
    return;
  consumer* best = nullptr; // the first to attach wins a tie
  for (const auto& each : all_)
    if (each.get() != active_
        && (best == nullptr
            || std::pair{each->options_.priority, each->credit_}
                   > std::pair{best->options_.priority, best->credit_}))
      best = each.get();
  const auto before = active_;
  const auto overtaken =
      active_ != nullptr && best != nullptr
      && best->options_.priority > active_->options_.priority;
  quiescing_ = overtaken && !active_->unsettled_.empty();
  if (active_ == nullptr || (overtaken && !quiescing_))
    active_ = best;
  if (active_ != before)
    elected_ = active_ != nullptr;
  if (before != nullptr)
    refresh(*before);
  if (active_ != nullptr)
    refresh(*active_);
}

void consumer_group::refresh(consumer& whose) {
  const auto served =
      !whose.paused_ && (!single_active_ || (&whose == active_ && !quiescing_));
  const auto usable = served ? whose.credit_ : 0;
  credit_ = credit_ - whose.usable_ + usable;
  whose.usable_ = usable;
  if (usable == 0)
    service_list::unlink(whose);
  else if (!whose.linked())
    service_.append(whose, whose.options_.priority);
}

} // namespace rookery::broker
