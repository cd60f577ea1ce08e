#include "nodes/config/command_line.hpp"

#include "nodes/config/config_keys.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace rookery::nodes {

namespace {

const config_key* find_key(const std::string& name) {
  auto& keys = config_keys();
  auto found = std::find_if(keys.begin(), keys.end(),
                            [&](auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

/// CLI11 lets the file win over the environment and passes over unknown keys.
class strict_file : public CLI::ConfigTOML {
public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto lines = CLI::ConfigTOML::from_config(input);
    std::erase_if(lines, [](const CLI::ConfigItem& line) {
      if (!line.parents.empty())
        throw CLI::ConfigError("[" + line.parents.front()
                               + "]: the configuration file has no sections, "
                                 "only lines KEY = VALUE");
      auto key = find_key(line.name);
      if (key == nullptr)
        throw CLI::ConfigError(line.name + " = " + joined(line.inputs)
                               + ": the configuration has no such key");
      auto value = std::getenv(key->variable().c_str());
      return value != nullptr && *value != '\0';
    });
    return lines;
  }

  static std::string joined(const std::vector<std::string>& values) {
    std::string result;
    for (auto& value : values)
      result.append(result.empty() ? "" : ",").append(value);
    return result;
  }
};

void add_key(CLI::App& app, const config_key& key, node_config& target) {
  auto take = [&key, &target](const std::vector<std::string>& values) {
    auto text = strict_file::joined(values);
    auto reason = !key.is_list && values.size() > 1
                      ? std::optional<std::string>{"takes one value"}
                      : key.read(target, text);
    if (reason)
      throw CLI::ValidationError(config_fault{key.name, text, *reason}.text());
  };
  app.add_option_function<std::vector<std::string>>("--" + key.name, take,
                                                    key.help)
      ->envname(key.variable())
      ->allow_extra_args(false)
      ->type_name(key.is_list ? "LIST" : "VALUE");
}

} // namespace

std::optional<exit_code> parse(CLI::App& app,
                               std::vector<std::string> arguments) {
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
    return std::nullopt;
  } catch (const CLI::Success& x) {
    app.exit(x);
    return exit_code::ok;
  } catch (const CLI::ParseError& x) {
    std::cerr << app.get_name() << ": " << x.what() << '\n';
    return exit_code::usage;
  }
}

void add_node_options(CLI::App& app, node_config& target) {
  app.set_config("--config", "",
                 "File of lines KEY = VALUE; keys are the long "
                 "flags, # starts a comment");
  app.config_formatter(std::make_shared<strict_file>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  for (auto& key : config_keys())
    add_key(app, key, target);
}

} // namespace rookery::nodes
