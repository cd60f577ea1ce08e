#pragma once

#include "bridge/amqp/wire/envelope_view.hpp"

#include <optional>
#include <string_view>

namespace rookery::amqp {

/// Decodes what a node sends: a message that is the same byte for byte, down to
/// its body, when it is encoded again; nothing of any other. Every broker takes
/// such a one. Of others a broker may read what counts and sizes leave out, or
/// refuse them, or end the session.
[[nodiscard]] std::optional<envelope_view> decode_sent(std::string_view bytes);

} // namespace rookery::amqp
