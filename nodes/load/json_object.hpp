#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::nodes {

/// Builds one JSON object of numbers, texts and objects.
class json_object {
public:
  json_object& add(std::string_view name, std::uint64_t value) {
    return add_raw(name, std::to_string(value));
  }
  json_object& add(std::string_view name, double value) {
    return add_raw(name, std::to_string(value));
  }
  json_object& add(std::string_view name, std::string_view value) {
    return add_raw(name, quoted(value));
  }
  json_object& add(std::string_view name, const json_object& value) {
    return add_raw(name, value.text());
  }
  /// `value` is JSON already.
  json_object& add_json(std::string_view name, std::string_view value) {
    return add_raw(name, value);
  }

  [[nodiscard]] std::string text() const { return "{" + members_ + "}"; }

private:
  json_object& add_raw(std::string_view name, std::string_view value) {
    members_.append(members_.empty() ? "" : ", ")
        .append(quoted(name))
        .append(": ")
        .append(value);
    return *this;
  }

  static std::string quoted(std::string_view x) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "\"";
    for (unsigned char c : x)
      if (c < ' ')
        result.append("\\u00").append({digits[c >> 4], digits[c & 15]});
      else
        result.append(c == '"' || c == '\\' ? "\\" : "") +=
            static_cast<char>(c);
    return result + "\"";
  }

  std::string members_;
};

} // namespace rookery::nodes
