#include "nodes/config/strict_file.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <set>
#include <utility>

namespace rookery::nodes {

namespace {

using lookup = std::function<std::optional<std::string>(const std::string&)>;

class reader : public CLI::ConfigTOML {
public:
  explicit reader(lookup variable_of) : variable_of_{std::move(variable_of)} {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto lines = CLI::ConfigTOML::from_config(input);
    std::set<std::string> seen;
    for (const auto& line : lines)
      if (!seen.insert(line.name).second)
        throw CLI::ConfigError(line.name + " is there twice");
    std::erase_if(lines, [this](auto& line) { return overruled(line); });
    return lines;
  }

private:
  bool overruled(const CLI::ConfigItem& line) const {
    if (!line.parents.empty())
      throw CLI::ConfigError("[" + line.parents.front()
                             + "]: the configuration file has no sections, "
                               "only lines KEY = VALUE");
    auto variable = variable_of_(line.name);
    if (!variable)
      throw CLI::ConfigError(line.name + " = " + CLI::detail::join(line.inputs)
                             + ": the configuration has no such key");
    auto value = std::getenv(variable->c_str());
    return value != nullptr && *value != '\0';
  }

  lookup variable_of_;
};

} // namespace

std::shared_ptr<CLI::Config> strict_file(lookup variable_of) {
  return std::make_shared<reader>(std::move(variable_of));
}

} // namespace rookery::nodes
