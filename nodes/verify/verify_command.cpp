#include "nodes/verify/verify_command.hpp"

#include "nodes/client/quiet.hpp"
#include "nodes/verify/journal_check.hpp"
#include "nodes/verify/timeline_check.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace rookery::nodes {

namespace {

using namespace service::v1;

constexpr std::uint32_t page_entries_max = 50'000;

constexpr const char* about =
    "Proves that the home timelines are right: waits until the service is "
    "quiet, then compares every complete timeline with what the databases of "
    "the store say it must be, and the store with the journals of `rookery "
    "load`. With a journal, which must then tell all that was ever changed, "
    "what nobody asked for is a mismatch, too.\n"
    "Exit codes: 0 nothing is missing and nothing differs; 1 something is, or "
    "it could not be found out; 2 the command line or a file is wrong.";

struct verify_options {
  client_options client = {};
  std::string store = "rookery-data";
  std::vector<std::string> journals = {};
  double deadline = 60; // seconds
};

/// The steps of a verification; each returns why it failed, or empty.
class verification {
public:
  verification(const verify_options& options, oracle_store store)
      : options_(options),
        store_(std::move(store)),
        client_(with_layout_of(store_, options.client)) {}

  std::string run(const journal& told) {
    if (auto why = client_.connect())
      return *why;
    auto shards = wait();
    if (!shards)
      return shards.error();
    auto heads = store_.heads();
    auto why = store_.load_graph();
    if (why.empty())
      why = check_journal(told, !options_.journals.empty(), store_, result_);
    if (why.empty())
      why = check_twice(*shards);
    if (why.empty())
      why = still_quiet(heads);
    if (why.empty())
      why = count(*shards);
    return why;
  }

  [[nodiscard]] const verdict& result() const { return result_; }

private:
  static client_options with_layout_of(const oracle_store& store,
                                       client_options x) {
    x.service = {store.shards(), store.partitions()};
    return x;
  }

