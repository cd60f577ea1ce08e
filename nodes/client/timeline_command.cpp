#include "nodes/client/commands.hpp"
#include "nodes/client/printable.hpp"
#include "nodes/client/service_client.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <CLI/CLI.hpp>
#include <google/protobuf/util/json_util.h>

#include <iostream>

namespace rookery::nodes {

namespace {

using namespace service::v1;

struct timeline_options {
  std::uint64_t user = 0;
  bool own = false;
  std::optional<std::uint64_t> max_id;
  std::optional<std::uint64_t> since_id;
  std::uint32_t limit = 20;
  bool json = false;
};

template <class Reply>
void print(const Reply& reply, bool json) {
  for (auto& tweet : reply.tweets()) {
    if (!json) {
      std::cout << tweet.id() << '\t' << tweet.author() << '\t'
                << printable(tweet.text()) << '\n';
      continue;
    }
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true; // user 0 is a user
    std::string line;
    static_cast<void>(
        google::protobuf::util::MessageToJsonString(tweet, &line, options));
    std::cout << line << '\n';
  }
}

template <class Reply, class Request>
std::optional<std::string> read(service_client& client,
                                const bridge::address& whom,
                                const timeline_options& wanted) {
  Request request;
  request.set_user(wanted.user);
  request.set_limit(wanted.limit);
  if (wanted.max_id)
    request.set_max_id(*wanted.max_id);
  if (wanted.since_id)
    request.set_since_id(*wanted.since_id);
  auto reply = client.ask<Reply>(whom, request);
  if (!reply)
    return reply.error();
  print(*reply, wanted.json);
  return std::nullopt;
}

} // namespace

exit_code timeline_command(const arguments& x) {
  CLI::App app{"Prints a home timeline, newest first: tweet id, author, text, "
               "with tabs between.",
               "rookery timeline"};
  client_options options;
  timeline_options wanted;
  add_client_options(app, options);
  add_number(app, "USER", wanted.user, "Whose timeline")->required();
  app.add_flag("--own", wanted.own, "Only the user's own tweets");
  add_number(app, "--max-id", wanted.max_id, "Only ids up to this one");
  add_number(app, "--since-id", wanted.since_id, "Only ids above this one");
  app.add_option("--limit", wanted.limit,
                 "At most so many (1..200, default 20)")
      ->check(CLI::Range(1, 200));
  app.add_flag("--json", wanted.json, "One JSON object a line");
  if (auto ended = parse(app, x))
    return *ended;
  service_client client{options};
  auto why = client.connect();
  if (!why && wanted.own)
    why = read<Tweets, UserTimelineRequest>(
        client, tweet_address_of(wanted.user, options.service), wanted);
  else if (!why)
    why = read<HomeTimelineReply, HomeTimelineRequest>(
        client, shard_address_of(wanted.user, options.service), wanted);
  if (!why)
    return exit_code::ok;
  std::cerr << app.get_name() << ": " << *why << '\n';
  return exit_code::failed;
}

} // namespace rookery::nodes
