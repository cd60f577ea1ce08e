#pragma once

#include "bridge/amqp/condition.hpp"
#include "bridge/core/outcome.hpp"

#include <proton/codec.h>
#include <proton/condition.h>
#include <proton/sasl.h>
#include <proton/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::amqp {

/// Proton's view of bytes, and back.
[[nodiscard]] inline pn_bytes_t to_pn(std::string_view x) {
  return {x.size(), x.data()};
}
[[nodiscard]] inline std::string from_pn(pn_bytes_t x) {
  return x.start ? std::string{x.start, x.size} : std::string{};
}
[[nodiscard]] inline std::string from_pn(const char* x) { return x ? x : ""; }

/// How a client says who it is: by name and password, or not if `user` is
/// empty.
void put_login(pn_connection_t* x, pn_sasl_t* how, const std::string& user,
               const std::string& password);

/// Writes a map of symbol to string; nothing when `entries` is empty.
void put_properties(
    pn_data_t* data,
    const std::vector<std::pair<std::string, std::string>>& entries);

/// Reads the entries of a map whose values are strings or symbols; others are
/// left out.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
get_properties(pn_data_t* data);

/// Writes an array of symbols; nothing when `symbols` is empty.
void put_symbols(pn_data_t* data, const std::vector<std::string>& symbols);

/// Reads one symbol or an array or list of them.
[[nodiscard]] std::vector<std::string> get_symbols(pn_data_t* data);

/// The whole number at `key` of a map, of whatever integer type it is.
[[nodiscard]] std::optional<std::int64_t> get_integer(pn_data_t* data,
                                                      std::string_view key);
/// Whether `key` of a map is true.
[[nodiscard]] bool get_flag(pn_data_t* data, std::string_view key);

/// Writes a value that is encoded already; nothing when `bytes` is empty.
void put_encoded(pn_data_t* data, std::string_view bytes);
/// The value in `data` as bytes; empty when there is none.
[[nodiscard]] std::string get_encoded(pn_data_t* data);

void put_condition(pn_condition_t* to, const condition& from);
[[nodiscard]] condition get_condition(pn_condition_t* from);

/// What a transport failed on. A peer that left without CLOSE is no framing
/// error, as Proton calls it, but proton:io.
[[nodiscard]] condition get_fault(pn_transport_t* from);

/// What the peer says became of a delivery; none while it has not said.
[[nodiscard]] bridge::outcome get_outcome(pn_delivery_t* from);

} // namespace rookery::amqp
