#include "nodes/config/strict_file.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

namespace rookery::nodes {

namespace {

using lookup = std::function<std::optional<std::string>(const std::string&)>;

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\r";
  auto first = text.find_first_not_of(blanks);
  return first == std::string::npos
             ? ""
             : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

[[noreturn]] void refuse(std::size_t line, const std::string& why) {
  throw CLI::ConfigError("line " + std::to_string(line) + ": " + why);
}

/// The lines of a file, as CLI11 is to see them, and where each key is.
struct checked_lines {
  std::string text;
  std::map<std::string, std::size_t> line_of; // by key; counted from 1

  explicit checked_lines(std::istream& input) {
    std::string line;
    for (std::size_t number = 1; std::getline(input, line); ++number) {
      add(trimmed(line), number);
      text += line + '\n';
    }
  }

private:
  // The text of a line is not repeated: it may be a password, or no text.
  void add(const std::string& line, std::size_t number) {
    auto control = [](unsigned char c) { return c < ' ' && c != '\t'; };
    if (std::any_of(line.begin(), line.end(), control))
      refuse(number, "has control characters; is this a configuration file?");
    if (line.empty() || line.front() == '#')
      return;
    if (line.front() == '[')
      refuse(number, "the configuration file has no sections, only lines "
                     "KEY = VALUE");
    auto equals = line.find('=');
    auto key = trimmed(line.substr(0, equals));
    if (equals == std::string::npos || key.empty())
      refuse(number, "is not KEY = VALUE");
    auto [first, fresh] = line_of.try_emplace(key, number);
    if (!fresh)
      refuse(number, key + " is there twice, first in line "
                         + std::to_string(first->second));
  }
};

class reader : public CLI::ConfigTOML {
public:
  explicit reader(lookup variable_of) : variable_of_{std::move(variable_of)} {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    const checked_lines file{input};
    for (auto& [key, line] : file.line_of)
      if (!variable_of_(key))
        refuse(line, key + ": the configuration has no such key");
    std::istringstream text{file.text};
    auto result = CLI::ConfigTOML::from_config(text);
    std::erase_if(result, [this](auto& item) { return overruled(item); });
    return result;
  }

private:
  bool overruled(const CLI::ConfigItem& item) const {
    auto variable = variable_of_(item.name);
    if (!variable) // quoted, say
      throw CLI::ConfigError(item.fullname()
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
