#include "nodes/client/client_options.hpp"

#include "nodes/config/node_config.hpp"

namespace rookery::nodes {

namespace {

void take_brokers(client_options& target,
                  const std::vector<std::string>& values) {
  target.brokers.clear();
  for (auto& value : values) {
    auto parsed = parse_endpoint(value);
    if (!parsed || parsed->port == 0)
      throw CLI::ValidationError("broker = " + value + ": is not host:port");
    target.brokers.push_back(*parsed);
  }
}

} // namespace

void add_client_options(CLI::App& app, client_options& target) {
  app.add_option_function<std::vector<std::string>>(
         "--broker,--brokers",
         [&target](auto& values) { take_brokers(target, values); },
         "Brokers to connect to, tried in turn: host:port (default "
         "127.0.0.1:5672)")
      ->envname("ROOKERY_BROKERS")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LIST");
  app.add_option("--user", target.user,
                 "User at the broker, SASL PLAIN (default none)")
      ->envname("ROOKERY_USER");
  app.add_option("--password", target.password,
                 "Better given as ROOKERY_PASSWORD")
      ->envname("ROOKERY_PASSWORD");
  app.add_option("--shards", target.service.shards,
                 "As in the nodes (1..1024, default 8)")
      ->envname("ROOKERY_SHARDS")
      ->check(CLI::Range(1, 1'024));
  app.add_option("--tweet-partitions", target.service.tweet_partitions,
                 "As in the nodes (1..1024, default 2)")
      ->envname("ROOKERY_TWEET_PARTITIONS")
      ->check(CLI::Range(1, 1'024));
  app.add_option_function<double>(
         "--timeout",
         [&target](double seconds) {
           target.timeout =
               std::chrono::milliseconds{static_cast<long>(seconds * 1'000)};
         },
         "Seconds to wait for the broker, and for each answer (0.1..3600, "
         "default 10)")
      ->check(CLI::Range(0.1, 3'600.0));
}

} // namespace rookery::nodes