  bridge::expected<std::vector<ShardStatus>, std::string> wait() {
    auto timeout =
        std::chrono::milliseconds{static_cast<long>(options_.deadline * 1'000)};
    return wait_until_quiet(
        client_, [this](auto) { return store_.heads(); }, timeout);
  }

  /// Whether all that was compared belongs together.
  std::string
  still_quiet(const bridge::expected<log_heads, std::string>& before) {
    auto after = store_.heads();
    if (!before || !after)
      return before ? after.error() : before.error();
    if (*before != *after)
      return "the store was written to meanwhile";
    auto shards = ask_shards(client_, client_.timeout());
    if (!shards)
      return shards.error();
    auto why = unquiet(*after, *shards);
    return why.empty() ? why : "not quiet any more: " + why;
  }

  /// A shard that has just changed hands dumps what it has, before it has
  /// caught up: what differs is looked at again when all is quiet again.
  std::string check_twice(std::vector<ShardStatus>& shards) {
    const auto before = result_;
    auto why = check_timelines(shards);
    if (!why.empty() || result_.mismatches == before.mismatches)
      return why;
    result_ = before;
    dumped_.clear();
    auto again = wait();
    if (!again)
      return again.error();
    shards = std::move(*again);
    return check_timelines(shards);
  }

  std::string check_timelines(const std::vector<ShardStatus>& shards) {
    for (auto& shard : shards) {
      DumpTimelinesRequest request;
      request.set_entries_max(page_entries_max);
      for (auto last = false; !last;) {
        auto page = client_.ask<DumpTimelinesReply>(
            shard_address(shard.shard(), client_.service()), request);
        if (!page)
          return "shard " + std::to_string(shard.shard()) + ": " + page.error();
        auto& timelines = *page->mutable_timelines();
        for (auto& x : timelines)
          if (auto why = check(x, shard.timeline_cap()); !why.empty())
            return why;
        last = page->last() || timelines.empty();
        if (last)
          break;
        auto end = timelines[timelines.size() - 1].user();
        if (request.has_after_user() && end <= request.after_user())
          return "shard " + std::to_string(shard.shard())
                 + " dumps the same timelines again";
        request.set_after_user(end);
      }
    }
    return {};
  }

  std::string check(const DumpTimelinesReply::Timeline& x, std::uint32_t cap) {
    auto wanted = store_.home(x.user(), cap);
    if (!wanted)
      return wanted.error();
    ++result_.timelines;
    dumped_.push_back(x.user());
    std::span<const actors::tweet_id> held{
        x.ids().data(), static_cast<std::size_t>(x.ids_size())};
    result_.entries += std::min<std::size_t>(held.size(), cap);
    if (auto wrong = compare_timeline(held, *wanted, cap)) {
      ++result_.mismatches;
      result_.explain("home of " + std::to_string(x.user()) + ": " + *wrong);
    }
    return {};
  }

  /// Everybody known, be it only by having read.
  std::string count(const std::vector<ShardStatus>& shards) {
    auto users = store_.users();
    if (!users)
      return users.error();
    std::sort(dumped_.begin(), dumped_.end());
    users->insert(users->end(), dumped_.begin(), dumped_.end());
    std::sort(users->begin(), users->end());
    if (std::adjacent_find(dumped_.begin(), dumped_.end()) != dumped_.end())
      return "a shard dumped a timeline twice";
    users->erase(std::unique(users->begin(), users->end()), users->end());
    result_.users = users->size();
    if (result_.users > 0 && result_.timelines == 0)
      result_.explain("nothing was compared: no timeline is complete, because "
                      "nobody has read any since the shards started");
    for (auto& shard : shards) {
      result_.pushed += shard.pushed();
      result_.pulled += shard.pulled();
      result_.trimmed += shard.trimmed();
    }
    return {};
  }

  const verify_options& options_;
  oracle_store store_;
  service_client client_;
  verdict result_;
  std::vector<actors::user_id> dumped_; // whose timelines were compared
};

/// @returns what is wrong with a journal, or empty
std::string read_all(const std::vector<std::string>& names, journal& result) {
  for (auto& name : names) {
    std::ifstream input{name};
    if (!input)
      return name + ": cannot be read";
    if (auto why = read_journal(input, result); !why.empty())
      return name + ": " + why;
  }
  return {};
}

/// @returns what was said of the layout and is not so in the store, or empty
std::string differs(const CLI::App& app, const layout& told,
                    const oracle_store& store) {
  auto compare = [&app](const std::string& flag, std::uint32_t said,
                        std::uint32_t is) {
    return app.count(flag) == 0 || said == is
               ? std::string{}
               : flag + " " + std::to_string(said) + ": the store has "
                     + std::to_string(is);
  };
  auto result = compare("--shards", told.shards, store.shards());
  return result.empty() ? compare("--tweet-partitions", told.tweet_partitions,
                                  store.partitions())
                        : result;
}

} // namespace

exit_code verify_command(const std::vector<std::string>& arguments) {
  CLI::App app{about, "rookery verify"};
  verify_options options;
  add_client_options(app, options.client);
  app.add_option("--store", options.store,
                 "Directory of the databases (default rookery-data)")
      ->envname("ROOKERY_STORE");
  app.add_option("--journal", options.journals,
                 "File that `rookery load` wrote; may be given several times")
      ->allow_extra_args(false);
  app.add_option(
         "--deadline", options.deadline,
         "Seconds until the service must be quiet (1..3600, default 60)")
      ->check(between(1.0, 3'600.0));
  if (auto ended = parse(app, arguments))
    return *ended;
  auto fail = [&](exit_code code, const std::string& why) {
    std::cerr << app.get_name() << ": " << why << std::endl;
    return code;
  };
  journal told;
  if (auto why = read_all(options.journals, told); !why.empty())
    return fail(exit_code::usage, why);
  auto store = oracle_store::open(options.store);
  if (!store)
    return fail(exit_code::usage, "store " + store.error());
  if (auto why = differs(app, options.client.service, *store); !why.empty())
    return fail(exit_code::usage, why);
  verification run{options, std::move(*store)};
  if (auto why = run.run(told); !why.empty())
    return fail(exit_code::failed, why);
  for (auto& reason : run.result().reasons)
    std::cout << reason << '\n';
  std::cout << run.result().line() << std::endl;
  return run.result().good() ? exit_code::ok : exit_code::failed;
}

} // namespace rookery::nodes
