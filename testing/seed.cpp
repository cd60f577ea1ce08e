#include "testing/seed.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace rookery::testing {

std::uint64_t seed() {
  const char* given = std::getenv("ROOKERY_SEED");
  if (!given)
    return 1;
  const std::string_view text{given};
  std::uint64_t result = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument{"ROOKERY_SEED is no number: "
                                + std::string{text}};
  return result;
}

void each_seed(std::uint64_t count,
               const std::function<void(std::uint64_t seed)>& body) {
  auto first = seed();
  auto last = std::getenv("ROOKERY_SEED") ? first : count;
  for (auto x = first; x <= last; ++x) {
    try {
      body(x);
    } catch (...) {
      std::fprintf(stderr,
                   "seed %llu failed; again, and what happens in it: "
                   "ROOKERY_SEED=%llu ROOKERY_TRACE=1\n",
                   static_cast<unsigned long long>(x),
                   static_cast<unsigned long long>(x));
      throw;
    }
  }
}

} // namespace rookery::testing
