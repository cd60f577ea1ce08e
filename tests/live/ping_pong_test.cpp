// The example of two programs, run as anyone would: both as processes of their
// own, with the embedded broker between them. They have deadlines themselves.
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

using namespace rookery;

namespace {

// A child process, and what it prints.
class program {
public:
  program(const char* variable, const std::string& arguments) {
    const char* path = std::getenv(variable);
    REQUIRE(path != nullptr);
    auto command = '"' + std::string{path} + "\" " + arguments;
    output_ = popen(command.c_str(), "r");
    REQUIRE(output_ != nullptr);
  }
  ~program() {
    if (output_ != nullptr)
      pclose(output_);
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  /// The next line without its end; empty when there is none.
  std::string line() {
    std::array<char, 256> buffer{};
    if (std::fgets(buffer.data(), buffer.size(), output_) == nullptr)
      return {};
    std::string result{buffer.data()};
    result.resize(result.find_last_not_of('\n') + 1);
    return result;
  }
  /// Waits for its end; 0 when it went well.
  int status() { return pclose(std::exchange(output_, nullptr)); }

private:
  std::FILE* output_ = nullptr;
};

} // namespace

TEST_CASE("ping pong: two programs talk through a broker",
          "[live][ping_pong]") {
  tests::loopback_broker broker;
  auto where = "127.0.0.1:" + std::to_string(broker.port());
  program pong{"ROOKERY_PROGRAM_example_pong", where};
  REQUIRE(pong.line() == "pong: ready");
  program ping{"ROOKERY_PROGRAM_example_ping", where + " 3"};
  for (auto answer : {"pong 3", "pong 2", "pong 1", "pong 0", ""})
    CHECK(ping.line() == answer);
  CHECK(ping.status() == 0);
  CHECK(pong.status() == 0);
}
