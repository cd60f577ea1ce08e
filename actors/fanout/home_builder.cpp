#include "actors/fanout/home_builder.hpp"

#include "actors/log_name.hpp"

#include <utility>
#include <variant>

namespace rookery::actors {

home_builder::home_builder(std::uint32_t tweet_partitions,
                           timeline_limits limits, const social_graph& graph,
                           homes& timelines, writer_requests& requests)
    : tweet_partitions_{tweet_partitions},
      limits_{limits},
      graph_{graph},
      homes_{timelines},
      requests_{requests} {}

bool home_builder::build(user_slot reader) {
  auto authors = graph_.followed(reader);
  authors.push_back(reader);
  auto parts = split(authors);
  if (!homes_.begin(reader, static_cast<std::uint32_t>(parts.size())))
    return false;
  pull(reader, std::move(parts));
  return true;
}

void home_builder::include(user_slot reader,
                           const std::vector<user_slot>& authors) {
  // One question for all who are followed while others are under way.
  if (!homes_.postpone(reader, authors))
    ask_for(reader, authors);
}

void home_builder::ask_for(user_slot reader,
                           const std::vector<user_slot>& authors) {
  auto parts = split(authors);
  if (!homes_.expect(reader, static_cast<std::uint32_t>(parts.size())))
    return; // absent now; the next read builds it
  pull(reader, std::move(parts));
}

std::optional<service::v1::PullRequest>
home_builder::request(pull_question& what, std::uint64_t taken) const {
  if (is_stale(what))
    return std::nullopt;
  what.seq_min = taken;
  service::v1::PullRequest result;
  result.mutable_authors()->Reserve(static_cast<int>(what.authors.size()));
  for (auto author : what.authors)
    result.add_authors(graph_.users()[author]);
  result.set_limit(limits_.cap);
  result.set_above_id(homes_.entries(what.reader)->floor());
  return result;
}

bool home_builder::take(const pull_question& what, std::uint32_t partition,
                        const service::v1::PullReply& reply) {
  if (is_stale(what))
    return true;
  // Rows up to seq_min may have passed while the timeline was absent.
  if (reply.head() < what.seq_min || reply.log() != tweet_log(partition))
    return false;
  auto ids =
      std::span{reply.ids().data(), static_cast<std::size_t>(reply.ids_size())};
  homes_.merge(what.reader, ids, ids.size() < limits_.cap);
  if (const auto rest = homes_.take_postponed(what.reader); !rest.empty())
    ask_for(what.reader, rest);
  return true;
}

bool home_builder::is_stale(const pull_question& x) const {
  return homes_.generation(x.reader) != x.generation;
}

void home_builder::pull(user_slot reader, author_parts authors) {
  auto generation = homes_.generation(reader);
  for (auto& part : authors) {
    auto writer = partition_of(graph_.users()[part[0]], tweet_partitions_);
    requests_.ask(writer, pull_question{reader, generation, std::move(part)},
                  [this](const question& x) {
                    auto* other = std::get_if<pull_question>(&x);
                    return other != nullptr && is_stale(*other);
                  });
  }
}

home_builder::author_parts
home_builder::split(std::span<const user_slot> authors) const {
  author_parts open(tweet_partitions_);
  author_parts result;
  for (auto author : authors) {
    auto& part = open[partition_of(graph_.users()[author], tweet_partitions_)];
    part.push_back(author);
    if (part.size() == authors_max)
      result.push_back(std::exchange(part, {}));
  }
  for (auto& part : open)
    if (!part.empty())
      result.push_back(std::move(part));
  return result;
}

} // namespace rookery::actors
