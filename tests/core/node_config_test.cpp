// Goal: a node is configured by flags, environment and file, in that order of
// strength, and whatever is wrong is named with its key, value and reason.
// Method: parse real argument lists and real files; the environment is set.
#include "nodes/config/command_line.hpp"
#include "nodes/config/config_keys.hpp"
#include "tests/support/catch.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace {

using namespace rookery::nodes;
using rookery::bridge::endpoint;

/// What is written to stderr while this lives.
class captured_stderr {
public:
  captured_stderr() : kept_(std::cerr.rdbuf(text_.rdbuf())) {}
  ~captured_stderr() { std::cerr.rdbuf(kept_); }
  [[nodiscard]] std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::streambuf* kept_;
};

/// A file that is gone with this.
class temporary_file {
public:
  explicit temporary_file(const std::string& content)
      : path_(std::filesystem::temp_directory_path()
              / ("rookery-config-" + std::to_string(getpid()))) {
    std::ofstream{path_} << content;
  }
  ~temporary_file() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string name() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

/// An environment variable that is gone with this.
class variable {
public:
  variable(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);
  }
  ~variable() { unsetenv(name_); }

private:
  const char* name_;
};

struct outcome {
  node_config config;
  std::optional<exit_code> code;
  std::string message;
};

outcome read(const std::vector<std::string>& arguments) {
  outcome result;
  captured_stderr errors;
  CLI::App app{"", "rookery node"};
  add_node_options(app, result.config);
  result.code = parse(app, arguments);
  result.message = errors.text();
  return result;
}

/// The first fault of a configuration that is otherwise good.
std::string fault_of(const std::function<void(node_config&)>& change) {
  node_config config;
  config.node_name = "ann";
  config.roles = {role::fanout};
  change(config);
  auto fault = validate(config);
  return fault ? fault->text() : "";
}

} // namespace

TEST_CASE("node config: flags fill it", "[nodes][node_config]") {
  auto x = read({"--roles", "tweet,follower", "--shards", "16", "--listen",
                 "0.0.0.0:0", "--stop-timeout-ms", "250", "--brokers",
                 "a:1,[::1]:2"});
  REQUIRE_FALSE(x.code);
  CHECK(x.config.roles == std::set{role::tweet, role::follower});
  CHECK(x.config.shards == 16);
  CHECK(x.config.listen == endpoint{"0.0.0.0", 0});
  CHECK(x.config.stop_timeout == std::chrono::milliseconds{250});
  CHECK(x.config.brokers == std::vector{endpoint{"a", 1}, endpoint{"::1", 2}});
}

TEST_CASE("node config: all is every role", "[nodes][node_config]") {
  auto x = read({"--roles", "all"});
  CHECK(x.config.roles
        == std::set{role::broker, role::tweet, role::follower, role::fanout});
}

TEST_CASE("node config: flags win over the environment, that over the file",
          "[nodes][node_config]") {
  temporary_file file{"roles = fanout, tweet # two of them\n"
                      "shards = 3\nthreads = 3\ntimeline-cap = 3\n"
                      "brokers = [\"a:1\", \"b:2\"]\n"};
  variable threads{"ROOKERY_THREADS", "4"};
  variable cap{"ROOKERY_TIMELINE_CAP", "4"};
  auto x = read({"--timeline-cap", "5", "--config", file.name()});
  REQUIRE_FALSE(x.code);
  CHECK(x.config.roles == std::set{role::tweet, role::fanout});
  CHECK(x.config.brokers.size() == 2);
  CHECK(x.config.shards == 3);
  CHECK(x.config.threads == 4);
  CHECK(x.config.timeline_cap == 5);
}

TEST_CASE("node config: its description is a file that means the same",
          "[nodes][node_config]") {
  auto first = read({"--roles", "broker", "--node-name", "ann", "--brokers",
                     "a:1,b:2", "--store", "a b", "--log-level", "debug"});
  temporary_file file{describe(first.config)};
  auto second = read({"--config", file.name()});
  REQUIRE_FALSE(second.code);
  CHECK(describe(second.config) == describe(first.config));
  CHECK(second.config.store == "a b");
}

