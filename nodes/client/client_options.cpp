#include "nodes/client/client_options.hpp"

#include "nodes/config/node_config.hpp"
#include "nodes/config/number.hpp"

#include <CLI/CLI.hpp>

namespace rookery::nodes {

namespace {

void take_brokers(client_options& target,
                  const std::vector<std::string>& values) {
  target.brokers.clear();
  for (auto& value : values) {
    auto parsed = bridge::parse_endpoint(value);
    if (!parsed || parsed->port == 0)
      throw CLI::ValidationError("broker = " + value
                                 + ": is not host:port (port up to 65535)");
    target.brokers.push_back(*parsed);
  }
}

template <class Target>
CLI::Option* add_decimal(CLI::App& app, const std::string& name, Target& target,
                         const std::string& about) {
  auto take = [&target, name](const std::string& text) {
    auto number = parse_number(text);
    if (!number)
      throw CLI::ValidationError(
          name + ": \"" + text
          + "\" is not a whole number of 0..18446744073709551615");
    target = *number;
  };
  return app.add_option_function<std::string>(name, take, about)
      ->type_name("UINT");
}

} // namespace

CLI::Option* add_number(CLI::App& app, const std::string& name,
                        std::uint64_t& target, const std::string& about) {
  return add_decimal(app, name, target, about);
}

CLI::Option* add_number(CLI::App& app, const std::string& name,
                        std::optional<std::uint64_t>& target,
                        const std::string& about) {
  return add_decimal(app, name, target, about);
}

CLI::Validator between(double least, double most) {
  auto range = CLI::Range(least, most);
  return CLI::Validator{
      [=](std::string& text) {
        auto lower = CLI::detail::to_lower(text);
        double number = 0;
        const auto known = CLI::detail::lexical_cast(text, number)
                           && lower.find("nan") == std::string::npos;
        return known ? range(text) : "\"" + text + "\" is not a number";
      },
      range.get_description()};
}

void add_broker_options(CLI::App& app, client_options& target) {
  app.add_option_function<std::vector<std::string>>(
         "--broker,--brokers",
         [&target](auto& values) { take_brokers(target, values); },
         "Brokers to connect to, tried in turn: host:port, several with "
         "commas (default 127.0.0.1:5672)")
      ->envname("ROOKERY_BROKERS")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("LIST (Env:ROOKERY_BROKERS)");
  app.add_option("--user", target.user,
                 "User at the broker, SASL PLAIN (default none)")
      ->envname("ROOKERY_USER");
  app.add_option("--password", target.password,
                 "Better given as ROOKERY_PASSWORD")
      ->envname("ROOKERY_PASSWORD");
  app.add_option_function<double>(
         "--timeout",
         [&target](double seconds) {
           target.timeout =
               std::chrono::milliseconds{static_cast<long>(seconds * 1'000)};
         },
         "Seconds to wait for the broker, and for each answer (0.1..3600, "
         "default 10)")
      ->check(between(0.1, 3'600.0));
}

void add_client_options(CLI::App& app, client_options& target) {
  add_broker_options(app, target);
  app.add_option("--shards", target.service.shards,
                 "As in the nodes (1..1024, default 8)")
      ->envname("ROOKERY_SHARDS")
      ->check(CLI::Range(1, 1'024));
  app.add_option("--tweet-partitions", target.service.tweet_partitions,
                 "As in the nodes (1..1024, default 2)")
      ->envname("ROOKERY_TWEET_PARTITIONS")
      ->check(CLI::Range(1, 1'024));
}

} // namespace rookery::nodes
