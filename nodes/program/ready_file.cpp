#include "nodes/program/ready_file.hpp"

#include <fstream>
#include <unistd.h>

namespace rookery::nodes {

bool ready_file::set(bool ready) {
  if (name_.empty())
    return true;
  if (!ready)
    return unlink(name_.c_str()) == 0;
  // Written anew, which also tells its age.
  return static_cast<bool>(std::ofstream{name_} << "ready" << std::endl);
}

} // namespace rookery::nodes
