#pragma once

#include "bridge/type_registry.hpp"
#include "nodes/parked/parked_message.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace rookery::nodes {

/// One line a message, in columns, with a head.
void print_table(const std::vector<parked_message>& all, std::ostream& out);

/// Everything known of a message, one line a fact. The body as JSON where
/// `types` knows it, else its first bytes in hex.
void print_whole(const parked_message& x, const bridge::type_registry& types,
                 std::ostream& out);

/// The same as one JSON object; the body only with `types`.
[[nodiscard]] std::string to_json(const parked_message& x,
                                  const bridge::type_registry* types);

} // namespace rookery::nodes
