#include "nodes/config/node_config.hpp"

#include "nodes/config/config_keys.hpp"
#include "nodes/config/number.hpp"

#include <array>

namespace rookery::nodes {

namespace {

constexpr std::array role_names = {
    std::pair{role::broker, std::string_view{"broker"}},
    std::pair{role::tweet, std::string_view{"tweet"}},
    std::pair{role::follower, std::string_view{"follower"}},
    std::pair{role::fanout, std::string_view{"fanout"}}};

} // namespace

std::string_view to_string(role x) {
  for (auto& [value, name] : role_names)
    if (value == x)
      return name;
  return "unknown";
}

std::optional<role> parse_role(std::string_view name) {
  for (auto& [value, known] : role_names)
    if (known == name)
      return value;
  return std::nullopt;
}

std::string config_fault::text() const {
  return key + " = " + (value.empty() ? "(nothing)" : value) + ": " + reason;
}

std::optional<config_fault> validate(const node_config& x) {
  for (auto& key : config_keys())
    if (auto reason = key.check(x))
      return config_fault{key.name, key.shown(x), *reason};
  return std::nullopt;
}

std::string describe(const node_config& x) {
  std::string result;
  for (auto& key : config_keys()) {
    auto value = key.shown(x);
    auto quote = value.find('"') == std::string::npos ? '"' : '\'';
    auto hidden = key.is_secret && !value.empty() ? "# " : "";
    result += hidden + key.name + " = " + quote + value + quote + '\n';
  }
  return result;
}

} // namespace rookery::nodes
