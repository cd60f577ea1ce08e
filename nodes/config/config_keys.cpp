#include "nodes/config/config_keys.hpp"

#include "nodes/config/number.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <limits>

namespace rookery::nodes {

namespace {

using reason = std::optional<std::string>;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t start = 0; start <= text.size();) {
    auto end = std::min(text.find(',', start), text.size());
    auto first = text.find_first_not_of(" \t", start);
    if (first < end) {
      auto last = text.find_last_not_of(" \t", end - 1);
      result.push_back(text.substr(first, last - first + 1));
    }
    start = end + 1;
  }
  return result;
}

struct range {
  std::uint64_t min;
  std::uint64_t max;

  [[nodiscard]] std::string text() const {
    return std::to_string(min) + ".." + std::to_string(max);
  }
};

std::uint64_t as_number(std::uint32_t x) { return x; }
std::uint64_t as_number(std::chrono::milliseconds x) {
  return static_cast<std::uint64_t>(x.count());
}

/// A whole number or a number of milliseconds. The range and the default are
/// added to the help text.
template <auto Member>
config_key number(std::string name, std::string help, range allowed) {
  config_key result;
  result.name = std::move(name);
  auto standard = as_number(node_config{}.*Member);
  result.help = std::move(help) + " (" + allowed.text() + ", default "
                + std::to_string(standard) + ")";
  result.read = [allowed](node_config& x, const std::string& value) -> reason {
    using type = std::remove_reference_t<decltype(x.*Member)>;
    auto parsed = parse_number(value);
    if (!parsed)
      return "is not a whole number";
    if (*parsed > std::numeric_limits<std::uint32_t>::max())
      return "must be " + allowed.text();
    x.*Member = type{static_cast<std::uint32_t>(*parsed)};
    return std::nullopt;
  };
  result.show = [](const node_config& x) {
    return std::to_string(as_number(x.*Member));
  };
  result.check = [allowed](const node_config& x) -> reason {
    auto value = as_number(x.*Member);
    if (value < allowed.min || value > allowed.max)
      return "must be " + allowed.text();
    return std::nullopt;
  };
  return result;
}

// What no configuration file could say, which knows no escapes.
reason fault_of_text(const std::string& x) {
  auto control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (std::any_of(x.begin(), x.end(), control))
    return "may not have control characters";
  if (x.find('#') != std::string::npos)
    return "may not have #, which starts a comment in a file";
  if (x.find('"') != std::string::npos && x.find('\'') != std::string::npos)
    return "may have only one kind of quotes";
  return std::nullopt;
}

bool is_address(const std::string& host) {
  in6_addr ignored{}; // the longer one
  return host == "localhost" || inet_pton(AF_INET, host.c_str(), &ignored) == 1
         || inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(),
                      &ignored)
                == 1;
}

template <std::string node_config::*Member>
config_key text(std::string name, std::string help) {
  config_key result;
  result.name = std::move(name);
  result.help = std::move(help);
  result.read = [](node_config& x, const std::string& value) -> reason {
    x.*Member = value;
    return std::nullopt;
  };
  result.show = [](const node_config& x) { return x.*Member; };
  result.check = [](const node_config& x) { return fault_of_text(x.*Member); };
  return result;
}

config_key roles_key() {
  config_key result;
  result.name = "roles";
  result.help = "What this node does: any of broker, tweet, follower, fanout; "
                "or all (a list, no default)";
  result.is_list = true;
  result.read = [](node_config& x, const std::string& value) -> reason {
    x.roles.clear();
    for (auto& name : split(value)) {
      if (name == "all")
        x.roles.insert(
            {role::broker, role::tweet, role::follower, role::fanout});
      else if (auto found = parse_role(name))
        x.roles.insert(*found);
      else
        return "unknown role '" + name
               + "'; roles are broker, tweet, follower, fanout, all";
    }
    return std::nullopt;
  };
  result.show = [](const node_config& x) {
    std::string shown;
    for (auto one : x.roles)
      shown.append(shown.empty() ? "" : ",").append(to_string(one));
    return shown;
  };
  result.check = [](const node_config& x) -> reason {
    if (x.roles.empty())
      return "name at least one of broker, tweet, follower, fanout, or all";
    return std::nullopt;
  };
  return result;
}

config_key brokers_key() {
  config_key result;
  result.name = "brokers";
  result.help =
      "Brokers to connect to, the preferred one first, of one cluster or "
      "standing by: host:port, at most 16 (a list, "
      "default: the own one with role broker, else 127.0.0.1:5672)";
  result.is_list = true;
  result.read = [](node_config& x, const std::string& value) -> reason {
    x.brokers.clear();
    for (auto& one : split(value)) {
      auto parsed = bridge::parse_endpoint(one);
      if (!parsed)
        return "'" + one + "' is not host:port (port up to 65535)";
      x.brokers.push_back(*parsed);
    }
    return std::nullopt;
  };
  result.show = [](const node_config& x) {
    std::string shown;
    for (auto& one : x.brokers)
      shown.append(shown.empty() ? "" : ",").append(to_string(one));
    return shown;
  };
  result.check = [](const node_config& x) -> reason {
    if (x.brokers.size() > 16)
      return "at most 16 brokers";
    for (auto& one : x.brokers)
      if (one.port == 0)
        return "port 0 cannot be connected to";
    return std::nullopt;
  };
  return result;
}

