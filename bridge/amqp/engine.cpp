#include "bridge/amqp/engine.hpp"

#include "bridge/amqp/frame_guard.hpp"
#include "bridge/amqp/inbox.hpp"
#include "bridge/amqp/open_sessions.hpp"
#include "bridge/amqp/opening.hpp"
#include "bridge/amqp/proton_data.hpp"
#include "bridge/amqp/unwritten.hpp"
#include "bridge/core/thrown.hpp"

#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/transport.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace rookery::amqp {

namespace {

using namespace std::chrono_literals;

// Proton sends twice as often as the peer asks for, and of 1 ms always.
constexpr std::chrono::milliseconds idle_timeout_min{100};

constexpr std::size_t links_gone_max = 1'024; // Proton looks through them all

constexpr auto no_outcome = bridge::outcome::kind_type::none;

} // namespace

struct engine::impl {
  impl(side role_arg, engine_options options_arg, engine_handler& handler_arg)
      : role{role_arg},
        options{std::move(options_arg)},
        handler{handler_arg},
        guard{{.server = role_arg == side::server,
               .frame_bytes_max = options.frame_bytes_max,
               .message_bytes_max = options.message_bytes_max,
               .sessions_max = options.sessions_max,
               .deliveries_ever = [this] { return frames(driver.transport); },
               .deliveries_unsettled =
                   [this] { return unsettled(driver.connection); }}} {
    if (pn_connection_driver_init(&driver, nullptr, nullptr) != 0)
      throw std::bad_alloc{};
    put_opening(driver, role, options);
    pn_connection_driver_bind(&driver);
  }
  ~impl() { pn_connection_driver_destroy(&driver); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  void handle(pn_event_t* event);
  void handle_delivery(pn_delivery_t* x);
  void receive(pn_link_t* from, pn_delivery_t* x);
  void end_link(pn_link_t* x, const condition& why);
  void end_session(pn_session_t* x);
  // Tells the peer, and lets the IO give that one try.
  void fail(const condition& why) {
    if (broken)
      return; // what was first is why
    if (reason.empty())
      reason = why;
    put_condition(pn_connection_condition(driver.connection), why);
    pn_connection_close(driver.connection);
    broken = true;
  }
  // Proton must see no exception, whatever a handler throws.
  template <class F>
  void guarded(F&& f) {
    try {
      f();
    } catch (...) {
      fail({"amqp:internal-error", bridge::thrown()});
    }
  }
  bool handle_events();
  // Whether both sides allow one session more than there are. Else Proton would
  // fall silent for good, and tell nobody.
  [[nodiscard]] bool room_for_session() const {
    return sessions.size() <= pn_transport_get_channel_max(driver.transport);
  }
  // Our CLOSE is said: nothing new begins behind it.
  [[nodiscard]] bool closing() const {
    return (pn_connection_state(driver.connection) & PN_LOCAL_CLOSED) != 0;
  }
  // The peer has not taken all of what there was the last time.
  [[nodiscard]] bool writing() const { return offered > 0; }
  void asks_what_to_write() {
    sessions.write();
    links_gone = 0;
  }

  side role;
  engine_options options;
  engine_handler& handler;
  frame_guard guard;     // sees what comes before Proton does
  const char* room = {}; // where read_buffer told to put it
  pn_connection_driver_t driver{};
  open_sessions sessions;
  inbox incoming;
  condition reason;           // why the connection ends; empty until it does
  bool opened = false;        // the peer's OPEN came
  bool closed = false;        // on_closed was called
  bool broken = false;        // the transport reported an error
  bool received = false;      // read_done was called since the last dispatch
  std::size_t written = 0;    // by write_done since the last dispatch
  std::size_t offered = 0;    // of what there is to write
  std::uint64_t unread = 0;   // bytes that came since some of it was
  std::size_t links_gone = 0; // since Proton was asked what to write
};

void engine::impl::end_link(pn_link_t* x, const condition& why) {
  handler.on_link_closed(link{x}, why);
  incoming.forget(x);
  // RabbitMQ ends the session of who says that it settled what it sent.
  close_and_forget(x, role == side::client && pn_link_is_sender(x));
}

void engine::impl::end_session(pn_session_t* x) {
  const auto why = get_condition(pn_session_remote_condition(x));
  session{x}.take_along();
  for (auto* i = pn_link_head(driver.connection, 0); i != nullptr;) {
    auto* current = std::exchange(i, pn_link_next(i, 0));
    if (pn_link_session(current) == x && !is_left(current))
      end_link(current, why);
  }
  handler.on_session_closed(session{x}, why);
  pn_session_close(x);
  pn_session_free(x);
}

void engine::impl::receive(pn_link_t* from, pn_delivery_t* x) {
  if (auto* message = incoming.take(from, x)) {
    handler.on_message(link{from}, delivery{x}, *message);
    incoming.done();
  }
}

void engine::impl::handle_delivery(pn_delivery_t* x) {
  auto* from = pn_delivery_link(x);
  if (from == nullptr)
    return;
  if (pn_link_is_receiver(from)) {
    if ((pn_link_state(from) & PN_LOCAL_CLOSED) != 0 || closing()) {
      // We detached, or closed. To forget at once what is under way keeps a
      // peer from filling our memory; but behind our CLOSE Proton does not.
      if (closing() && pn_link_remote_credit(from) < 0)
        return fail({"amqp:link:transfer-limit-exceeded", "behind our CLOSE"});
      incoming.forget(from);
      if (closing() && role == side::server)
        return; // it is sent again: nothing was wrong with its queue
      // Said, for the DETACH may not be written yet: to a broker as not failed,
      // which keeps its place in the queue; to a publisher as unroutable.
      if (!pn_delivery_settled(x))
        pn_delivery_update(x, role == side::client ? PN_MODIFIED : PN_RELEASED);
      return pn_delivery_settle(x);
    }
    if (pn_delivery_readable(x))
      return receive(from, x);
    // RabbitMQ does not settle what was held for too long, and gives the link
    // nothing more until we do.
    if (pn_delivery_updated(x)
        && (pn_delivery_settled(x) || get_outcome(x).kind != no_outcome)) {
      handler.on_withdrawn(link{from}, delivery{x});
      if (!pn_delivery_settled(x))
        pn_delivery_update(x, PN_RELEASED);
      pn_delivery_settle(x);
    }
    return;
  }
  auto number = reinterpret_cast<std::uint64_t>(pn_delivery_get_context(x));
  if (number == 0)
    return fail({"amqp:not-allowed", "a transfer on a link that receives"});
  if (!pn_delivery_updated(x))
    return;
  auto settled = pn_delivery_settled(x);
  pn_delivery_clear(x);
  auto how = get_outcome(x);
  if (!settled && how.kind == no_outcome)
    return;
  guard.delivery_known();
  pn_delivery_settle(x);
  if (is_left(from))
    return forget_if_settled(from);
  handler.on_outcome(link{from}, number, how);
}

void engine::impl::handle(pn_event_t* event) {
  const auto type = pn_event_type(event);
  if (broken && type != PN_TRANSPORT_ERROR)
    return; // it only remains to be closed
  switch (type) {
  case PN_CONNECTION_REMOTE_OPEN: {
    if (closing())
      return; // it would be open again
    const auto they = get_opening(driver);
    pn_connection_open(driver.connection);
    if (they.idle_timeout > 0ms && they.idle_timeout < idle_timeout_min)
      return fail({"amqp:not-allowed",
                   "an idle-time-out of less than "
                       + std::to_string(idle_timeout_min.count()) + " ms"});
    opened = true;
    return handler.on_open(they);
  }
  case PN_CONNECTION_REMOTE_CLOSE:
    if (reason.empty())
      reason = get_condition(pn_connection_remote_condition(driver.connection));
    pn_connection_close(driver.connection);
    return;
  case PN_SESSION_REMOTE_OPEN:
    if ((pn_session_state(pn_event_session(event)) & PN_LOCAL_UNINIT) == 0
        || closing())
      return;
    if (!room_for_session())
      return fail({"amqp:resource-limit-exceeded",
                   "a session more than there may be, with those whose end "
                   "has not been answered"});
    sessions.begin(pn_event_session(event));
    return handler.on_session_open(session{pn_event_session(event)});
  case PN_SESSION_FINAL:
    return sessions.end(pn_event_session(event));
  case PN_SESSION_REMOTE_CLOSE:
    return end_session(pn_event_session(event));
  case PN_LINK_REMOTE_OPEN: {
    if (closing())
      return;
    auto* x = pn_event_link(event);
    return handler.on_link_open(link{x},
                                (pn_link_state(x) & PN_LOCAL_UNINIT) == 0);
  }
  case PN_LINK_REMOTE_DETACH:
  case PN_LINK_REMOTE_CLOSE: {
    auto* x = pn_event_link(event);
    const auto any = leaves_any(x);
    ++links_gone;
    end_link(x, get_condition(pn_link_remote_condition(x)));
    if (any && leaves_too_much(driver.connection, options.message_bytes_max))
      fail({"amqp:resource-limit-exceeded",
            "too much that links which are gone have not taken"});
    return;
  }
  case PN_LINK_FLOW:
    if (auto* x = pn_event_link(event);
        pn_link_is_sender(x) && (pn_link_state(x) & PN_LOCAL_ACTIVE) != 0)
      handler.on_credit(link{x});
    return;
  case PN_DELIVERY:
    return handle_delivery(pn_event_delivery(event));
  case PN_TRANSPORT_ERROR:
    broken = true;
    if (reason.empty())
      reason = get_fault(driver.transport);
    return;
  default:
    return;
  }
}

bool engine::impl::handle_events() {
  bool any = false;
  while (auto* event = pn_connection_driver_next_event(&driver)) {
    guarded([&] { handle(event); });
    any = true;
  }
  // Only now: what stood in front of the fault counts.
  if (guard.refused() && !broken)
    fail(guard.reason());
  return any;
}

engine::engine(side role, engine_options options, engine_handler& handler)
    : impl_{std::make_unique<impl>(role, std::move(options), handler)} {}

engine::~engine() = default;

std::span<char> engine::read_buffer() {
  if (impl_->unread >= impl_->options.unread_bytes_max
      || impl_->links_gone >= links_gone_max)
    return {};
  auto x = pn_connection_driver_read_buffer(&impl_->driver);
  impl_->room = x.start;
  return {x.start, x.size};
}

void engine::read_done(std::size_t n) {
  n = impl_->guard.pass({impl_->room, n});
  pn_connection_driver_read_done(&impl_->driver, n);
  impl_->received = true;
  if (impl_->writing())
    impl_->unread += n;
}

void engine::read_closed() { pn_connection_driver_read_close(&impl_->driver); }

std::span<const char> engine::write_buffer() {
  impl_->asks_what_to_write();
  auto x = pn_connection_driver_write_buffer(&impl_->driver);
  impl_->offered = x.size;
  return {x.start, x.size};
}

void engine::write_done(std::size_t n) {
  impl_->written += n;
  if (n == impl_->offered) // else it only moves up what is left
    impl_->asks_what_to_write();
  impl_->offered = pn_connection_driver_write_done(&impl_->driver, n).size;
  // A peer that reads a little is taken as little from.
  impl_->unread -= impl_->writing() ? std::min<std::uint64_t>(impl_->unread, n)
                                    : impl_->unread;
}

void engine::write_closed() {
  pn_connection_driver_write_close(&impl_->driver);
}

bool engine::dispatch() {
  auto& self = *impl_;
  if (std::exchange(self.received, false))
    self.guarded([&] { self.handler.on_received(); });
  if (auto count = std::exchange(self.written, 0); count > 0)
    self.guarded([&] { self.handler.on_written(count, !self.writing()); });
  if (self.handle_events() && !finished() && !self.broken) {
    self.guarded([&] { self.handler.on_dispatched(); });
    self.handle_events(); // what that made: local events only
  }
  if (!finished())
    return true;
  if (!self.closed) {
    self.closed = true;
    self.guarded([&] { self.handler.on_closed(self.reason); });
  }
  return false;
}

std::optional<engine::clock::time_point> engine::tick(clock::time_point now) {
  using std::chrono::milliseconds;
  auto since = std::chrono::duration_cast<milliseconds>(now.time_since_epoch());
  auto next = pn_transport_tick(impl_->driver.transport, since.count());
  if (next <= 0)
    return std::nullopt;
  return clock::time_point{milliseconds{next}};
}

void engine::close(const condition& why) {
  if (impl_->reason.empty())
    impl_->reason = why;
  put_condition(pn_connection_condition(impl_->driver.connection), why);
  pn_connection_close(impl_->driver.connection);
}

void engine::abort(const condition& why) { impl_->fail(why); }

session engine::open_session() {
  if (!impl_->room_for_session()) {
    const std::string why = "the peer allows no more sessions";
    impl_->fail({"amqp:resource-limit-exceeded", why});
    throw std::runtime_error{why};
  }
  session result{pn_session(impl_->driver.connection)};
  if (!result)
    throw std::bad_alloc{};
  impl_->sessions.begin(result.get());
  result.open();
  impl_->guard.session_begun();
  return result;
}

link engine::make_sender(session s, const std::string& name) {
  return link{pn_sender(s.get(), name.c_str())};
}

link engine::make_receiver(session s, const std::string& name) {
  return link{pn_receiver(s.get(), name.c_str())};
}

bool engine::writing() const { return impl_->writing(); }

std::size_t engine::unwritten_bytes() const {
  return amqp::unwritten_bytes(impl_->driver.connection);
}

bool engine::finished() const {
  return pn_connection_driver_finished(&impl_->driver);
}

bool engine::broken() const { return impl_->broken; }

bool engine::opened() const {
  constexpr auto both = PN_LOCAL_ACTIVE | PN_REMOTE_ACTIVE;
  return pn_connection_state(impl_->driver.connection) == both;
}

} // namespace rookery::amqp
