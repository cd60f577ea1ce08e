#include "actors/errc.hpp"

namespace rookery::actors {

std::string to_string(errc code) {
  switch (code) {
  case errc::invalid_utf8:
    return "invalid_utf8";
  case errc::text_empty:
    return "text_empty";
  case errc::text_too_long:
    return "text_too_long";
  case errc::not_author:
    return "not_author";
  case errc::key_too_long:
    return "key_too_long";
  case errc::key_conflict:
    return "key_conflict";
  case errc::wrong_partition:
    return "wrong_partition";
  case errc::invalid_argument:
    return "invalid_argument";
  case errc::store_failed:
    return "store_failed";
  case errc::not_complete:
    return "not_complete";
  case errc::overloaded:
    return "overloaded";
  case errc::fenced:
    return "fenced";
  case errc::store_mismatch:
    return "store_mismatch";
  case errc::unknown_log:
    return "unknown_log";
  case errc::lease_lapsed:
    return "lease_lapsed";
  }
  return "unknown";
}

} // namespace rookery::actors
