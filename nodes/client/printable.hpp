#pragma once

#include <string>

namespace rookery::nodes {

/// Keeps a text from commanding the terminal: no C0 and no C1 controls; the
/// latter are U+0080 to U+009F, in UTF-8 0xc2 and the same byte again.
[[nodiscard]] std::string printable(const std::string& text);

} // namespace rookery::nodes
