#pragma once

#include "bridge/type_registry.hpp"

#include <caf/typed_actor.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace rookery::bridge {

namespace detail {

// Of one signature of a typed actor: whether its messages can travel.
template <class Signature>
struct signature : std::false_type {};

template <class In, class Out>
struct signature<
    caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>>
    : std::bool_constant<
          protobuf_message<
              In> && (std::is_void_v<Out> || protobuf_message<Out>)> {
  static void add_to(type_registry& types) {
    types.add<In>();
    if constexpr (!std::is_void_v<Out>)
      types.add<Out>();
  }
  static std::string input() { return In::descriptor()->full_name(); }
};

template <class Handle>
struct interface : std::false_type {};

template <class... Signatures>
struct interface<caf::typed_actor<Signatures...>>
    : std::bool_constant<(sizeof...(Signatures) > 0)
                         && (signature<Signatures>::value && ...)> {
  static void add_to(type_registry& types) {
    (signature<Signatures>::add_to(types), ...);
  }
  static std::vector<std::string> inputs() {
    return {signature<Signatures>::input()...};
  }
};

} // namespace detail

/// A `caf::typed_actor` that may be on another node: each of its messages is
/// one Protobuf message, and is answered with one or with nothing.
template <class T>
concept typed_interface = detail::interface<T>::value;

/// Makes known what such an actor takes and answers.
template <typed_interface Handle>
type_registry& add_interface(type_registry& types) {
  detail::interface<Handle>::add_to(types);
  return types;
}

/// What such an actor takes, as in `serve_options::types`.
template <typed_interface Handle>
[[nodiscard]] std::vector<std::string> input_names() {
  return detail::interface<Handle>::inputs();
}

} // namespace rookery::bridge