config_key listen_key() {
  config_key result;
  result.name = "listen";
  result.help = "Where the embedded broker (role broker) listens: host:port, "
                "port 0 takes a free one (default 127.0.0.1:5672)";
  result.read = [](node_config& x, const std::string& value) -> reason {
    auto parsed = bridge::parse_endpoint(value);
    if (!parsed)
      return "is not host:port (port up to 65535)";
    x.listen = *parsed;
    return std::nullopt;
  };
  result.show = [](const node_config& x) { return to_string(x.listen); };
  result.check = [](const node_config& x) -> reason {
    if (x.has(role::broker) && !is_address(x.listen.host))
      return "must be a numeric address of this machine or localhost";
    return std::nullopt;
  };
  return result;
}

config_key node_name_key() {
  auto result = text<&node_config::node_name>(
      "node-name", "Names this node in logs, addresses and at the broker: "
                   "1..64 of a-z A-Z 0-9 . _ - (default <host>-<process id>)");
  result.check = [](const node_config& x) -> reason {
    auto legal = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    };
    if (x.node_name.empty() || x.node_name.size() > 64)
      return "must have 1..64 characters";
    if (!std::all_of(x.node_name.begin(), x.node_name.end(), legal))
      return "may only have a-z A-Z 0-9 . _ -";
    return std::nullopt;
  };
  return result;
}

config_key user_key() {
  auto result = text<&node_config::user>(
      "user", "User at the broker, SASL PLAIN (default none: ANONYMOUS)");
  result.check = [](const node_config& x) -> reason {
    const auto own = x.has(role::broker) && x.brokers.empty();
    if (!x.user.empty() && own && x.roles.size() > 1)
      return "the broker of this node knows no users; leave user out, or name "
             "another with brokers";
    return fault_of_text(x.user);
  };
  return result;
}

config_key password_key() {
  auto result = text<&node_config::password>(
      "password", "Password for --user; better given as ROOKERY_PASSWORD or in "
                  "a file than as a flag (default none)");
  result.is_secret = true;
  result.check = [](const node_config& x) -> reason {
    if (!x.password.empty() && x.user.empty())
      return "needs a user";
    return std::nullopt;
  };
  return result;
}

config_key store_key() {
  auto result = text<&node_config::store>(
      "store", "Directory of the databases of the roles tweet and follower "
               "(default rookery-data)");
  result.check = [](const node_config& x) -> reason {
    if (x.store.empty() && (x.has(role::tweet) || x.has(role::follower)))
      return "the roles tweet and follower need a directory";
    return fault_of_text(x.store);
  };
  return result;
}

config_key log_level_key() {
  auto result = text<&node_config::log_level>(
      "log-level", "Least severity that is logged: debug, info, warning, error "
                   "(default info)");
  result.check = [](const node_config& x) -> reason {
    constexpr std::array known = {"debug", "info", "warning", "error"};
    if (std::find(known.begin(), known.end(), x.log_level) == known.end())
      return "must be debug, info, warning or error";
    return std::nullopt;
  };
  return result;
}

std::vector<config_key> make_keys() {
  using config = node_config;
  return {
      roles_key(),
      node_name_key(),
      brokers_key(),
      user_key(),
      password_key(),
      listen_key(),
      store_key(),
      number<&config::shards>(
          "shards",
          "Shards of readers, the same in all nodes; fixed by the "
          "store",
          {1, 1'024}),
      number<&config::tweet_partitions>(
          "tweet-partitions",
          "Partitions of authors, the same in all nodes; "
          "fixed by the store",
          {1, 1'024}),
      number<&config::timeline_cap>(
          "timeline-cap", "Entries kept in a home timeline", {1, 10'000}),
      number<&config::writer_window>(
          "writer-window",
          "Requests a writer works on at once, which is also "
          "what one commit takes at most",
          {1, 65'535}),
      number<&config::shard_window>(
          "shard-window", "Deliveries a shard works on at once", {1, 65'535}),
      number<&config::shard_queue_length_max>(
          "shard-queue-length-max",
          "Messages a shard's queue holds; what is older is dropped and read "
          "back from the store",
          {100, 100'000'000}),
      number<&config::threads>(
          "threads",
          "Threads that run actors; 0 = one for each core, at least 4",
          {0, 256}),
      log_level_key(),
      text<&config::ready_file>(
          "ready-file",
          "File that is written every second while the node hears from its "
          "broker, for health checks (default none)"),
      number<&config::idle_timeout>(
          "idle-timeout-ms", "A broker silent for so many milliseconds is gone",
          {2'000, 600'000}),
      number<&config::connect_timeout>(
          "connect-timeout-ms",
          "How many milliseconds a starting node waits "
          "for its broker before it gives up",
          {100, 3'600'000}),
      number<&config::stop_timeout>(
          "stop-timeout-ms",
          "How many milliseconds SIGTERM or SIGINT give the node to end its "
          "work; another one, from 250 ms later on, ends it at once",
          {100, 600'000}),
  };
}

} // namespace

std::string config_key::shown(const node_config& x) const {
  auto value = show(x);
  return is_secret && !value.empty() ? "***" : value;
}

std::string config_key::variable() const {
  std::string result = "ROOKERY_" + name;
  for (auto& c : result)
    c = c == '-'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

const std::vector<config_key>& config_keys() {
  static const auto keys = make_keys();
  return keys;
}

} // namespace rookery::nodes
