#include "bridge/errc.hpp"

namespace rookery::bridge {

std::string to_string(errc code) {
  switch (code) {
  case errc::queue_full:
    return "queue_full";
  case errc::unroutable:
    return "unroutable";
  case errc::rejected:
    return "rejected";
  case errc::failed:
    return "failed";
  case errc::reply_timeout:
    return "reply_timeout";
  case errc::too_many_requests:
    return "too_many_requests";
  case errc::closed:
    return "closed";
  case errc::unknown_type:
    return "unknown_type";
  case errc::undecodable:
    return "undecodable";
  case errc::too_long:
    return "too_long";
  case errc::unreachable:
    return "unreachable";
  case errc::refused:
    return "refused";
  case errc::remote_error:
    return "remote_error";
  case errc::target_down:
    return "target_down";
  case errc::expired:
    return "expired";
  case errc::no_outcome:
    return "no_outcome";
  case errc::released:
    return "released";
  case errc::poison:
    return "poison";
  }
  return "unknown";
}

} // namespace rookery::bridge
