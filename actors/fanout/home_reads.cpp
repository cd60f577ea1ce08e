#include "actors/fanout/home_reads.hpp"

#include "actors/tweet/next_id.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace rookery::actors {

namespace {

constexpr std::uint32_t limit_default = 20;
constexpr std::uint32_t limit_max = 200;
// Whoever asks again and again leaves room for others.
constexpr std::uint32_t one_user_min = 4;

std::uint32_t limit_of(const service::v1::HomeTimelineRequest& request) {
  return request.limit() == 0 ? limit_default : request.limit();
}

std::vector<tweet_id> select(const service::v1::HomeTimelineRequest& request,
                             const timeline& entries, std::uint32_t limit,
                             timeline_limits limits) {
  auto bound = [](bool given, tweet_id id) {
    return given ? std::optional{id} : std::nullopt;
  };
  return entries.newest(bound(request.has_max_id(), request.max_id()),
                        bound(request.has_since_id(), request.since_id()),
                        limit, limits);
}

} // namespace

home_reads::home_reads(const fanout_options& options, social_graph& graph,
                       homes& timelines, home_builder& builder,
                       writer_requests& requests, effects& out)
    : options_{options},
      graph_{graph},
      homes_{timelines},
      builder_{builder},
      requests_{requests},
      out_{out} {}

caf::error home_reads::take(std::uint64_t token,
                            const service::v1::HomeTimelineRequest& request,
                            steady_time now) {
  if (auto error = check(request))
    return error;
  reads_.add(token, request, now + options_.read_timeout);
  if (!is_open_)
    return caf::none; // and no user is made of whoever may time out
  wake(graph_.intern(request.user()));
  return caf::none;
}

void home_reads::open() {
  is_open_ = true;
  for (auto user : reads_.awaited())
    wake(graph_.intern(user));
}

void home_reads::wake(user_slot reader) {
  auto user = graph_.users()[reader];
  if (!is_open_ || !reads_.is_awaited(user))
    return;
  homes_.mark_read(reader);
  switch (homes_.state_of(reader)) {
  case homes::state::building:
    return;
  case homes::state::complete:
    for (auto token : reads_.release(user))
      show(token, *homes_.entries(reader));
    return;
  case homes::state::absent:
    if (builder_.build(reader))
      return;
    for (auto token : reads_.release(user)) {
      reads_.remove(token);
      out_.push_back(fail_read{token, errc::overloaded});
    }
  }
}

std::optional<service::v1::GetTweetsRequest>
home_reads::request(const texts_question& what) {
  if (reads_.find(what.read) == nullptr)
    return std::nullopt;
  service::v1::GetTweetsRequest result;
  result.mutable_ids()->Add(what.ids.begin(), what.ids.end());
  return result;
}

void home_reads::take_texts(const texts_question& what,
                            const service::v1::Tweets& texts) {
  auto* read = reads_.find(what.read);
  if (read == nullptr)
    return;
  for (auto& tweet : texts.tweets())
    read->texts.take(tweet);
  if (--read->texts_due == 0)
    ask_texts(what.read, *read);
}

void home_reads::expire(steady_time now) {
  for (auto token : reads_.expire(now))
    out_.push_back(fail_read{token, errc::not_complete});
}

caf::error
home_reads::check(const service::v1::HomeTimelineRequest& request) const {
  if (partition_of(request.user(), options_.shards) != options_.shard)
    return caf::make_error(errc::wrong_partition,
                           std::to_string(request.user()));
  if (request.limit() > limit_max)
    return caf::make_error(errc::invalid_argument,
                           "limit=" + std::to_string(request.limit()));
  if (reads_.size() >= options_.reads_max
      || reads_.count(request.user())
             >= std::max(one_user_min, options_.reads_max / 8)
      || (graph_.users().size() >= options_.users_max
          && !graph_.users().find(request.user())))
    return caf::make_error(errc::overloaded, std::to_string(request.user()));
  return caf::none;
}

void home_reads::show(std::uint64_t token, const timeline& entries) {
  auto* read = reads_.find(token);
  auto& request = read->request;
  auto limits = limits_of(options_).timeline;
  auto limit = limit_of(request);
  if (!request.ids_only()) {
    read->texts = page{select(request, entries, limits.cap, limits), limit};
    return ask_texts(token, *read);
  }
  service::v1::HomeTimelineReply reply;
  for (auto id : select(request, entries, limit, limits))
    reply.add_tweets()->set_id(id);
  reads_.remove(token);
  out_.push_back(answer_read{token, std::move(reply)});
}

void home_reads::ask_texts(std::uint64_t token, pending_read& read) {
  std::vector<tweet_id> ids;
  do {
    ids = read.texts.next();
    std::map<std::uint32_t, std::vector<tweet_id>> parts;
    for (auto id : ids)
      parts[partition_of_id(id)].push_back(id);
    for (auto& [partition, part] : parts) {
      if (partition >= options_.tweet_partitions)
        continue; // no writer ever made this id
      requests_.ask_texts(partition, {token, std::move(part)});
      ++read.texts_due;
    }
  } while (!ids.empty() && read.texts_due == 0);
  if (read.texts_due > 0)
    return;
  auto reply = read.texts.finish();
  reads_.remove(token);
  out_.push_back(answer_read{token, std::move(reply)});
}

} // namespace rookery::actors
