// Goal: whatever stands in a configuration file and on a command line, a node
// reads it or says in one line what is wrong. Method: the input is the file's
// text and, behind its first zero byte, one flag a line. What is valid must
// come out the same when it is described, as --check-config does, and read
// again; and a description may not depend on the password.
#include "bridge/assert.hpp"
#include "nodes/config/command_line.hpp"
#include "nodes/config/config_keys.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace rookery;
using namespace rookery::nodes;

namespace {

/// A file in memory, which has a name all the same.
class memory_file {
public:
  memory_file() : descriptor_{memfd_create("config", 0)} {
    ROOKERY_ASSERT(descriptor_ >= 0);
  }
  ~memory_file() { close(descriptor_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  void write(std::string_view text) const {
    ROOKERY_ASSERT(ftruncate(descriptor_, 0) == 0);
    ROOKERY_ASSERT(pwrite(descriptor_, text.data(), text.size(), 0)
                   == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string name() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

private:
  int descriptor_;
};

/// What is printed while this lives.
class captured_output {
public:
  captured_output()
      : errors_{std::cerr.rdbuf(text_.rdbuf())},
        output_{std::cout.rdbuf(text_.rdbuf())} {}
  ~captured_output() {
    std::cerr.rdbuf(errors_);
    std::cout.rdbuf(output_);
  }
  captured_output(const captured_output&) = delete;
  captured_output& operator=(const captured_output&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::streambuf* errors_;
  std::streambuf* output_;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    // No other file than ours: one of a device never ends.
    if (!text.substr(0, end).starts_with("--config"))
      result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

/// Nothing when the program would end here.
std::optional<node_config> read(const memory_file& file,
                                std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--config", file.name()});
  node_config result;
  captured_output said;
  CLI::App app{"", "rookery node"};
  add_node_options(app, result);
  const auto code = parse(app, std::move(arguments));
  if (!code)
    return result;
  ROOKERY_ASSERT(!said.text().empty());
  return std::nullopt;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const memory_file file;
  static const bool alone = [] {
    for (const auto& key : config_keys())
      unsetenv(key.variable().c_str());
    return true;
  }();
  ROOKERY_ASSERT(alone);

  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto end = std::min(input.find('\0'), size);
  file.write(input.substr(0, end));
  const auto first = read(file, split(input.substr(std::min(end + 1, size))));
  if (!first)
    return 0;
  if (const auto fault = validate(*first)) {
    ROOKERY_ASSERT(!fault->text().empty());
    return 0;
  }
  const auto text = describe(*first);
  if (!first->password.empty()) {
    auto other = *first;
    other.password += '!';
    ROOKERY_ASSERT(describe(other) == text);
  }
  file.write(text);
  const auto second = read(file, {});
  ROOKERY_ASSERT(second);
  // A masked password is not read again.
  if (first->password.empty())
    ROOKERY_ASSERT(describe(*second) == text);
  return 0;
}
