#include "nodes/verify/verdict.hpp"

namespace rookery::nodes {

std::string verdict::line() const {
  std::string result = "verify:";
  auto add = [&](const char* name, std::uint64_t value) {
    result.append(" ").append(name).append("=").append(std::to_string(value));
  };
  add("users", users);
  add("timelines", timelines);
  add("entries", entries);
  add("pushed", pushed);
  add("pulled", pulled);
  add("trimmed", trimmed);
  add("acked", acked);
  add("missing", missing);
  add("mismatches", mismatches);
  return result;
}

} // namespace rookery::nodes
