#pragma once

#include "broker/core/errc.hpp"
#include "broker/core/exchange.hpp"
#include "broker/core/name_map.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace rookery::broker {

/// The exchanges of a virtual host and all bindings, within their limits. The
/// default exchange is not here: it leads to each queue by its name and can be
/// neither declared, deleted nor bound. `amq.direct`, `amq.fanout` and
/// `amq.topic` are always there.
class exchange_table {
public:
  exchange_table(std::size_t exchanges_max, std::size_t bindings_max);

  /// @returns true when it is new, false when it was there with the same type
  /// and durability; refuses another type or durability, a bad name and one
  /// exchange more than the limit.
  result<bool> declare(std::string_view name, exchange_type type, bool durable);
  /// With all its bindings. @returns false when there was none.
  result<bool> remove(std::string_view name);
  /// @returns false when that binding was there before.
  result<bool> bind(std::string_view exchange, queue& target,
                    std::string_view key);
  /// @returns false when there was no such binding.
  result<bool> unbind(std::string_view exchange, queue& target,
                      std::string_view key);
  /// Removes all bindings of a queue that is going.
  void forget(queue& target);

  /// Null when there is none.
  [[nodiscard]] const exchange* find(std::string_view name) const;
  [[nodiscard]] const name_map<exchange>& all() const { return exchanges_; }
  [[nodiscard]] std::size_t binding_count() const { return binding_count_; }

private:
  result<exchange*> find_for_binding(std::string_view name,
                                     std::string_view key);
  void released(const queue& target, exchange& from, const std::string& key);

  std::size_t exchanges_max_;
  std::size_t bindings_max_;
  name_map<exchange> exchanges_;
  /// The bindings of each bound queue, so that one that goes takes no search of
  /// all others. The keys are the exchange's.
  using binding = std::pair<exchange*, const std::string*>;
  std::unordered_map<const queue*, std::set<binding>> bound_;
  std::size_t binding_count_ = 0;
};

} // namespace rookery::broker