TEST_CASE("node config: quotes in a path survive a description",
          "[nodes][node_config]") {
  for (auto path : {"o'hara", "the \"big\" disk", "a,b", "[a]"}) {
    INFO(path);
    auto first =
        read({"--roles", "all", "--node-name", "ann", "--store", path});
    CHECK_FALSE(validate(first.config));
    temporary_file file{describe(first.config)};
    auto second = read({"--config", file.name()});
    REQUIRE_FALSE(second.code);
    CHECK(second.config.store == path);
  }
  for (auto path : {"o'hara's \"big\" disk", "a\nb", "disk #1"}) {
    auto x = read({"--roles", "all", "--node-name", "ann", "--store", path});
    auto fault = validate(x.config);
    REQUIRE(fault);
    CHECK(fault->key == "store");
  }
}

TEST_CASE("node config: a password is never shown", "[nodes][node_config]") {
  variable password{"ROOKERY_PASSWORD", "hush"};
  auto x = read({"--roles", "all", "--user", "ann"});
  CHECK(x.config.password == "hush");
  CHECK(describe(x.config).find("hush") == std::string::npos);
  CHECK(describe(x.config).find("# password = \"***\"") != std::string::npos);
  x = read({"--user", "ann", "--password", "hush", "--password", "quiet"});
  CHECK(x.message == "rookery node: password = ***: takes one value\n");
}

TEST_CASE("node config: what cannot be read is named with key and value",
          "[nodes][node_config]") {
  auto message = [](const std::vector<std::string>& arguments) {
    auto x = read(arguments);
    CHECK(x.code == exit_code::usage);
    return x.message;
  };
  CHECK(message({"--roles", "tweet,king"})
        == "rookery node: roles = tweet,king: unknown role 'king'; roles are "
           "broker, tweet, follower, fanout, all\n");
  CHECK(message({"--shards", "many"})
        == "rookery node: shards = many: is not a whole number\n");
  CHECK(message({"--shards", "99999999999"})
        == "rookery node: shards = 99999999999: must be 1..1024\n");
  CHECK(message({"--shards", "1", "--shards", "2"})
        == "rookery node: shards = 1,2: takes one value\n");
  CHECK(
      message({"--listen", "here"})
      == "rookery node: listen = here: is not host:port (port up to 65535)\n");
  CHECK(message({"--listen", "here:65536"})
        == "rookery node: listen = here:65536: is not host:port (port up to "
           "65535)\n");
  for (auto host : {"a_b-c.d", "[fe80::1%eth0]"})
    CHECK(to_string(read({"--listen", host + std::string{":1"}}).config.listen)
          == host + std::string{":1"});
  // A file could not say these, so none may come from elsewhere.
  for (auto host : {"disk#1", "o'hara", "a\x01", "a,b", "[a#b]", "caf\xc3\xa9"})
    CHECK(
        message({"--listen", host + std::string{":1"}}).find("is not host:port")
        != std::string::npos);
  CHECK(message({"--brokers", "a:1,::1:2"})
        == "rookery node: brokers = a:1,::1:2: '::1:2' is not host:port (port "
           "up to 65535)\n");
  CHECK(message({"--config", "/nowhere/at.all"}).find("/nowhere/at.all")
        != std::string::npos);
}

