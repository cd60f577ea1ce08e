#pragma once

#include <exception>
#include <string>

namespace rookery::bridge {

/// What has been thrown, in words. Call it where that is being handled.
[[nodiscard]] inline std::string thrown() {
  try {
    throw;
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

} // namespace rookery::bridge
