// Goal: a broken promise ends the program and says where. Method: a child
// process breaks one, the parent reads its last words.
#include "bridge/assert.hpp"

#include "tests/support/catch.hpp"

#include <csignal>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

TEST_CASE("assert: a kept promise costs nothing and says nothing",
          "[bridge][assert]") {
  int evaluated = 0;
  ROOKERY_ASSERT(++evaluated == 1);
  CHECK(evaluated == 1);
}

TEST_CASE("assert: a broken one names its place and aborts",
          "[bridge][assert]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL); // Catch would tell its own story
    dup2(ends[1], STDERR_FILENO);
    rookery::assertion_failed("1 > 2", "somewhere.cpp", 12);
  }
  close(ends[1]);
  std::string words;
  char buffer[256];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    words.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  CHECK(words.starts_with("somewhere.cpp:12: assertion failed: 1 > 2\n"));
}
