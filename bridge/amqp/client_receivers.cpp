// How a client comes to consume queues, some of which may be missing or not for
// it: then the broker ends the session of the link.
#include "bridge/amqp/client.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

// Between attempts to consume a queue that is refused.
constexpr std::chrono::seconds refused_time{5};

// Beyond so many a suspect gets none of its own: brokers allow perhaps 64.
constexpr std::size_t sessions_enough = 16;

} // namespace

void client::attach_receivers() {
  for (auto& [index, x] : receivers_)
    if (x->wants_link() && !x->suspect)
      attach(*x, session_for_link());
  attach_suspect();
  check_up();
}

void client::attach_known() {
  const auto is_known = [this](const std::string& queue) {
    return std::all_of(
        declarations_.begin(), declarations_.end(), [&](const auto& each) {
          const auto& x = each.second;
          const auto* what = std::get_if<bridge::queue_declaration>(&x.what);
          return what == nullptr || what->name != queue
                 || (x.known && what->replicated && !what->auto_delete);
        });
  };
  for (auto& [index, x] : receivers_)
    if (x->wants_link() && !x->suspect && is_known(x->queue())) {
      guessed_ = true;
      attach(*x, session_for_link());
    }
}

void client::attach(client_receiver& x, session in) {
  x.attaching(options_.now() + options_.sending.outcome_timeout);
  auto name = options_.name + ".in." + std::to_string(x.index());
  auto l = engine_->make_receiver(in, name);
  l.set_context(&x);
  link_terms terms;
  terms.source = options_.profile->encode(bridge::address::queue(x.queue()));
  terms.target = name;
  terms.priority = x.priority();
  l.open(terms);
}

// One at a time. Its link is no mere look: to detach again may delete a queue.
void client::attach_suspect() {
  const auto now = options_.now();
  client_receiver* next = nullptr;
  for (auto& [index, x] : receivers_) {
    if (x->suspect && x->is_attaching())
      return;
    if (!next && x->suspect && x->wants_link() && x->retry_at <= now)
      next = x.get();
  }
  if (!next)
    return;
  // One that was refused would take the session of all others with it.
  if (!next->refused() && sessions_.size() >= sessions_enough)
    return attach(*next, session_for_link());
  auto own = engine_->open_session();
  own.set_context(next);
  attach(*next, own);
}

void client::receiver_up(client_receiver& x, link l) {
  if (auto own = l.session(); own.context() != nullptr) {
    own.set_context(nullptr); // from now on it is one like any other
    sessions_.push_back({own, 1});
  }
  x.suspect = false;
  x.told.clear();
  x.link_up(l);
  attach_suspect();
  check_up();
}

void client::receiver_refused(client_receiver& x, link l,
                              const condition& why) {
  const auto apart = l.session().context() != nullptr;
  x.suspect = true;
  if (l.went_with_session() && !apart)
    return; // perhaps for another; its end says why, and is next
  if (!l.went_with_session() && apart)
    l.session().close({});
  x.retry_at = options_.now() + refused_time;
  const auto& said =
      why.empty() ? condition{"amqp:link:detach-forced", "by the broker"} : why;
  if (auto text = said.text(); !x.closed() && x.told != text) {
    x.told = std::move(text);
    owner_.on_queue_refused(x.queue(), said);
  }
  if (!ready())
    return;
  attach_suspect();
  check_up();
}

} // namespace rookery::amqp
