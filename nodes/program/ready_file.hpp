#pragma once

#include <string>
#include <utility>

namespace rookery::nodes {

/// A file that is there, and young, while a node can work: for health checks of
/// whatever runs it. Without a name it does nothing.
class ready_file {
public:
  explicit ready_file(std::string name) : name_(std::move(name)) {}
  /// Removes it.
  ~ready_file() { set(false); }
  ready_file(const ready_file&) = delete;
  ready_file& operator=(const ready_file&) = delete;

  /// Makes or touches the file, or removes it. @returns false when that failed
  bool set(bool ready);

private:
  std::string name_;
};

} // namespace rookery::nodes
