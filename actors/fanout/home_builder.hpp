#pragma once

#include "actors/fanout/homes.hpp"
#include "actors/fanout/social_graph.hpp"
#include "actors/fanout/writer_requests.hpp"

#include <cstdint>
#include <span>

namespace rookery::actors {

/// Fills home timelines by pulling from the tweet writers: whole ones, or what
/// an author who was just followed wrote before. Ask for it only after the
/// graph knows the edge: what comes later comes live.
class home_builder {
public:
  /// Authors in one pull.
  static constexpr std::size_t authors_max = 5'000;

  home_builder(std::uint32_t tweet_partitions, timeline_limits limits,
               const social_graph& graph, homes& timelines,
               writer_requests& requests);

  /// Starts to build an absent timeline. False when too many are building.
  bool build(user_slot reader);

  /// Adds `authors` to a timeline that is not absent; it may become so.
  void include(user_slot reader, const std::vector<user_slot>& authors);

  /// The pull as it is to be sent, `taken` being the seq taken of the log of
  /// its partition; nothing when the timeline is no longer the same.
  [[nodiscard]] std::optional<service::v1::PullRequest>
  request(pull_question& what, std::uint64_t taken) const;

  /// Takes the answer in. False when it is too old or of another log: then the
  /// question must be asked again. The answer to a pull for a timeline that is
  /// no longer the same is dropped, which is fine.
  [[nodiscard]] bool take(const pull_question& what, std::uint32_t partition,
                          const service::v1::PullReply& reply);

private:
  /// Authors of one partition each, none empty.
  using author_parts = std::vector<std::vector<user_slot>>;

  [[nodiscard]] author_parts split(std::span<const user_slot> authors) const;
  void ask_for(user_slot reader, const std::vector<user_slot>& authors);
  void pull(user_slot reader, author_parts authors);
  [[nodiscard]] bool is_stale(const pull_question& x) const;

  std::uint32_t tweet_partitions_;
  timeline_limits limits_;
  const social_graph& graph_;
  homes& homes_;
  writer_requests& requests_;
};

} // namespace rookery::actors
