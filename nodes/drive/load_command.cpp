#include "nodes/drive/load_command.hpp"

#include "nodes/client/edge_import.hpp"
#include "nodes/client/progress.hpp"
#include "nodes/client/quiet.hpp"
#include "nodes/drive/completion_reader.hpp"
#include "nodes/drive/home_reads.hpp"
#include "nodes/drive/load_report.hpp"
#include "nodes/drive/status_file.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <numeric>

namespace rookery::nodes {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds lags_late{10};

/// Why a load ended early, for the user.
struct trouble {
  exit_code code;
  std::string text;
};

struct graph {
  std::vector<actors::user_id> users;
  std::vector<edge> edges;
};

double seconds_since(clock::time_point x) {
  return std::chrono::duration<double>(clock::now() - x).count();
}

std::uint64_t pushed(const std::vector<service::v1::ShardStatus>& shards) {
  return std::accumulate(shards.begin(), shards.end(), std::uint64_t{0},
                         [](auto sum, auto& x) { return sum + x.pushed(); });
}

bridge::expected<graph, std::string> graph_of(const load_options& options) {
  if (options.edges.empty()) {
    auto wanted = options.graph;
    wanted.seed = options.seed;
    graph result{std::vector<actors::user_id>(wanted.users),
                 generate_graph(wanted)};
    std::iota(result.users.begin(), result.users.end(), 0);
    return result;
  }
  auto edges = read_edge_file(options.edges, {options.undirected});
  if (!edges)
    return bridge::unexpected{edges.error()};
  if (edges->empty())
    return bridge::unexpected{options.edges + ": has no edges"};
  auto users = users_of(*edges);
  return graph{std::move(users), std::move(*edges)};
}

/// The steps of a load, one after the other; the first trouble ends it.
class load_run {
public:
  load_run(const load_options& options, graph what)
      : options_(options),
        graph_(std::move(what)),
        client_(options.client),
        journal_(options.journal),
        lag_file_(options.lags, std::ios::app),
        completions_(client_, lags_) {}

  std::optional<trouble> run() {
    if (!journal_.flush())
      return trouble{exit_code::usage,
                     "journal " + options_.journal + ": cannot be written"};
    if (!lags_written())
      return trouble{exit_code::usage,
                     "lags " + options_.lags + ": cannot be written"};
    report_.users = graph_.users.size();
    report_.edges = graph_.edges.size();
    auto why = prepare();
    if (why.empty())
      why = measure();
    if (why.empty())
      why = complete_homes("read homes again");
    if (why.empty() && !journal_.flush())
      why = "journal " + options_.journal + ": could not be written";
    if (why.empty() && !lags_written())
      why = "lags " + options_.lags + ": could not be written";
    if (!why.empty())
      return trouble{exit_code::failed, why};
    return std::nullopt;
  }

  [[nodiscard]] const load_report& report() const { return report_; }

private:
  /// Makes the graph, and a complete timeline for everybody: only those are
  /// pushed to.
  std::string prepare() {
    if (auto why = client_.connect())
      return *why;
    for (auto& x : graph_.edges)
      journal_.importing(x);
    if (!journal_.flush())
      return "journal " + options_.journal + ": could not be written";
    auto imported = import_edges(
        client_, graph_.edges, [this](std::span<const edge> edges, bool known) {
          if (known)
            for (auto& x : edges)
              journal_.imported(x);
        });
    if (imported.failure)
      return "import edges: " + *imported.failure;
    auto quiet = wait();
    if (!quiet)
      return quiet.error();
    auto why = complete_homes("read homes");
    completions_.skip();
    return why;
  }

