#include "tests/conformance/messages.hpp"

#include <proton/annotation_key.hpp>
#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/codec/vector.hpp>
#include <proton/symbol.hpp>

#include <map>

namespace rookery::conformance {

proton::message text_message(const std::string& body) {
  proton::message made{body};
  made.durable(true);
  return made;
}

proton::message message_to(const std::string& to) {
  auto made = text_message("m");
  made.to(to);
  return made;
}

std::string encoded(const proton::message& x) {
  const auto bytes = x.encode();
  return {bytes.begin(), bytes.end()};
}

proton::message decoded(std::string_view bytes) {
  proton::message made;
  made.decode({bytes.begin(), bytes.end()});
  return made;
}

std::string told(std::initializer_list<std::string> parts) {
  std::string result;
  for (const auto& each : parts)
    result += each;
  return result;
}

std::string joined(const texts& parts, std::string_view between) {
  std::string result;
  for (const auto& each : parts)
    result.append(result.empty() ? "" : between).append(each);
  return result;
}

std::string body_of(const proton::message& x) {
  if (x.body().type() == proton::BINARY) {
    const auto bytes = proton::get<proton::binary>(x.body());
    return {bytes.begin(), bytes.end()};
  }
  return proton::get<std::string>(x.body());
}

std::string bodies_of(const std::vector<received>& all) {
  texts bodies;
  for (const auto& each : all)
    bodies.push_back(body_of(each.message));
  return bodies.empty() ? "nothing" : joined(bodies, " ");
}

std::string acquired(const proton::message& x) {
  return std::string{"first-acquirer="}
         + (x.first_acquirer() ? "true" : "false")
         + " delivery-count=" + std::to_string(x.delivery_count());
}

std::string text_of(const bridge::outcome& x) {
  return kind_of(x) + (x.condition.empty() ? "" : " " + x.condition);
}

std::string kind_of(const bridge::outcome& x) { return to_string(x.kind); }

std::string note(const proton::message& x, const char* key) {
  const auto& notes = x.message_annotations();
  const proton::symbol name{key};
  return notes.exists(name) ? proton::to_string(notes.get(name)) : "none";
}

std::vector<death> deaths_of(const proton::message& x) {
  using entries = std::map<proton::symbol, proton::value>;
  std::vector<death> result;
  const auto& notes = x.message_annotations();
  const proton::symbol name{"x-opt-deaths"};
  if (!notes.exists(name))
    return result;
  for (const auto& each :
       proton::get<std::vector<proton::value>>(notes.get(name))) {
    auto fields = proton::get<entries>(each);
    const auto text = [&](const char* key) {
      const auto place = fields.find(proton::symbol{key});
      return place == fields.end() ? "none" : proton::to_string(place->second);
    };
    const auto keys = joined(proton::get<texts>(fields["routing-keys"]), " ");
    result.push_back({text("queue"), text("reason"), text("count"),
                      text("exchange"), keys, text("ttl")});
  }
  return result;
}

} // namespace rookery::conformance
