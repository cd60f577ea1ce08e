#pragma once

#include "bridge/envelope.hpp"

#include "rookery/bridge/v1/control.pb.h"

#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/message.hpp>
#include <caf/type_erased_tuple.hpp>
#include <google/protobuf/message.h>

#include <string>

namespace rookery::bridge {

/// The AMQP message with `head`'s fields and `body` as its body; `head.type`
/// and `head.content_type` are set here.
[[nodiscard]] std::string encode(envelope& head,
                                 const google::protobuf::Message& body);

/// `what` as the bridge's own Error message, for the wire.
[[nodiscard]] std::string encode_error(envelope& head, const caf::error& what,
                                       const std::string& text);

/// `what` as a part of another message; `text` for humans. Without fields, so
/// with code 0, if it is none.
[[nodiscard]] v1::Error to_error_message(const caf::error& what,
                                         const std::string& text);

/// The error that an Error message stands for; none, if its code is 0. Category
/// and code are kept when CAF can hold the category's name (at most 10
/// characters), so that the receiver can compare; else it is
/// errc::remote_error.
[[nodiscard]] caf::error from_error_message(const v1::Error& x);

/// The same of the bytes of one.
[[nodiscard]] caf::error decode_error_reply(std::string_view bytes);

/// The sentence in an error: its context when that is text, else all of it;
/// nothing if it is none.
[[nodiscard]] std::string text_of(const caf::error& x);

/// In CAF's words, which may be those of a user's types: what these throw is
/// told instead.
[[nodiscard]] std::string described(const caf::type_erased_tuple& x);
[[nodiscard]] std::string described(const caf::actor_system& system,
                                    const caf::error& x);

} // namespace rookery::bridge