  std::string measure() {
    auto before = ask_shards(client_, client_.timeout());
    if (!before)
      return before.error();
    workload work{{.mix = options_.mix, .seed = options_.seed},
                  graph_.users,
                  std::move(graph_.edges)};
    std::optional<status_file> status;
    if (!options_.status.empty())
      status.emplace(client_, options_.status);
    auto started = clock::now();
    {
      progress shown{"load", options_.seconds * std::uint64_t{1'000}};
      auto look = [&](std::uint64_t ended, std::uint64_t in_flight) {
        completions_.poll();
        write_lags(lags_late);
        auto passed = seconds_since(started);
        shown.update(static_cast<std::uint64_t>(passed * 1'000),
                     std::to_string(ended) + " done, "
                         + std::to_string(in_flight) + " under way");
      };
      report_.results = drive(client_, options_, work, journal_, lags_, look);
    }
    report_.load_seconds = report_.results.seconds;
    auto drained = clock::now();
    auto after = wait();
    if (!after)
      return after.error();
    report_.drain_seconds = seconds_since(drained);
    completions_.finish();
    write_lags({});
    report_.deliveries =
        pushed(*after) - std::min(pushed(*before), pushed(*after));
    if (status) { // shards may have started anew
      status->stop();
      report_.deliveries = status->pushed();
    }
    report_.readable = completions_.latencies();
    report_.completions_lost = completions_.lost();
    return {};
  }

  /// @param late how long shards have to tell of a tweet
  void write_lags(std::chrono::microseconds late) {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    auto before =
        std::chrono::duration_cast<std::chrono::microseconds>(now) - late;
    lags_.write(lag_file_, static_cast<std::uint64_t>(before.count()));
    lag_file_.flush();
  }

  [[nodiscard]] bool lags_written() const {
    return options_.lags.empty() || lag_file_;
  }

  std::string complete_homes(const std::string& label) {
    auto homes =
        read_homes(client_, graph_.users, options_.quiet_timeout, label);
    report_.bad_homes += homes.bad;
    if (homes.bad > 0)
      report_.results.bad_read = homes.trouble;
    if (homes.read < graph_.users.size())
      return homes.trouble;
    return {};
  }

  bridge::expected<std::vector<service::v1::ShardStatus>, std::string> wait() {
    return wait_until_quiet(
        client_, [this](auto left) { return ask_heads(client_, left); },
        options_.quiet_timeout);
  }

  const load_options& options_;
  graph graph_;
  service_client client_;
  journal_writer journal_;
  std::ofstream lag_file_;
  lag_log lags_;
  completion_reader completions_;
  load_report report_;
};

} // namespace

exit_code load_command(const std::vector<std::string>& arguments) {
  CLI::App app{"Offers a seeded load, whatever the service makes of it: "
               "operations come at random moments, and latency counts from "
               "when they were due. Imports a graph and reads everybody's home "
               "before, and reads everybody's home again after, so that all "
               "timelines are complete.\n"
               "Exit codes: 0 done; 1 an operation failed or a read was wrong; "
               "2 the command line or a file is wrong.",
               "rookery load"};
  load_options options;
  add_load_options(app, options);
  if (auto ended = parse(app, arguments))
    return *ended;
  auto fail = [&](exit_code code, const std::string& why) {
    std::cerr << app.get_name() << ": " << why << std::endl;
    return code;
  };
  if (auto fault = fault_of(options); !fault.empty())
    return fail(exit_code::usage, fault);
  auto what = graph_of(options);
  if (!what)
    return fail(exit_code::usage, what.error());
  // What an earlier load wrote stays until there is something better.
  if (!options.report.empty() && !std::ofstream{options.report, std::ios::app})
    return fail(exit_code::usage,
                "report " + options.report + ": cannot be written");
  load_run run{options, std::move(*what)};
  if (auto why = run.run())
    return fail(why->code, why->text);
  print(std::cout, run.report());
  if (!options.report.empty()
      && !(std::ofstream{options.report} << to_json(run.report(), options)
                                         << std::endl))
    return fail(exit_code::failed,
                "report " + options.report + ": could not be written");
  auto& results = run.report().results;
  auto bad = run.report().bad_homes + results.bad_reads + results.failed();
  return bad == 0 ? exit_code::ok : exit_code::failed;
}

} // namespace rookery::nodes
