#include "bridge/amqp/link.hpp"

#include "bridge/amqp/proton_data.hpp"

#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/link.h>
#include <proton/object.h>
#include <proton/session.h>
#include <proton/terminus.h>

#include <array>

namespace rookery::amqp {

namespace {

PN_HANDLE(taking_along)

void put_address(pn_terminus_t* to, pn_terminus_type_t type,
                 const std::optional<std::string>& address) {
  pn_terminus_set_type(to, type);
  if (address)
    pn_terminus_set_address(to, address->c_str());
}

std::optional<std::string> get_address(pn_terminus_t* from) {
  const char* address = pn_terminus_get_address(from);
  if (pn_terminus_get_type(from) == PN_UNSPECIFIED || address == nullptr)
    return std::nullopt;
  return std::string{address};
}

void put_link_properties(pn_data_t* data, const link_terms& terms) {
  if (!terms.paired && !terms.priority)
    return;
  pn_data_put_map(data);
  pn_data_enter(data);
  if (terms.paired) {
    pn_data_put_symbol(data, to_pn("paired"));
    pn_data_put_bool(data, true);
  }
  if (terms.priority) {
    pn_data_put_symbol(data, to_pn("rabbitmq:priority"));
    pn_data_put_int(data, *terms.priority);
  }
  pn_data_exit(data);
}

} // namespace

void session::open() { pn_session_open(self_); }

void session::close(const condition& why) {
  put_condition(pn_session_condition(self_), why);
  pn_session_close(self_);
}

void session::set_context(void* context) {
  pn_session_set_context(self_, context);
}

// Proton's states do not tell: one whose peer detached without closing it is as
// one that the peer did nothing to.
void session::take_along() {
  auto* record = pn_session_attachments(self_);
  pn_record_def(record, taking_along, PN_VOID);
  pn_record_set(record, taking_along, self_);
}

bool session::takes_along() const {
  return pn_record_get(pn_session_attachments(self_), taking_along) != nullptr;
}

void* session::context() const { return pn_session_get_context(self_); }

void delivery::settle(const bridge::outcome& how) {
  using kind = bridge::outcome::kind_type;
  auto* local = pn_delivery_local(self_);
  switch (how.kind) {
  case kind::accepted:
    pn_delivery_update(self_, PN_ACCEPTED);
    break;
  case kind::released:
    pn_delivery_update(self_, PN_RELEASED);
    break;
  case kind::rejected:
    put_condition(pn_disposition_condition(local),
                  {how.condition, how.description});
    pn_delivery_update(self_, PN_REJECTED);
    break;
  case kind::modified:
    pn_disposition_set_failed(local, how.failed);
    pn_disposition_set_undeliverable(local, how.undeliverable_here);
    if (how.annotations)
      put_encoded(pn_disposition_annotations(local), *how.annotations);
    pn_delivery_update(self_, PN_MODIFIED);
    break;
  case kind::none:
    break;
  }
  pn_delivery_settle(self_);
  self_ = nullptr;
}

bool delivery::settled_by_sender() const { return pn_delivery_settled(self_); }

void link::open(const link_terms& terms) {
  put_address(pn_link_source(self_), PN_SOURCE, terms.source);
  put_address(pn_link_target(self_), PN_TARGET, terms.target);
  if (terms.dynamic) {
    auto* mine = is_sender() ? pn_link_target(self_) : pn_link_source(self_);
    pn_terminus_set_dynamic(mine, true);
  }
  pn_link_set_snd_settle_mode(self_, terms.presettled ? PN_SND_SETTLED
                                     : terms.mixed    ? PN_SND_MIXED
                                                      : PN_SND_UNSETTLED);
  pn_link_set_rcv_settle_mode(self_, PN_RCV_FIRST);
  if (terms.message_bytes_max > 0)
    pn_link_set_max_message_size(self_, terms.message_bytes_max);
  put_link_properties(pn_link_properties(self_), terms);
  pn_link_open(self_);
}

void link::refuse(const condition& why) {
  pn_terminus_set_type(pn_link_source(self_), PN_UNSPECIFIED);
  pn_terminus_set_type(pn_link_target(self_), PN_UNSPECIFIED);
  pn_link_open(self_);
  close(why);
}

void link::close(const condition& why) {
  put_condition(pn_link_condition(self_), why);
  pn_link_close(self_);
}

void link::add_credit(std::uint32_t n) {
  pn_link_flow(self_, static_cast<int>(n));
}

void link::drain(std::uint32_t n) { pn_link_drain(self_, static_cast<int>(n)); }

std::uint32_t link::credit() const {
  auto n = pn_link_credit(self_);
  return n > 0 ? static_cast<std::uint32_t>(n) : 0;
}

bool link::draining() const { return pn_link_get_drain(self_); }

std::uint32_t link::queued() const {
  auto n = pn_link_queued(self_);
  return n > 0 ? static_cast<std::uint32_t>(n) : 0;
}

void link::drained() { pn_link_drained(self_); }

void link::send(std::uint64_t number, std::string_view head,
                std::string_view rest, bool presettled) {
  std::array<char, 8> tag;
  for (std::size_t i = 0; i < tag.size(); ++i)
    tag[i] = static_cast<char>(number >> (56 - 8 * i));
  auto* out = pn_delivery(self_, pn_dtag(tag.data(), tag.size()));
  // The context carries the number, so that no table is needed to find it.
  pn_delivery_set_context(out, reinterpret_cast<void*>(number));
  if (!head.empty())
    pn_link_send(self_, head.data(), head.size());
  if (!rest.empty())
    pn_link_send(self_, rest.data(), rest.size());
  pn_link_advance(self_);
  if (presettled)
    pn_delivery_settle(out);
}

link_terms link::remote_terms() const {
  auto* source = pn_link_remote_source(self_);
  auto* target = pn_link_remote_target(self_);
  auto* properties = pn_link_remote_properties(self_);
  link_terms result;
  result.source = get_address(source);
  result.target = get_address(target);
  result.dynamic =
      pn_terminus_is_dynamic(source) || pn_terminus_is_dynamic(target);
  result.coordinator = pn_terminus_get_type(target) == PN_COORDINATOR;
  result.settles_second =
      pn_link_remote_rcv_settle_mode(self_) == PN_RCV_SECOND;
  auto mode = pn_link_remote_snd_settle_mode(self_);
  result.presettled = mode == PN_SND_SETTLED;
  result.mixed = mode == PN_SND_MIXED;
  result.paired = get_flag(properties, "paired");
  if (auto priority = get_integer(properties, "rabbitmq:priority"))
    result.priority = static_cast<std::int32_t>(*priority);
  result.message_bytes_max = pn_link_remote_max_message_size(self_);
  return result;
}

std::string_view link::name() const { return pn_link_name(self_); }

bool link::is_sender() const { return pn_link_is_sender(self_); }

session link::session() const { return amqp::session{pn_link_session(self_)}; }

bool link::went_with_session() const { return session().takes_along(); }

void link::set_context(void* context) { pn_link_set_context(self_, context); }

void* link::context() const { return pn_link_get_context(self_); }

} // namespace rookery::amqp
