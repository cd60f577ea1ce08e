#include "broker/core/errc.hpp"

namespace rookery::broker {

std::string_view condition(errc code) {
  switch (code) {
  case errc::not_found:
    return "amqp:not-found";
  case errc::resource_locked:
    return "amqp:resource-locked";
  case errc::precondition_failed:
    return "amqp:precondition-failed";
  case errc::resource_limit_exceeded:
    return "amqp:resource-limit-exceeded";
  case errc::not_allowed:
    return "amqp:not-allowed";
  case errc::access_refused:
    return "amqp:unauthorized-access";
  }
  return "amqp:internal-error";
}

} // namespace rookery::broker
