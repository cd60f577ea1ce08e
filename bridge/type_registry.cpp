#include "bridge/type_registry.hpp"

#include "rookery/bridge/v1/control.pb.h"

namespace rookery::bridge {

type_registry::type_registry() {
  add<v1::Done>();
  add<v1::Error>();
}

void type_registry::insert(std::type_index type, codec x) {
  if (by_type_.contains(type))
    return;
  codecs_.push_back(std::make_shared<const codec>(std::move(x)));
  const auto* added = codecs_.back().get();
  by_type_.emplace(type, added);
  by_name_.emplace(added->name, added);
}

const type_registry::codec*
type_registry::find(const caf::type_erased_tuple& x) const {
  if (x.size() != 1)
    return nullptr;
  const auto* type = x.type(0).second;
  if (type == nullptr) // one of CAF's own types
    return nullptr;
  auto found = by_type_.find(std::type_index{*type});
  return found == by_type_.end() ? nullptr : found->second;
}

const type_registry::codec* type_registry::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

} // namespace rookery::bridge
