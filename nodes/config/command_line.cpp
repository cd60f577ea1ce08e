#include "nodes/config/command_line.hpp"

#include "nodes/config/config_keys.hpp"
#include "nodes/config/strict_file.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace rookery::nodes {

namespace {

const config_key* find_key(const std::string& name) {
  auto& keys = config_keys();
  auto found = std::find_if(keys.begin(), keys.end(),
                            [&](auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

void add_key(CLI::App& app, const config_key& key, node_config& target) {
  auto take = [&key, &target](const std::vector<std::string>& values) {
    auto text = CLI::detail::join(values);
    auto reason = !key.is_list && values.size() > 1
                      ? std::optional<std::string>{"takes one value"}
                      : key.read(target, text);
    if (reason)
      throw CLI::ValidationError(
          config_fault{key.name, key.is_secret ? "***" : text, *reason}.text());
  };
  app.add_option_function<std::vector<std::string>>("--" + key.name, take,
                                                    key.help)
      ->envname(key.variable())
      ->allow_extra_args(false)
      ->option_text((key.is_list ? "LIST" : "VALUE")
                    + (" (Env:" + key.variable() + ")"));
}

std::string commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : app.get_subcommands([](auto*) { return true; }))
    names.push_back(each->get_name());
  return CLI::detail::join(names, ", ");
}

// The library's own words name what was not expected backwards, or not at all.
std::string complaint(const CLI::App& app, const CLI::ParseError& x) {
  const auto rest = app.remaining(true);
  const auto code = static_cast<CLI::ExitCodes>(x.get_exit_code());
  const auto* file = app.get_config_ptr();
  if (code == CLI::ExitCodes::ConfigError && file != nullptr && !file->empty())
    return file->as<std::string>() + ": " + x.what();
  const auto unexpected = code == CLI::ExitCodes::ExtrasError
                          || code == CLI::ExitCodes::RequiredError;
  if (unexpected && app.get_require_subcommand_min() > 0
      && app.get_subcommands().empty()
      && (rest.empty() || !rest.front().starts_with('-')))
    return (rest.empty() ? "say" : "'" + rest.front() + "' is not")
           + (" one of " + commands_of(app));
  if (rest.empty() || !unexpected)
    return x.what();
  return "not expected: " + CLI::detail::join(rest, " ");
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
    std::cerr << app.get_name() << ": " << complaint(app, x) << '\n';
    return exit_code::usage;
  }
}

void add_node_options(CLI::App& app, node_config& target) {
  app.set_config("--config", "",
                 "File of lines KEY = VALUE; keys are the long "
                 "flags, # starts a comment");
  app.config_formatter(
      strict_file([](const std::string& name) -> std::optional<std::string> {
        auto key = find_key(name);
        return key == nullptr ? std::nullopt : std::optional{key->variable()};
      }));
  app.allow_config_extras(CLI::config_extras_mode::error);
  for (auto& key : config_keys())
    add_key(app, key, target);
}

} // namespace rookery::nodes
