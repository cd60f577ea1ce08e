#include "bridge/caf/encoding.hpp"

#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/caf/plain_text.hpp"
#include "bridge/core/thrown.hpp"
#include "bridge/errc.hpp"

#include <caf/atom.hpp>
#include <caf/deep_to_string.hpp>

#include <cstdint>

namespace rookery::bridge {

namespace {

constexpr const char* protobuf_content = "application/protobuf";

// Longest text of an error on the wire, bytes.
constexpr std::size_t text_max = 4096;

// Longest name a CAF atom can hold.
constexpr std::size_t atom_max = 10;

} // namespace

std::string encode(envelope& head, const google::protobuf::Message& body) {
  head.type = body.GetTypeName();
  head.content_type = protobuf_content;
  auto size = body.ByteSizeLong();
  std::string result;
  amqp::encode_head(head, size, result);
  auto start = result.size();
  result.resize(start + size);
  body.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(result.data() + start));
  return result;
}

std::string text_of(const caf::error& x) {
  if (!x)
    return {}; // CAF would look for its context all the same
  if (x.context().match_elements<std::string>())
    return x.context().get_as<std::string>(0);
  return x.context().empty() ? std::string{} : described(x.context());
}

std::string described(const caf::type_erased_tuple& x) {
  try {
    return x.stringify();
  } catch (...) {
    return thrown();
  }
}

std::string described(const caf::actor_system& system, const caf::error& x) {
  try {
    return system.render(x);
  } catch (...) {
    return thrown();
  }
}

v1::Error to_error_message(const caf::error& what, const std::string& text) {
  v1::Error result;
  if (!what)
    return result; // code 0: none
  result.set_category(to_string(what.category()));
  result.set_code(what.code());
  result.set_message(plain_text(text, text_max));
  return result;
}

std::string encode_error(envelope& head, const caf::error& what,
                         const std::string& text) {
  return encode(head, to_error_message(what, text));
}

caf::error from_error_message(const v1::Error& x) {
  if (x.code() == 0)
    return caf::none;
  const auto& category = x.category();
  if (!category.empty() && category.size() <= atom_max && x.code() <= 255)
    return {
        static_cast<std::uint8_t>(x.code()), caf::atom_from_string(category),
        x.message().empty() ? caf::message{} : caf::make_message(x.message())};
  return caf::make_error(errc::remote_error, category + " "
                                                 + std::to_string(x.code())
                                                 + ": " + x.message());
}

caf::error decode_error_reply(std::string_view bytes) {
  v1::Error body;
  if (!body.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return caf::make_error(errc::undecodable, "an error reply");
  if (body.code() == 0)
    return caf::make_error(errc::remote_error,
                           body.category() + " 0: " + body.message());
  return from_error_message(body);
}

} // namespace rookery::bridge
