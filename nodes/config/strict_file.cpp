#include "nodes/config/strict_file.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace rookery::nodes {

namespace {

using lookup = std::function<std::optional<std::string>(const std::string&)>;

// Some editors begin UTF-8 with one.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

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

bool may_be_in_key(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '_';
}

/// CLI11 would read on in the next lines, or take the quote for a part.
bool is_open(const std::string& value) {
  if (value.empty())
    return false;
  if (value.front() == '[')
    return value.back() != ']';
  return (value.front() == '"' || value.front() == '\'')
         && value.find(value.front(), 1) == std::string::npos;
}

/// The lines of a file, each of which is right by itself.
class checked_lines {
public:
  checked_lines(std::istream& input, const lookup& variable_of)
      : variable_of_{variable_of} {
    std::string line;
    for (std::size_t number = 1; std::getline(input, line); ++number) {
      if (number == 1 && line.starts_with(byte_order_mark))
        line.erase(0, byte_order_mark.size());
      check(trimmed(line), number);
      text_ += line + '\n';
    }
    if (input.bad())
      throw CLI::ConfigError("the configuration file cannot be read");
  }

  [[nodiscard]] const std::string& text() const { return text_; }

private:
  // A line that is none is not repeated: it may be a password, or no text.
  void check(const std::string& line, std::size_t number) {
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
    if (equals == std::string::npos || key.empty()
        || !std::all_of(key.begin(), key.end(), may_be_in_key))
      refuse(number, "is not KEY = VALUE");
    if (!variable_of_(key))
      refuse(number, key + ": the configuration has no such key");
    auto [first, fresh] = line_of_.try_emplace(key, number);
    if (!fresh)
      refuse(number, key + " is there twice, first in line "
                         + std::to_string(first->second));
    if (is_open(
            trimmed(line.substr(0, line.find('#', equals)).substr(equals + 1))))
      refuse(number, key
                         + ": a quote or bracket is not closed (# begins a "
                           "comment, also between quotes)");
  }

  const lookup& variable_of_;
  std::string text_;
  std::map<std::string, std::size_t> line_of_; // by key; counted from 1
};

class reader : public CLI::ConfigTOML {
public:
  explicit reader(lookup variable_of) : variable_of_{std::move(variable_of)} {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::istringstream text{checked_lines{input, variable_of_}.text()};
    auto result = CLI::ConfigTOML::from_config(text);
    std::erase_if(result, [this](auto& item) { return overruled(item); });
    return result;
  }

private:
  bool overruled(const CLI::ConfigItem& item) const {
    auto variable = variable_of_(item.name);
    auto value = variable ? std::getenv(variable->c_str()) : nullptr;
    return value != nullptr && *value != '\0';
  }

  lookup variable_of_;
};

} // namespace

std::shared_ptr<CLI::Config> strict_file(lookup variable_of) {
  return std::make_shared<reader>(std::move(variable_of));
}

} // namespace rookery::nodes
