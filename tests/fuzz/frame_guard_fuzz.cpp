// Goal: no bytes confuse the frame guard, and how they were sliced does not
// change what it says. Method: the same bytes whole and in slices; both must
// come to the same reason, and of a frame at fault the last byte never passes.
#include "bridge/amqp/frame_guard.hpp"
#include "bridge/assert.hpp"
#include "testing/seed.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <array>
#include <string>

using namespace rookery;
using tests::exact_copy;
using tests::fuzz_input;

namespace {

struct verdict {
  std::size_t passed = 0;
  std::string reason; // empty = all is well
};

/// Limits as they are, or so small that short inputs reach them.
amqp::frame_guard_options options_of(std::uint8_t choice) {
  amqp::frame_guard_options result;
  result.server = (choice & 1) == 0;
  if ((choice & 2) != 0)
    result.frame_bytes_max = 512;
  if ((choice & 4) != 0) {
    result.message_bytes_max = 64;
    result.sessions_max = 2;
    result.links_max = 3;
    result.attached_bytes_max = 5'000;
  }
  return result;
}

/// Feeds `bytes` in slices whose lengths `next` gives.
template <class F>
verdict feed(const amqp::frame_guard_options& options, int answers,
             std::string_view bytes, F&& next) {
  amqp::frame_guard guard{options};
  for (; answers > 0; --answers)
    guard.session_begun();
  verdict result;
  while (!bytes.empty()) {
    const auto n = std::min<std::size_t>(next(), bytes.size());
    const auto ended = guard.refused();
    const exact_copy slice{bytes.substr(0, n)};
    const auto passed = guard.pass(slice.view());
    ROOKERY_ASSERT(passed <= n);
    ROOKERY_ASSERT(!ended || passed == 0);
    result.passed += passed;
    bytes.remove_prefix(n);
  }
  result.reason = guard.refused() ? guard.reason().text() : "";
  return result;
}

/// Bytes of the frame that begins there, as far as anybody waits for them.
std::size_t frame_bytes(std::string_view begun) {
  std::size_t result = 0;
  for (char c : begun.substr(0, 4))
    result = result << 8 | static_cast<unsigned char>(c);
  return std::max<std::size_t>(result, 8);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::array<std::size_t, 6> widths{1, 2, 9, 30, 300, 5'000};
  fuzz_input input{data, size};
  const auto setting = input.choice();
  const auto slicing = input.choice();
  const auto options = options_of(setting);
  const auto answers = setting >> 3 & 3;
  const auto bytes = input.rest();

  const auto whole =
      feed(options, answers, bytes, [&] { return bytes.size(); });
  testing::random_source random{slicing};
  const auto width = widths[slicing % widths.size()];
  const auto sliced =
      feed(options, answers, bytes, [&] { return 1 + random.below(width); });

  ROOKERY_ASSERT(whole.reason == sliced.reason);
  ROOKERY_ASSERT(whole.passed <= sliced.passed);
  if (whole.reason.empty())
    ROOKERY_ASSERT(whole.passed == sliced.passed);
  else
    ROOKERY_ASSERT(sliced.passed
                   < whole.passed + frame_bytes(bytes.substr(whole.passed)));
  return 0;
}
