#pragma once

#include <string>

namespace rookery::nodes {

/// "<host>-<process id>", as far as the name of a node may have that: what a
/// node is called that was not given a name.
[[nodiscard]] std::string process_name();

} // namespace rookery::nodes
