#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rookery::nodes {

/// Shows on stderr how far something is: a bar that is drawn over and over on
/// a terminal, elsewhere a line every five seconds.
class progress {
public:
  /// @param total what 100 % is; 0 shows nothing
  progress(std::string label, std::uint64_t total);
  /// Ends the bar's line.
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// @param note what else to say, a few words
  void update(std::uint64_t done, const std::string& note = {});

private:
  using clock = std::chrono::steady_clock;

  std::string label_;
  std::uint64_t total_;
  bool terminal_;
  clock::time_point next_; // when to show it again
  bool drawn_ = false;     // the bar is on the screen
};

} // namespace rookery::nodes
