#include "bridge/caf/encoding.hpp"

#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/caf/plain_text.hpp"
#include "bridge/errc.hpp"

#include "rookery/bridge/v1/control.pb.h"

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
  if (x.context().match_elements<std::string>())
    return x.context().get_as<std::string>(0);
  return x.context().empty() ? std::string{} : to_string(x.context());
}

std::string encode_error(envelope& head, const caf::error& what,
                         const std::string& text) {
  v1::Error body;
  body.set_category(to_string(what.category()));
  body.set_code(what.code());
  body.set_message(plain_text(text, text_max));
  return encode(head, body);
}

caf::error decode_error_reply(std::string_view bytes) {
  v1::Error body;
  if (!body.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return caf::make_error(errc::undecodable, "an error reply");
  const auto& category = body.category();
  if (!category.empty() && category.size() <= atom_max && body.code() > 0
      && body.code() <= 255)
    return {static_cast<std::uint8_t>(body.code()),
            caf::atom_from_string(category), caf::make_message(body.message())};
  return caf::make_error(errc::remote_error, category + " "
                                                 + std::to_string(body.code())
                                                 + ": " + body.message());
}

} // namespace rookery::bridge
