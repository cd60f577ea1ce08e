#pragma once

#include "nodes/config/node_config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rookery::nodes {

/// One key of the configuration: how it is named, explained, read, shown and
/// checked, in one place. The flag is "--" + name, the environment variable
/// "ROOKERY_" + NAME with '_' for '-'.
struct config_key {
  std::string name;
  /// What, unit, range and default; for --help.
  std::string help;
  /// A list may be given several times or with commas.
  bool is_list = false;
  bool is_secret = false;
  /// Takes the text over, or says why it is not such a value. Ranges are the
  /// matter of `check`.
  std::function<std::optional<std::string>(node_config&, const std::string&)>
      read;
  std::function<std::string(const node_config&)> show;
  /// What is wrong with the value, if anything.
  std::function<std::optional<std::string>(const node_config&)> check;

  /// `show`, or stars for a secret.
  [[nodiscard]] std::string shown(const node_config& x) const;
  /// The environment variable.
  [[nodiscard]] std::string variable() const;
};

/// All keys, in the order they are shown and checked.
[[nodiscard]] const std::vector<config_key>& config_keys();

} // namespace rookery::nodes
