#pragma once

#include <caf/actor.hpp>

#include <memory>
#include <tuple>
#include <vector>

namespace rookery::testing {

/// Keeps every message of the types `Ts` it is sent, in order of arrival. Made
/// by `test_system::spawn_recorder`.
template <class... Ts>
class recorder {
public:
  [[nodiscard]] const caf::actor& handle() const { return handle_; }

  template <class T>
  [[nodiscard]] const std::vector<T>& seen() const {
    return std::get<std::vector<T>>(*seen_);
  }

  void clear() { *seen_ = {}; }

private:
  friend class test_system;
  using seen_type = std::tuple<std::vector<Ts>...>;
  caf::actor handle_;
  std::shared_ptr<seen_type> seen_ = std::make_shared<seen_type>();
};

} // namespace rookery::testing
