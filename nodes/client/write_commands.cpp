#include "nodes/client/commands.hpp"
#include "nodes/client/service_client.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <random>
#include <sstream>

namespace rookery::nodes {

namespace {

using namespace service::v1;

constexpr const char* key_help =
    "Idempotency key, at most 64 bytes: the same request again with the same "
    "key, within 7 days, is answered without being done again (default: a new "
    "one, told when there is no answer)";

void add_key(CLI::App& app, std::string& target) {
  app.add_option("--key", target, key_help)->check([](const std::string& x) {
    return std::string{x.empty() ? "an empty key is none" : ""};
  });
}

/// A key that nobody used: a writer that dies between commit and answer gets
/// the request again, and must know it.
std::string fresh_key() {
  std::random_device random;
  std::ostringstream result;
  result << "cli-" << std::hex << std::setfill('0');
  for (int i = 0; i < 4; ++i)
    result << std::setw(8) << random();
  return result.str();
}

// No argument can have one of its own.
constexpr char no_list = '\0';

/// CLI11 takes a word "[a, b]" for a list of two: so it does not look like one.
arguments as_words(arguments x) {
  for (auto& word : x)
    if (word.starts_with('[') && word.ends_with(']'))
      word.insert(word.begin(), no_list);
  return x;
}

/// Connects, asks, and prints what `show` makes of the reply.
template <class Reply, class Request, class Show>
exit_code ask_once(const CLI::App& app, const client_options& options,
                   const bridge::address& whom, Request request, Show show) {
  auto given_key = !request.idempotency_key().empty();
  if (!given_key)
    request.set_idempotency_key(fresh_key());
  auto fail = [&](const std::string& why) {
    std::cerr << app.get_name() << ": " << why << '\n';
    return exit_code::failed;
  };
  service_client client{options};
  if (auto why = client.connect())
    return fail(*why);
  auto reply = client.ask<Reply>(whom, request);
  if (!reply) {
    auto code = fail(reply.error());
    if (client.in_doubt() && !given_key)
      std::cerr << "  to try again without doing it twice: --key "
                << request.idempotency_key() << '\n';
    return code;
  }
  std::cout << show(*reply) << std::endl;
  return exit_code::ok;
}

template <class Request>
exit_code change_follow(const char* name, const char* about,
                        const char* changed, const char* unchanged,
                        const arguments& x) {
  CLI::App app{about, name};
  client_options options;
  Request request;
  std::uint64_t follower = 0;
  std::uint64_t followee = 0;
  std::string key;
  add_client_options(app, options);
  add_number(app, "FOLLOWER", follower, "User who follows")->required();
  add_number(app, "FOLLOWEE", followee, "User who is followed")->required();
  add_key(app, key);
  if (auto ended = parse(app, x))
    return *ended;
  request.set_follower(follower);
  request.set_followee(followee);
  request.set_idempotency_key(key);
  return ask_once<FollowReply>(
      app, options, follow_address_of(follower, options.service), request,
      [&](auto& reply) { return reply.changed() ? changed : unchanged; });
}

} // namespace

exit_code post_command(const arguments& x) {
  CLI::App app{"Posts a tweet and prints its id. Words are joined by blanks; "
               "put -- before a text that begins with a dash.",
               "rookery post"};
  client_options options;
  std::uint64_t user = 0;
  std::vector<std::string> words;
  std::string key;
  add_client_options(app, options);
  add_number(app, "USER", user, "The author")->required();
  app.add_option("TEXT", words, "1..280 characters")->required();
  add_key(app, key);
  if (auto ended = parse(app, as_words(x)))
    return *ended;
  const auto plain = [](const std::string& word) {
    return word.substr(word.starts_with(no_list) ? 1 : 0);
  };
  key = plain(key);
  std::string text;
  for (auto& word : words)
    text.append(&word == &words.front() ? "" : " ").append(plain(word));
  using std::chrono::microseconds;
  auto now = std::chrono::system_clock::now().time_since_epoch();
  PostTweetRequest request;
  request.set_author(user);
  request.set_text(text);
  request.set_idempotency_key(key);
  request.set_intended_at_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<microseconds>(now).count()));
  return ask_once<PostTweetReply>(
      app, options, tweet_address_of(user, options.service), request,
      [](auto& reply) { return reply.tweet_id(); });
}

exit_code delete_command(const arguments& x) {
  CLI::App app{"Deletes a tweet of its author.", "rookery delete"};
  client_options options;
  std::uint64_t user = 0;
  std::uint64_t tweet = 0;
  std::string key;
  add_client_options(app, options);
  add_number(app, "USER", user, "The author")->required();
  add_number(app, "TWEET", tweet, "The id that post printed")->required();
  add_key(app, key);
  if (auto ended = parse(app, x))
    return *ended;
  DeleteTweetRequest request;
  request.set_author(user);
  request.set_tweet_id(tweet);
  request.set_idempotency_key(key);
  return ask_once<DeleteTweetReply>(
      app, options, tweet_address_of(user, options.service), request,
      [](auto& reply) {
        return reply.existed() ? "deleted" : "no such tweet";
      });
}

exit_code follow_command(const arguments& x) {
  return change_follow<FollowRequest>(
      "rookery follow", "Makes a user follow another.", "followed",
      "nothing to change: followed already, or oneself", x);
}

exit_code unfollow_command(const arguments& x) {
  return change_follow<UnfollowRequest>(
      "rookery unfollow", "Makes a user follow another no more.", "unfollowed",
      "nothing to change: not followed", x);
}

} // namespace rookery::nodes
