#include "bridge/amqp/proton_data.hpp"

#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/transport.h>

#include <memory>
#include <utility>

namespace rookery::amqp {

namespace {

std::optional<std::string> string_here(pn_data_t* data) {
  switch (pn_data_type(data)) {
  case PN_SYMBOL:
    return from_pn(pn_data_get_symbol(data));
  case PN_STRING:
    return from_pn(pn_data_get_string(data));
  default:
    return std::nullopt;
  }
}

std::optional<std::int64_t> integer_here(pn_data_t* data) {
  switch (pn_data_type(data)) {
  case PN_UBYTE:
    return pn_data_get_ubyte(data);
  case PN_BYTE:
    return pn_data_get_byte(data);
  case PN_USHORT:
    return pn_data_get_ushort(data);
  case PN_SHORT:
    return pn_data_get_short(data);
  case PN_UINT:
    return pn_data_get_uint(data);
  case PN_INT:
    return pn_data_get_int(data);
  case PN_ULONG:
    return static_cast<std::int64_t>(pn_data_get_ulong(data));
  case PN_LONG:
    return pn_data_get_long(data);
  default:
    return std::nullopt;
  }
}

// Calls `f(key)` with `data` standing on each value of the map in `data`.
template <class F>
void for_each_entry(pn_data_t* data, F f) {
  if (data == nullptr)
    return;
  pn_data_rewind(data);
  if (!pn_data_next(data) || pn_data_type(data) != PN_MAP)
    return;
  pn_data_enter(data);
  while (pn_data_next(data)) {
    auto key = string_here(data);
    if (!pn_data_next(data))
      break;
    if (key)
      f(*key);
  }
  pn_data_exit(data);
}

} // namespace

void put_login(pn_connection_t* x, pn_sasl_t* how, const std::string& user,
               const std::string& password) {
  if (user.empty())
    return pn_sasl_allowed_mechs(how, "ANONYMOUS");
  pn_connection_set_user(x, user.c_str());
  pn_connection_set_password(x, password.c_str());
  pn_sasl_set_allow_insecure_mechs(how, true);
  pn_sasl_allowed_mechs(how, "PLAIN");
}

void put_properties(
    pn_data_t* data,
    const std::vector<std::pair<std::string, std::string>>& entries) {
  if (entries.empty())
    return;
  pn_data_put_map(data);
  pn_data_enter(data);
  for (const auto& [key, value] : entries) {
    pn_data_put_symbol(data, to_pn(key));
    pn_data_put_string(data, to_pn(value));
  }
  pn_data_exit(data);
}

std::vector<std::pair<std::string, std::string>>
get_properties(pn_data_t* data) {
  std::vector<std::pair<std::string, std::string>> result;
  for_each_entry(data, [&](const std::string& key) {
    if (auto value = string_here(data))
      result.emplace_back(key, *value);
  });
  return result;
}

void put_symbols(pn_data_t* data, const std::vector<std::string>& symbols) {
  if (symbols.empty())
    return;
  pn_data_put_array(data, false, PN_SYMBOL);
  pn_data_enter(data);
  for (const auto& symbol : symbols)
    pn_data_put_symbol(data, to_pn(symbol));
  pn_data_exit(data);
}

std::vector<std::string> get_symbols(pn_data_t* data) {
  std::vector<std::string> result;
  if (data == nullptr)
    return result;
  pn_data_rewind(data);
  if (!pn_data_next(data))
    return result;
  if (auto symbol = string_here(data)) {
    result.push_back(*symbol);
  } else if (pn_data_type(data) == PN_ARRAY || pn_data_type(data) == PN_LIST) {
    pn_data_enter(data);
    while (pn_data_next(data))
      if (auto element = string_here(data))
        result.push_back(*element);
    pn_data_exit(data);
  }
  return result;
}

std::optional<std::int64_t> get_integer(pn_data_t* data,
                                        std::string_view wanted) {
  std::optional<std::int64_t> result;
  for_each_entry(data, [&](const std::string& key) {
    if (key == wanted)
      result = integer_here(data);
  });
  return result;
}

bool get_flag(pn_data_t* data, std::string_view wanted) {
  bool result = false;
  for_each_entry(data, [&](const std::string& key) {
    if (key == wanted && pn_data_type(data) == PN_BOOL)
      result = pn_data_get_bool(data);
  });
  return result;
}

void put_encoded(pn_data_t* data, std::string_view bytes) {
  if (!bytes.empty())
    pn_data_decode(data, bytes.data(), bytes.size());
}

std::string get_encoded(pn_data_t* data) {
  std::string result;
  if (data == nullptr || pn_data_size(data) == 0)
    return result;
  const auto size = pn_data_encoded_size(data);
  if (size <= 0)
    return result;
  result.resize(static_cast<std::size_t>(size));
  if (pn_data_encode(data, result.data(), result.size()) != size)
    result.clear();
  return result;
}

void put_condition(pn_condition_t* to, const condition& from) {
  if (from.empty())
    return;
  pn_condition_set_name(to, from.name.c_str());
  pn_condition_set_description(to, from.description.c_str());
}

condition get_condition(pn_condition_t* from) {
  if (from == nullptr || !pn_condition_is_set(from))
    return {};
  auto text = [](const char* x) { return std::string{x ? x : ""}; };
  return {text(pn_condition_get_name(from)),
          text(pn_condition_get_description(from))};
}

condition get_fault(pn_transport_t* from) {
  auto result = get_condition(pn_transport_condition(from));
  if (result.description == "connection aborted")
    return {"proton:io", "the peer went without a word"};
  return result;
}

bridge::outcome get_outcome(pn_delivery_t* from) {
  auto* remote = pn_delivery_remote(from);
  switch (pn_delivery_remote_state(from)) {
  case PN_ACCEPTED:
    return bridge::outcome::accepted();
  case PN_RELEASED:
    return bridge::outcome::released();
  case PN_REJECTED: {
    auto why = get_condition(pn_disposition_condition(remote));
    return bridge::outcome::rejected(why.name, why.description);
  }
  case PN_MODIFIED: {
    bridge::outcome result{.kind = bridge::outcome::kind_type::modified,
                           .failed = pn_disposition_is_failed(remote),
                           .undeliverable_here =
                               pn_disposition_is_undeliverable(remote)};
    auto notes = get_encoded(pn_disposition_annotations(remote));
    if (!notes.empty())
      result.annotations =
          std::make_shared<const std::string>(std::move(notes));
    return result;
  }
  default:
    return {};
  }
}

} // namespace rookery::amqp
