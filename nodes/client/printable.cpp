#include "nodes/client/printable.hpp"

namespace rookery::nodes {

std::string printable(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto at = [&](std::size_t j) {
      return j < text.size() ? static_cast<unsigned char>(text[j]) : 0U;
    };
    auto is_c1 = at(i) == 0xc2 && at(i + 1) >= 0x80 && at(i + 1) <= 0x9f;
    auto is_control = at(i) < ' ' || at(i) == 0x7f || is_c1;
    result += is_control ? ' ' : text[i];
    i += is_c1 ? 1 : 0;
  }
  return result;
}

} // namespace rookery::nodes
