#include "testing/seed.hpp"

#include <cstdio>
#include <cstdlib>

namespace rookery::testing {

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
