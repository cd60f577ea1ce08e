#include "tests/sim/cluster.hpp"

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;
using nodes::role;

constexpr std::uint32_t window = 16; // of shards and writers

// More than there are tweets; so few that each trims; and the smallest that
// are trimmed only when two too many are there.
std::uint32_t draw_cap(world& outside) {
  if (outside.chance(3))
    return 100;
  return static_cast<std::uint32_t>(outside.chance(3) ? 3 + outside.draw(8)
                                                      : 17 + outside.draw(4));
}

// Mostly a run is too short for the broker to miss who is paused or silent.
std::chrono::milliseconds draw_patience(world& outside) {
  return outside.chance(2) ? 500ms : 2'000ms;
}

broker::broker_options broker_options() {
  broker::broker_options result;
  result.host_high_water_bytes = 24'000; // so that it stops publishers
  return result;
}

} // namespace

cluster::cluster(world& outside_arg, std::uint64_t seed)
    : outside{outside_arg},
      timeline_cap{draw_cap(outside)},
      patience{draw_patience(outside)},
      storage{seed},
      broker{
          std::make_shared<testing::broker_host>(outside, broker_options())} {
  broker->idle_timeout = patience * 2;
  storage.set_time(1767312000000);
  add_node("writer-1", {role::tweet, role::follower}, &storage);
  add_node("writer-2", {role::tweet, role::follower}, &storage);
  add_node("shards-1", {role::fanout}, nullptr);
  add_node("shards-2", {role::fanout}, nullptr);
  add_node("clients", {}, nullptr);
  people =
      std::make_shared<clients>(outside, nodes[4], layout, users, timeline_cap);
  const auto packs = outside.chance(2);
  numbers =
      std::make_shared<probe>(outside, nodes[4], nodes[2], effects, packs);
  mortals = std::make_shared<vigil>(outside, nodes[4], nodes[mortals_at],
                                    nodes[1], effects, packs);
  kept = std::make_shared<spiller>(outside, nodes[0], nodes[3], effects, packs);
  readings =
      std::make_shared<gauge>(outside, nodes[1], nodes[2], effects, packs);
  owned =
      std::make_shared<owners>(outside, broker, nodes[4],
                               std::vector{nodes[2], nodes[3]}, effects, packs);
  if (outside.chance(3)) { // so few that answers wait for each other
    const auto few = 1 + static_cast<std::uint32_t>(outside.draw(3));
    for (auto& x : nodes)
      x->reply_window = few;
  }
  nodes[0]->spills = true;
  if (outside.chance(2)) // else each message passes through the file
    nodes[0]->spill_in_memory_max = 3;
  nodes[0]->on_start = [this](testing::node&) { kept->declare(); };
  nodes[mortals_at]->on_start = [this](testing::node&) {
    mortals->serve();
    kept->serve();
    owned->serve(1);
  };
  nodes[1]->on_start = [this](testing::node&) {
    readings->declare();
    mortals->attend();
  };
  nodes[2]->on_start = [this](testing::node&) {
    numbers->serve();
    readings->serve();
    owned->serve(0);
  };
  nodes[4]->on_start = [this](testing::node&) {
    numbers->declare();
    mortals->declare();
    owned->declare();
  };
}

cluster::~cluster() {
  // Events that are still to come hold some of them, and the disk goes first.
  for (auto& x : nodes)
    x->crash();
}

void cluster::add_node(const std::string& name, std::set<role> roles,
                       disk* shared) {
  auto way = std::make_shared<testing::uplink>();
  way->broker = broker;
  // Short slices cost many events, and link tests cut at every byte.
  if (outside.chance(12))
    way->terms.slice_max = 60;
  else if (outside.chance(12))
    way->terms.slice_max = 900;
  if (outside.chance(3))
    way->terms.under_way_max = 1 + outside.draw(600);
  if (outside.chance(3)) // so that a longer message takes many
    way->terms.frame_bytes_max =
        512 + static_cast<std::uint32_t>(outside.draw(1'000));
  nodes::node_config config;
  // The broker prefers by name: who owns what differs from run to run.
  config.node_name = name + "." + std::to_string(outside.draw(100));
  config.roles = std::move(roles);
  config.store = "store";
  config.shards = layout.shards;
  config.tweet_partitions = layout.tweet_partitions;
  config.timeline_cap = timeline_cap;
  config.shard_window = window;
  config.writer_window = window;
  config.shard_queue_length_max = 40;
  config.idle_timeout = patience;
  nodes.push_back(std::make_shared<node_host>(outside, config, way, shared,
                                              static_cast<int>(nodes.size())));
  if (outside.chance(3))
    nodes.back()->in_flight_max = 2 + outside.draw(30);
  // No two clocks agree, so new tweets are not always the greatest.
  nodes.back()->clock_error =
      std::chrono::duration_cast<std::chrono::milliseconds>(
          outside.between(-400ms, 400ms));
}

void cluster::start() {
  broker->start();
  for (auto& x : nodes)
    x->start();
}

std::uint32_t cluster::window_of(const std::string& queue) const {
  if (queue == probe::queue_name || queue == probe::parked_name)
    return probe::window;
  if (queue == vigil::queue_name || queue == vigil::desk_name)
    return vigil::window;
  if (queue == owners::queue_name)
    return owners::window;
  if (spiller::serves(queue))
    return spiller::window;
  if (gauge::serves(queue))
    return gauge::window;
  if (queue.starts_with("rookery.reply."))
    return nodes.front()->reply_window;
  return window;
}

void cluster::restart_everything() {
  outside.note("world", "everything restarts");
  for (auto& x : nodes)
    x->crash();
  broker->crash();
  excuse_all();
  start();
}

void cluster::excuse_all() {
  numbers->excuse_all();
  kept->excuse_all();
  readings->excuse_all();
  owned->excuse_all();
}

void cluster::heal() {
  outside.note("world", "heals");
  storage.watch({});
  broker->heal();
  for (auto& x : nodes)
    x->heal();
}

} // namespace rookery::sim
