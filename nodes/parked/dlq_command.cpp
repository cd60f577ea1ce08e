#include "nodes/parked/dlq_command.hpp"

#include "nodes/client/printable.hpp"
#include "nodes/load/json_object.hpp"
#include "nodes/parked/parked_print.hpp"
#include "nodes/parked/replay.hpp"
#include "nodes/wiring/service_types.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <limits>
#include <thread>
#include <utility>

namespace rookery::nodes {

namespace {

// Held at once by `list` and `show`.
constexpr std::uint64_t shown_max = 10'000;

struct dlq_options {
  client_options broker;
  std::string queue;
  std::uint64_t list_max = 100;
  std::uint64_t show_max = 20;
  std::uint64_t replay_max = std::numeric_limits<std::uint64_t>::max();
  std::string to;
  bool yes = false;
  bool json = false;
};

std::string messages(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

/// One run of one of the commands.
class run {
public:
  run(std::string name, const dlq_options& options)
      : name_{std::move(name)},
        options_{options},
        client_{options.broker} {}

  exit_code list() {
    return look(options_.list_max, [this](const auto& all) {
      if (!options_.json)
        return print_table(all, std::cout);
      for (const auto& each : all)
        std::cout << to_json(each, nullptr) << '\n';
    });
  }

  exit_code show() {
    return look(options_.show_max, [this](const auto& all) {
      const auto types = service_types();
      for (const auto& each : all) {
        if (options_.json) {
          std::cout << to_json(each, &types) << '\n';
          continue;
        }
        print_whole(each, types, std::cout);
        std::cout << '\n';
      }
    });
  }

  exit_code replay() {
    if (options_.to == options_.queue)
      return fail("--to is the queue that the messages are in",
                  exit_code::usage);
    if (!find())
      return exit_code::failed;
    if (waiting_ == 0)
      return nothing();
    const auto done =
        nodes::replay(client_, {options_.queue, options_.to,
                                std::min(options_.replay_max, waiting_)});
    std::uint64_t kept = 0;
    for (const auto& [why, count] : done.kept) {
      kept += count;
      std::cerr << name_ << ": " << messages(count)
                << " kept: " << printable(why) << '\n';
    }
    if (options_.json)
      std::cout
          << json_object{}.add("replayed", done.sent).add("kept", kept).text()
          << '\n';
    else
      std::cout << "replayed " << messages(done.sent) << '\n';
    if (done.broken)
      return fail(*done.broken
                  + "; what was not replayed is where it was, the last of it "
                    "perhaps also "
                    "where it goes");
    return kept == 0 ? exit_code::ok : exit_code::failed;
  }

  exit_code purge() {
    if (!find())
      return exit_code::failed;
    // Looked at before it is counted again: some may be held, or come yet.
    if (!options_.yes && waiting_ == 0)
      return nothing();
    if (!options_.yes)
      return fail("this throws away " + messages(waiting_)
                      + " for good; say --yes if that is meant",
                  exit_code::usage);
    const auto gone = client_.purge(options_.queue);
    if (!gone)
      return fail(gone.error());
    if (options_.json)
      std::cout << json_object{}.add("purged", *gone).text() << '\n';
    else
      std::cout << "purged " << messages(*gone) << '\n';
    return exit_code::ok;
  }

private:
  /// Takes messages, puts them back, and then prints: a reader of our output
  /// may be slow, and a broker does not wait for it.
  template <class Print>
  exit_code look(std::uint64_t count_max, Print print) {
    if (!find())
      return exit_code::failed;
    if (waiting_ == 0)
      return nothing();
    if (auto why = client_.consume(options_.queue))
      return fail(*why);
    const auto some = client_.take(
        static_cast<std::uint32_t>(std::min({count_max, waiting_, shown_max})));
    if (!some)
      return fail(some.error());
    client_.give_back();
    if (auto why = client_.close())
      return fail(*why);
    std::vector<parked_message> all;
    for (const auto& each : *some)
      all.push_back(read_parked(each.bytes));
    print(all);
    waiting_ = std::max<std::uint64_t>(waiting_, all.size());
    if (!options_.json)
      std::cout << messages(waiting_) << " parked"
                << (all.size() < waiting_
                        ? ", shown the first " + std::to_string(all.size())
                        : std::string{})
                << '\n';
    return exit_code::ok;
  }

  /// Tries until the timeout: a broker may be starting.
  fault connect() {
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds pause{250};
    constexpr std::chrono::milliseconds silence_max{1'000};
    const auto began = clock::now();
    for (auto told = false;;) {
      auto why = client_.connect();
      const auto waited = clock::now() - began;
      if (!why || waited + pause >= options_.broker.timeout)
        return why;
      if (waited >= silence_max && !std::exchange(told, true))
        std::cerr << name_ << ": " << printable(*why) << "; trying on\n";
      std::this_thread::sleep_for(pause);
    }
  }

  /// Connects and counts.
  bool find() {
    if (auto why = connect()) {
      static_cast<void>(fail(*why));
      return false;
    }
    const auto there = client_.count(options_.queue);
    if (!there) {
      static_cast<void>(fail(there.error()));
      return false;
    }
    waiting_ = *there;
    return true;
  }

  exit_code nothing() const {
    std::cerr << name_ << ": nothing is parked in \"" << options_.queue
              << "\"\n";
    return exit_code::ok;
  }

  exit_code fail(const std::string& why,
                 exit_code code = exit_code::failed) const {
    std::cerr << name_ << ": " << printable(why) << '\n'; // names from outside
    return code;
  }

  std::string name_;
  const dlq_options& options_;
  broker_client client_;
  std::uint64_t waiting_ = 0;
};

CLI::App& add_command(CLI::App& app, const std::string& name,
                      const std::string& about, dlq_options& target) {
  auto& result = *app.add_subcommand(name, about);
  result.fallthrough(); // what all of them take may stand behind
  result.footer("Takes --broker and the other options of `rookery dlq --help` "
                "too.");
  result.add_option("QUEUE", target.queue, "The queue of dead letters")
      ->required();
  return result;
}

void add_max(CLI::App& app, std::uint64_t& target, const std::string& about) {
  app.add_option("--max", target, about)
      ->type_name("UINT")
      ->check(CLI::Range(std::uint64_t{1}, shown_max));
}

} // namespace

exit_code dlq_command(const arguments& x) {
  CLI::App app{"Looks at messages that were given up and parked in a queue of "
               "dead letters.",
               "rookery dlq"};
  dlq_options options;
  add_broker_options(app, options.broker);
  app.add_flag("--json", options.json, "One JSON object a line");
  app.require_subcommand(1);
  auto& list =
      add_command(app, "list", "One line for each, and how many", options);
  add_max(list, options.list_max, "At most so many (1..10000, default 100)");
  auto& show = add_command(app, "show", "All of each, with its body", options);
  add_max(show, options.show_max, "At most so many (1..10000, default 20)");
  auto& replay = add_command(
      app, "replay", "Sends each again, and then takes it out", options);
  add_max(replay, options.replay_max, "At most so many (default all)");
  replay.add_option("--to", options.to,
                    "The queue it goes to (default: where it came from)");
  auto& purge = add_command(app, "purge", "Throws all away", options);
  purge.add_flag("--yes", options.yes, "Without it nothing is done");
  if (auto ended = parse(app, x))
    return *ended;
  const auto* chosen = app.get_subcommands().front();
  run command{app.get_name() + " " + chosen->get_name(), options};
  if (chosen == &list)
    return command.list();
  if (chosen == &show)
    return command.show();
  return chosen == &replay ? command.replay() : command.purge();
}

} // namespace rookery::nodes
