#include "actors/log_name.hpp"

#include <charconv>

namespace rookery::actors {

std::string tweet_log(std::uint32_t index) {
  return "tweet/" + std::to_string(index);
}

std::string follow_log(std::uint32_t index) {
  return "follow/" + std::to_string(index);
}

std::optional<log_name> parse_log_name(std::string_view name) {
  auto kind = log_name::kind_type::tweet;
  if (name.starts_with("follow/"))
    kind = log_name::kind_type::follow;
  else if (!name.starts_with("tweet/"))
    return std::nullopt;
  name.remove_prefix(name.find('/') + 1);
  std::uint32_t index = 0;
  auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc{} || end != name.data() + name.size())
    return std::nullopt;
  return log_name{kind, index};
}

} // namespace rookery::actors
