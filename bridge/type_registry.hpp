#pragma once

#include "proto/caf_message.hpp"

#include <caf/expected.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/type_erased_tuple.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace rookery::bridge {

/// The Protobuf messages a node speaks. One line makes a type known:
/// `types.add<my::Message>()`. Nothing else is ever decoded. A value; fill it
/// before the bridge starts, it is only read afterwards.
class type_registry {
public:
  /// How to turn one type into bytes and back.
  struct codec {
    std::string name; // Protobuf full name
    const google::protobuf::Message* (*view)(const caf::type_erased_tuple&);
    /// False when the bytes are not such a message.
    bool (*decode)(std::string_view bytes, caf::message& out);
  };

  /// Knows the bridge's own messages from the start.
  type_registry();

  /// Makes `T` known. Adding it again changes nothing.
  template <protobuf_message T>
  type_registry& add() {
    insert(std::type_index{typeid(T)},
           codec{T::descriptor()->full_name(),
                 [](const caf::type_erased_tuple& x)
                     -> const google::protobuf::Message* {
                   return &x.get_as<T>(0);
                 },
                 [](std::string_view bytes, caf::message& out) {
                   T value;
                   if (!value.ParseFromArray(bytes.data(),
                                             static_cast<int>(bytes.size())))
                     return false;
                   out = caf::make_message(std::move(value));
                   return true;
                 }});
    return *this;
  }

  /// The codec of the single element of `x`; null when it has not exactly one
  /// element or its type is not known.
  [[nodiscard]] const codec* find(const caf::type_erased_tuple& x) const;
  /// The codec of a Protobuf full name; null when not known.
  [[nodiscard]] const codec* find(std::string_view name) const;

private:
  void insert(std::type_index type, codec x);

  std::vector<std::shared_ptr<const codec>> codecs_; // never move
  std::unordered_map<std::type_index, const codec*> by_type_;
  std::unordered_map<std::string_view, const codec*> by_name_;
};

/// Their full names, as in `serve_options::types`.
template <protobuf_message... Ts>
[[nodiscard]] std::vector<std::string> type_names() {
  return {Ts::descriptor()->full_name()...};
}

} // namespace rookery::bridge
