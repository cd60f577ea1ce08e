#include "bridge/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace rookery {

void assertion_failed(const char* text, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
  std::fflush(stderr);
  std::abort();
}

} // namespace rookery