TEST_CASE("node config: a file may only have keys that exist",
          "[nodes][node_config]") {
  auto message = [](const std::string& content) {
    temporary_file file{content};
    auto x = read({"--config", file.name()});
    CHECK(x.code == exit_code::usage);
    const auto begin = "rookery node: " + file.name() + ": ";
    CHECK(x.message.starts_with(begin));
    return x.message.substr(std::min(begin.size(), x.message.size()));
  };
  CHECK(message("shrds = 8\n")
        == "line 1: shrds: the configuration has no such key\n");
  CHECK(message("[node]\nshards = 8\n")
        == "line 1: the configuration file has no sections, only "
           "lines KEY = VALUE\n");
  CHECK(message("shards = 8\nroles = all\nshards = 4\n")
        == "line 3: shards is there twice, first in line 1\n");
  CHECK(message("# ours\n\npassword secret\n")
        == "line 3: is not KEY = VALUE\n");
  CHECK(message("password c2VjcmV0==\n") == "line 1: is not KEY = VALUE\n");
  for (auto open : {"[data\nshards = 4", "\"data", "'", "\"da#ta\""})
    CHECK(message("store = " + std::string{open} + "\n")
          == "line 1: store: a quote or bracket is not closed (# "
             "begins a comment, also between quotes)\n");
  CHECK(message("= 8\n") == "line 1: is not KEY = VALUE\n");
  CHECK(message("\x7f"
                "ELF\x02\x01\n")
        == "line 1: has control characters; is this a "
           "configuration file?\n");
}

TEST_CASE("node config: a file may begin with a byte order mark",
          "[nodes][node_config]") {
  temporary_file file{"\xef\xbb\xbfroles = all\n"};
  CHECK(read({"--config", file.name()}).config.has(role::tweet));
}

TEST_CASE("node config: a value in a file is refused as elsewhere",
          "[nodes][node_config]") {
  temporary_file file{"shards = none\n"};
  auto x = read({"--config", file.name()});
  CHECK(x.code == exit_code::usage);
  CHECK(x.message == "rookery node: shards = none: is not a whole number\n");
}

TEST_CASE("node config: values out of range are refused",
          "[nodes][node_config]") {
  CHECK(fault_of([](auto&) {}).empty());
  CHECK(fault_of([](auto& x) { x.roles = {}; })
        == "roles = (nothing): name at least one of broker, tweet, follower, "
           "fanout, or all");
  CHECK(fault_of([](auto& x) { x.shards = 0; })
        == "shards = 0: must be 1..1024");
  CHECK(fault_of([](auto& x) { x.node_name = "a b"; })
        == "node-name = a b: may only have a-z A-Z 0-9 . _ -");
  CHECK(fault_of([](auto& x) { x.node_name = std::string(65, 'a'); }) != "");
  CHECK(fault_of([](auto& x) {
          x.brokers = {{"a", 0}};
        })
        == "brokers = a:0: port 0 cannot be connected to");
  for (auto host : {"localhost", "0.0.0.0", "::1", "fe80::1%eth0"})
    CHECK(fault_of([&](auto& x) {
            x.roles = {role::broker};
            x.listen.host = host;
          }).empty());
  CHECK(fault_of([](auto& x) {
          x.roles = {role::broker};
          x.listen.host = "example.org";
        })
        == "listen = example.org:5672: must be a numeric address of this "
           "machine or localhost");
  CHECK(fault_of([](auto& x) {
          x.roles = {role::broker, role::fanout};
          x.user = "ann";
        })
        == "user = ann: the broker of this node knows no users; leave user "
           "out, or name another with brokers");
  CHECK(fault_of([](auto& x) { x.password = "hush"; })
        == "password = ***: needs a user");
  CHECK(fault_of([](auto& x) { x.log_level = "loud"; })
        == "log-level = loud: must be debug, info, warning or error");
  CHECK(fault_of([](auto& x) {
          x.roles = {role::tweet};
          x.store = "";
        })
        == "store = (nothing): the roles tweet and follower need a directory");
  CHECK(fault_of([](auto& x) { x.idle_timeout = std::chrono::seconds{1}; })
        == "idle-timeout-ms = 1000: must be 2000..600000");
}

TEST_CASE("node config: every key says its default or that it has none",
          "[nodes][node_config]") {
  for (auto& key : config_keys()) {
    INFO(key.name);
    CHECK(key.help.find("default") != std::string::npos);
    CHECK(key.variable().starts_with("ROOKERY_"));
  }
}
