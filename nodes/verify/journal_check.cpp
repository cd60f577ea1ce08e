#include "nodes/verify/journal_check.hpp"

#include <unordered_map>

namespace rookery::nodes {

namespace {

/// What a client may expect of one tweet or one edge.
enum class expectation : std::uint8_t { there, gone, either };

std::string name_of(const edge& x) {
  return std::to_string(x.follower) + " -> " + std::to_string(x.followee);
}

struct tweet_claim {
  expectation expected;
  actors::user_id author;
};

/// What a journal comes to.
struct claims {
  std::unordered_map<actors::tweet_id, tweet_claim> tweets;
  std::unordered_map<edge, expectation, edge_hash> edges;
  /// Posts that may have happened, by author.
  std::unordered_map<actors::user_id, std::uint64_t> unknown_posts;
  std::uint64_t acked = 0;
};

void add_post(claims& result, const journal_entry& x) {
  if (x.how == ending::acknowledged)
    // A delete may be known already: endings are not in order.
    result.tweets.try_emplace(x.tweet,
                              tweet_claim{expectation::there, x.what.user});
  else if (x.how == ending::unknown)
    ++result.unknown_posts[x.what.user];
}

void add_delete(claims& result, const journal_entry& x) {
  if (x.how == ending::refused)
    return;
  auto& claim = result.tweets[x.what.subject];
  claim.author = x.what.user;
  if (x.how == ending::acknowledged)
    claim.expected = expectation::gone;
  else if (claim.expected == expectation::there)
    claim.expected = expectation::either;
}

void add_change(claims& result, const journal_entry& x) {
  edge pair{x.what.user, x.what.subject};
  if (x.how == ending::refused || pair.follower == pair.followee)
    return;
  auto followed = x.what.kind == operation_kind::follow;
  result.edges[pair] = x.how == ending::unknown ? expectation::either
                       : followed               ? expectation::there
                                                : expectation::gone;
}

claims claims_of(const journal& told) {
  claims result;
  for (auto& x : told.entries) {
    result.acked += x.how == ending::acknowledged && !x.imported ? 1 : 0;
    if (x.what.kind == operation_kind::post)
      add_post(result, x);
    else if (x.what.kind == operation_kind::remove)
      add_delete(result, x);
    else
      add_change(result, x);
  }
  return result;
}

std::string check_tweets(const claims& told, oracle_store& store,
                         verdict& result) {
  for (auto& [id, claim] : told.tweets) {
    auto author = store.author_of(id);
    if (!author)
      return author.error();
    auto name =
        "tweet " + std::to_string(id) + " of " + std::to_string(claim.author);
    if (claim.expected == expectation::there && *author != claim.author) {
      ++result.missing;
      result.explain("acknowledged, but not in the store: " + name);
    } else if (claim.expected == expectation::gone && author->has_value()) {
      ++result.missing;
      result.explain("deleted, but still in the store: " + name);
    }
  }
  return {};
}

std::string check_edges(const claims& told, oracle_store& store,
                        verdict& result) {
  for (auto& [pair, expected] : told.edges) {
    auto exists = store.follows(pair);
    if (!exists)
      return exists.error();
    if (expected == expectation::there && !*exists) {
      ++result.missing;
      result.explain("followed, but not in the store: " + name_of(pair));
    } else if (expected == expectation::gone && *exists) {
      ++result.missing;
      result.explain("unfollowed, but still in the store: " + name_of(pair));
    }
  }
  return {};
}

std::string find_phantoms(claims& told, oracle_store& store, verdict& result) {
  auto why = store.each_tweet([&](auto id, auto author) {
    if (told.tweets.contains(id))
      return;
    auto& unknown = told.unknown_posts[author];
    if (unknown > 0) {
      --unknown;
      return;
    }
    ++result.mismatches;
    result.explain("in the store, but nobody asked for it: tweet "
                   + std::to_string(id) + " of " + std::to_string(author));
  });
  if (!why.empty())
    return why;
  return store.each_edge([&](const edge& pair) {
    if (told.edges.contains(pair))
      return;
    ++result.mismatches;
    result.explain("in the store, but nobody asked for it: " + name_of(pair));
  });
}

} // namespace

std::string check_journal(const journal& told, bool complete,
                          oracle_store& store, verdict& result) {
  auto claimed = claims_of(told);
  result.acked += claimed.acked;
  auto why = check_tweets(claimed, store, result);
  if (why.empty())
    why = check_edges(claimed, store, result);
  if (why.empty() && complete)
    why = find_phantoms(claimed, store, result);
  return why;
}

} // namespace rookery::nodes
