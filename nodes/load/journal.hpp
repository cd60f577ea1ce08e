#pragma once

#include "bridge/expected.hpp"
#include "nodes/load/edge_file.hpp"
#include "nodes/load/operation.hpp"

#include <cstdint>
#include <fstream>
#include <istream>
#include <string>
#include <vector>

namespace rookery::nodes {

/// Writes down what a client tried to change and what it was told, so that
/// `verify` can hold the service to it. A text file of lines that is only ever
/// appended to; what happened to an attempt without an ending is unknown:
///
///     run                        a client starts; N starts again
///     import FOLLOWER FOLLOWEE   before any of them is sent
///     edge FOLLOWER FOLLOWEE     acknowledged import
///     try N post AUTHOR          before it is sent; N rises
///     try N delete AUTHOR TWEET
///     try N follow FOLLOWER FOLLOWEE
///     try N unfollow FOLLOWER FOLLOWEE
///     ok N [TWEET]               acknowledged; the id of a post
///     no N                       refused, nothing was changed
class journal_writer {
public:
  /// Appends to the file `name`, which is made if need be; a last line that
  /// was cut off goes first. An empty name writes nothing.
  explicit journal_writer(const std::string& name);

  void importing(const edge& x);
  void imported(const edge& x);
  /// @returns the number of the attempt. Reads are not written down.
  std::uint64_t tried(const operation& x);
  void ended(std::uint64_t number, ending how, std::uint64_t tweet = 0);

  /// Hands everything to the operating system.
  /// @returns whether all that was written so far got there.
  [[nodiscard]] bool flush();

private:
  bool enabled_;
  std::ofstream file_;
  std::uint64_t count_ = 0;
};

/// One attempt, read back.
struct journal_entry {
  operation what;
  ending how = ending::unknown;
  std::uint64_t tweet = 0; // of an acknowledged post
  bool imported = false;   // of an import, which counts as no change
};

struct journal {
  std::vector<journal_entry> entries; // in the order they were tried
};

/// Appends what `input` says to `target`.
/// @returns empty, or one sentence with the first bad line and its number.
[[nodiscard]] std::string read_journal(std::istream& input, journal& target);

} // namespace rookery::nodes
