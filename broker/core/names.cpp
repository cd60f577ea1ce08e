#include "broker/core/names.hpp"

namespace rookery::broker {

std::optional<failure> check_name(std::string_view what,
                                  std::string_view name) {
  if (name.empty())
    return refuse(errc::not_allowed, what, name, "has an empty name");
  if (name.size() > name_bytes_max)
    return refuse(errc::not_allowed, what, name.substr(0, 32),
                  "... has a name of more than 255 bytes");
  if (name.find_first_of("\r\n") != std::string_view::npos)
    return refuse(errc::not_allowed, what, name, "has a line end in its name");
  if (name.starts_with("amq."))
    return refuse(errc::access_refused, what, name,
                  "has a name that is reserved for the broker");
  return std::nullopt;
}

failure refuse(errc code, std::string_view what, std::string_view name,
               std::string_view why) {
  std::string text;
  text.append(what).append(" '").append(name).append("' ").append(why);
  return {code, std::move(text)};
}

} // namespace rookery::broker
