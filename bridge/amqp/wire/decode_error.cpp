#include "bridge/amqp/wire/decode_error.hpp"

namespace rookery::amqp {

namespace {

const char* describe(decode_errc code) {
  switch (code) {
  case decode_errc::truncated:
    return "truncated";
  case decode_errc::unexpected_type:
    return "unexpected type";
  case decode_errc::bad_size:
    return "wrong size or count";
  case decode_errc::too_deep:
    return "nested too deep";
  case decode_errc::too_long:
    return "message too long";
  case decode_errc::bad_order:
    return "section repeated or out of order";
  case decode_errc::no_body:
    return "no body section";
  case decode_errc::unsupported_body:
    return "body is neither data, binary nor string";
  }
  return "malformed";
}

} // namespace

std::string to_string(const decode_error& x) {
  return std::string{describe(x.code)} + " at byte " + std::to_string(x.offset);
}

} // namespace rookery::amqp
