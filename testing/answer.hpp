#pragma once

#include <caf/expected.hpp>
#include <caf/sec.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace rookery::testing {

/// What became of one request: nothing yet, a reply, or an error. Copies share.
template <class Reply>
class answer {
public:
  [[nodiscard]] bool done() const { return *done_; }

  /// The reply or the error. @throws std::logic_error while not `done()`.
  [[nodiscard]] const caf::expected<Reply>& get() const {
    if (!done())
      throw std::logic_error("test_system: a request was not answered");
    return *result_;
  }

private:
  friend class test_system;
  void put(caf::expected<Reply> result) const {
    *result_ = std::move(result);
    *done_ = true;
  }

  std::shared_ptr<bool> done_ = std::make_shared<bool>(false);
  std::shared_ptr<caf::expected<Reply>> result_ =
      std::make_shared<caf::expected<Reply>>(caf::sec::none);
};

} // namespace rookery::testing
