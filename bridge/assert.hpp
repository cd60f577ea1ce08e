#pragma once

namespace rookery {

/// Prints "file:line: assertion failed: text" to stderr and aborts.
[[noreturn]] void assertion_failed(const char* text, const char* file,
                                   int line) noexcept;

} // namespace rookery

/// Checks a promise the program makes to itself; on in every build. Never for
/// input from outside: that gets an error, see the function that reads it.
#define ROOKERY_ASSERT(condition)                                              \
  ((condition) ? static_cast<void>(0)                                          \
               : ::rookery::assertion_failed(#condition, __FILE__, __LINE__))
