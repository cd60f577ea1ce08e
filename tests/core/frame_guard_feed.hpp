#pragma once

#include "bridge/amqp/frame_guard.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace rookery::tests {

/// What became of some bytes.
struct result {
  std::size_t passed = 0;
  std::string reason; // empty = all is well
  friend bool operator==(const result&, const result&) = default;
};

/// What a guard makes of `bytes` in slices of at most `slice`.
inline result feed(amqp::frame_guard& guard, std::string_view bytes,
                   std::size_t slice) {
  result x;
  for (std::size_t at = 0; at < bytes.size(); at += slice) {
    // A copy of just that size, so that sanitizers see a read behind it.
    const auto part = bytes.substr(at, slice);
    const auto copy = std::make_unique<char[]>(part.size());
    std::copy(part.begin(), part.end(), copy.get());
    x.passed += guard.pass({copy.get(), part.size()});
  }
  x.reason = guard.refused() ? guard.reason().text() : "";
  return x;
}

} // namespace rookery::tests
