#include "nodes/drive/load_options.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <set>
#include <system_error>

namespace rookery::nodes {

void add_load_options(CLI::App& app, load_options& x) {
  add_client_options(app, x.client);
  app.add_option("--rate", x.rate,
                 "Operations offered a second, with Poisson arrivals "
                 "(1..1000000, default 2000)")
      ->check(between(1.0, 1e6));
  app.add_option("--seconds", x.seconds,
                 "How long to offer them (1..86400, default 10)")
      ->check(CLI::Range(1, 86'400));
  app.add_option("--seed", x.seed,
                 "Makes graph and load repeatable (default 1)");
  app.add_option("--posts", x.mix.posts, "Percent of posts (default 80)")
      ->check(between(0.0, 100.0));
  app.add_option("--follow-changes", x.mix.follow_changes,
                 "Percent of follows and unfollows together (default 10)")
      ->check(between(0.0, 100.0));
  app.add_option("--deletes", x.mix.deletes,
                 "Percent of deletes (default 2); the rest are reads of homes")
      ->check(between(0.0, 100.0));
  app.add_option("--edges", x.edges,
                 "File of lines FOLLOWER FOLLOWEE (default: generate a graph)");
  app.add_flag("--undirected", x.undirected,
               "Each line stands for both directions");
  app.add_option("--users", x.graph.users,
                 "Users of the generated graph, one in a thousand of whom "
                 "follows a fifth of all (2..100000, default 10000)")
      ->check(CLI::Range(2, 100'000));
  app.add_option("--in-flight-max", x.in_flight_max,
                 "Operations without an answer; what is due besides waits, "
                 "and its latency counts (1..1000000, default 10000)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option_function<double>(
         "--retry-time",
         [&x](double seconds) {
           x.retry_time =
               std::chrono::milliseconds{static_cast<long>(seconds * 1'000)};
         },
         "Seconds after the end until what has no answer is tried again, with "
         "the same idempotency key (0..3600, default 60)")
      ->check(between(0.0, 3'600.0));
  app.add_option("--status", x.status,
                 "File to replace about ten times a second during the load "
                 "with who of the service answers, as JSON (default none)");
  app.add_option("--lags", x.lags,
                 "File to append a line to for each tweet that was "
                 "acknowledged before it was readable everywhere: when it was "
                 "posted, acknowledged, readable (0: no shard told), "
                 "microseconds since 1970; ten seconds late (default none)");
  app.add_option("--journal", x.journal,
                 "File to append what was acknowledged to, for `rookery "
                 "verify` (default none)");
  app.add_option("--report", x.report,
                 "File to write the results to, as JSON (default none)");
  app.add_option_function<double>(
         "--quiet-timeout",
         [&x](double seconds) {
           x.quiet_timeout =
               std::chrono::milliseconds{static_cast<long>(seconds * 1'000)};
         },
         "Seconds until all is expanded and all homes are complete, before "
         "and after the load (1..3600, default 60)")
      ->check(between(1.0, 3'600.0));
}

namespace {

/// What is wrong with the files that are to be written, but for their content.
std::string fault_of_files(const load_options& x) {
  namespace fs = std::filesystem;
  std::error_code ignored; // who cannot look finds out when he writes
  // It is read first, to its end.
  if (fs::exists(x.journal, ignored)
      && !fs::is_regular_file(x.journal, ignored))
    return "journal: " + x.journal + " is no file";
  if (auto place = fs::path{x.status}.parent_path();
      !place.empty() && !fs::is_directory(place, ignored))
    return "status: there is no directory " + place.string();
  std::set<std::string> names;
  for (auto& name : {x.journal, x.report, x.lags, x.status})
    if (!name.empty() && !names.insert(name).second)
      return name + ": is to be two files";
  return {};
}

} // namespace

std::string fault_of(const load_options& x) {
  auto& mix = x.mix;
  if (mix.posts + mix.follow_changes + mix.deletes > 100.0)
    return "posts, follow-changes, deletes: are more than 100 percent";
  if (x.undirected && x.edges.empty())
    return "undirected: is for a file of edges";
  return fault_of_files(x);
}

} // namespace rookery::nodes
