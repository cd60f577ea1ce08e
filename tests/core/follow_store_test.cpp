// Goal: the graph of a shard: what is known, and pages that miss nothing.
// Method: a store in a temporary directory, filled through its log.
#include "actors/store/follow_store.hpp"

#include "actors/errc.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <map>
#include <set>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using rookery::actors::errc;
using service::v1::LogRow;

namespace {

constexpr actors::user_id user_max = UINT64_MAX;

/// A store with two shards, whose logs this test writes.
struct filled_store {
  filled_store() {
    auto opened = follow_store::open({temp.path(), 2, {}});
    REQUIRE(opened);
    store = *opened;
  }

  void change(std::uint32_t shard, LogRow::Kind kind,
              const std::vector<edge>& edges) {
    auto owner = store->take_over("follow/" + std::to_string(shard));
    REQUIRE(owner);
    log_changes changes;
    for (auto& x : edges) {
      auto& row = *changes.batch.add_rows();
      row.set_kind(kind);
      row.set_user(x.follower);
      row.set_subject(x.followee);
    }
    REQUIRE(store->commit(*owner, changes) == caf::none);
  }

  temp_directory temp;
  std::shared_ptr<follow_store> store;
};

} // namespace

TEST_CASE("follow_store: knows the edges of each shard apart", "[store]") {
  filled_store t;
  t.change(0, LogRow::FOLLOWED, {{1, 2}, {0, user_max}});
  t.change(1, LogRow::FOLLOWED, {{5, 6}});
  std::vector<edge> asked{{1, 2}, {2, 1}, {0, user_max}, {5, 6}};
  CHECK(t.store->known_edges(0, asked)
        == std::set<edge>{{1, 2}, {0, user_max}});
  CHECK(t.store->known_edges(1, asked) == std::set<edge>{{5, 6}});
  t.change(0, LogRow::UNFOLLOWED, {{1, 2}});
  CHECK(t.store->known_edges(0, asked) == std::set<edge>{{0, user_max}});
}

TEST_CASE("follow_store: an edge carries the seq that made it", "[store]") {
  filled_store t;
  t.change(0, LogRow::FOLLOWED, {{1, 2}, {1, 3}});
  t.change(0, LogRow::UNFOLLOWED, {{1, 2}});
  t.change(0, LogRow::FOLLOWED, {{1, 2}});
  auto page = t.store->edges(0, std::nullopt, 10);
  REQUIRE(page);
  REQUIRE(page->seqs_size() == 2);
  CHECK(page->followees(0) == 2);
  CHECK(page->seqs(0) == 4);
  CHECK(page->followees(1) == 3);
  CHECK(page->seqs(1) == 2);
  CHECK(page->last());
  CHECK(page->log() == "follow/0");
  CHECK(page->head() == 4);
}

TEST_CASE("follow_store: pages of any size give every edge once", "[store]") {
  filled_store t;
  std::vector<edge> edges;
  for (actors::user_id follower :
       {UINT64_C(0), UINT64_C(1), UINT64_C(1) << 63, user_max})
    for (actors::user_id followee :
         {UINT64_C(0), UINT64_C(7), (UINT64_C(1) << 63) - 1, user_max})
      edges.push_back({follower, followee});
  t.change(0, LogRow::FOLLOWED, edges);
  t.change(1, LogRow::FOLLOWED, {{3, 4}});
  for (std::uint32_t size = 1; size <= edges.size() + 1; ++size) {
    std::multiset<edge> seen;
    std::optional<edge> after;
    for (bool last = false; !last;) {
      auto page = t.store->edges(0, after, size);
      REQUIRE(page);
      REQUIRE(page->followers_size() > 0);
      CHECK(page->followers_size() <= static_cast<int>(size));
      for (int i = 0; i < page->followers_size(); ++i) {
        after = edge{page->followers(i), page->followees(i)};
        seen.insert(*after);
      }
      last = page->last();
      REQUIRE(seen.size() <= edges.size());
    }
    CHECK(seen == std::multiset<edge>(edges.begin(), edges.end()));
  }
}

TEST_CASE("follow_store: an empty shard has one empty page", "[store]") {
  filled_store t;
  auto page = t.store->edges(1, std::nullopt, 10);
  REQUIRE(page);
  CHECK(page->followers().empty());
  CHECK(page->last());
  CHECK(page->head() == 0);
  CHECK(t.store->edges(2, std::nullopt, 10) == errc::unknown_log);
}
