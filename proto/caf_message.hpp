#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <google/protobuf/message.h>

#include <concepts>
#include <type_traits>

namespace rookery {

/// A generated Protobuf message type.
template <class T>
concept protobuf_message = std::derived_from<T, google::protobuf::Message>;

} // namespace rookery

namespace caf {

/// Every Protobuf message may travel in a CAF message as it is. "Unsafe" only
/// means that CAF itself cannot serialize it, which nothing here asks of it:
/// what leaves a node is encoded by Protobuf.
template <class T>
requires rookery::protobuf_message<T>
struct allowed_unsafe_message_type<T> : std::true_type {
};

} // namespace caf
