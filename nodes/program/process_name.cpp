#include "nodes/program/process_name.hpp"

#include <algorithm>
#include <cctype>
#include <unistd.h>

namespace rookery::nodes {

std::string process_name() {
  char host[32] = {};
  static_cast<void>(gethostname(host, sizeof(host) - 1));
  std::string result{host};
  std::replace_if(
      result.begin(), result.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '.'; },
      '-');
  return result + "-" + std::to_string(getpid());
}

} // namespace rookery::nodes
