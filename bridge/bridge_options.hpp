#pragma once

#include "bridge/border/send_queue.hpp"
#include "bridge/core/backoff.hpp"
#include "bridge/endpoint.hpp"
#include "bridge/expected.hpp"
#include "bridge/profiles/rabbitmq4.hpp"
#include "bridge/spill/spill_options.hpp"
#include "bridge/topology.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rookery::bridge {

class spill_file;

/// Opens or makes a spill, and looks at the whole of it: a second for 200 MB or
/// so. On failure one sentence, which names the file: it is in use by another
/// process, is no spill, is damaged (docs/DELIVERY.md says how to repair it),
/// cannot be written.
[[nodiscard]] expected<std::shared_ptr<spill_file>, std::string>
open_spill(spill_options options);

/// Everything a bridge can be told. All limits are per bridge unless they say
/// otherwise.
struct bridge_options {
  /// Names this node in addresses, logs and the broker's view. 1..64 bytes.
  std::string node_name = "node";
  /// Brokers, the preferred one first; at least one. Each attempt to connect
  /// takes the next, and after a connection that worked the first again. They
  /// are of one cluster, or stand by: nodes that are connected to brokers that
  /// know nothing of each other do not meet.
  std::vector<endpoint> brokers = {endpoint{}};
  /// SASL PLAIN when a user is given, else ANONYMOUS.
  std::string user = {};
  std::string password = {};
  /// What kind of broker it is.
  const broker_profile* profile = &rabbitmq4();

  /// TCP connect, and then SASL plus OPEN, each. A host name is looked up by
  /// the system, which may take its own time (resolv.conf) on top of the first.
  std::chrono::milliseconds open_timeout{5'000};
  /// A broker silent for so long is gone. RabbitMQ refuses below 2 s; more than
  /// 2^32 - 1 ms, 49 days, are as many.
  std::chrono::milliseconds idle_timeout{4'000};
  /// Between attempts to connect.
  backoff_options reconnect = {};

  /// Messages that wait for credit or for a connection, per destination.
  send_queue_limits send_queue = {};
  /// Where those wait that find no room, if their handle says so; from
  /// `open_spill`. For one bridge.
  std::shared_ptr<spill_file> spill = {};
  /// Sends without an outcome, per destination.
  std::size_t in_flight_max = 2'048;
  /// The connection is redone when a send has no outcome for so long.
  std::chrono::milliseconds outcome_timeout{30'000};
  /// Requests that wait for a reply.
  std::size_t requests_max = 65'536;
  /// A request without a reply for so long gets errc::reply_timeout. Requests
  /// may have shorter deadlines of their own.
  std::chrono::milliseconds reply_timeout{120'000};
  /// Monitors and links: those of actors here on actors elsewhere, and those of
  /// others on actors here, each.
  std::size_t watches_max = 16'384;
  /// A node that is not connected to the broker for so long, while this one is,
  /// is gone: who monitors an actor there is told. Longer than nodes take to
  /// come back behind a broker that does, see `reconnect` and `open_timeout`.
  std::chrono::milliseconds peer_timeout{15'000};
  /// Replies that may be on their way to this node at once.
  std::uint32_t reply_window = 1'024;
  /// Largest message sent or taken, bytes. A longer one that comes is parked
  /// where it is no longer than a pack may be (64 KiB); a still longer one ends
  /// the connection each time, so let all nodes have the same.
  std::size_t message_bytes_max = std::size_t{16} << 20;
};

/// When a delivery is settled, and so not delivered again.
enum class settle_when : std::uint8_t {
  /// When the handler has finished, whose response says how; a handler that
  /// makes a response promise settles when it fulfils it.
  handled,
  /// As accepted, when it enters the target's mailbox: lost with the target.
  /// Credit still waits for the handler.
  in_mailbox,
};

/// What becomes of a delivery whose handler failed: it answered an error that
/// nobody waits for, or its actor ended on it. It stays at this node, and in
/// the window, and is handed over again; but it goes back to the broker after
/// `serve_options::handler_timeout`, and when it came in a pack.
struct retry_options {
  /// Failures after which it is parked, and gone unless the queue has a
  /// dead-letter exchange: give it one, see queue_declaration. 0 = never. The
  /// one attempt that a message has in a pack is not among them. With
  /// the delays below the eighth comes after about 16 s, at most 32. Only
  /// handlers of this node count that failed or did not answer in
  /// `handler_timeout`: what waited in the mailbox of an actor that ended did
  /// not fail, and neither did what a process had when it died.
  std::uint32_t attempts_max = 0;
  /// So many further attempts follow at once, within 50 ms.
  std::uint32_t immediate = 1;
  /// Before each that follows them.
  backoff_options delay = {.delay_min = std::chrono::milliseconds{50},
                           .first = std::chrono::milliseconds{500},
                           .delay_max = std::chrono::milliseconds{30'000}};
};

/// How an address is served.
struct serve_options {
  /// Deliveries in the target at once; credit is this minus the unfinished.
  /// Packs bring more at once: those wait in this node.
  std::uint32_t window = 256;
  settle_when settle = settle_when::handled;
  /// Full names of the messages that are taken here, of those registered;
  /// others are parked. Empty = all. See `type_names`.
  std::vector<std::string> types = {};
  /// Messages with a longer body are parked before it is decoded: what it says
  /// in a few bytes may take many. 0 = `bridge_options::message_bytes_max`.
  std::size_t message_bytes_max = 0;
  /// Among consumers of one queue the greatest goes first.
  std::optional<std::int32_t> priority = {};
  /// A delivery whose handler has not answered for so long, or that found no
  /// target for so long, ends as modified(failed), and may come again, here or
  /// elsewhere. It keeps its place in the window as long as it may be in the
  /// mailbox; a late answer is sent all the same. Of what a bridge sent, and
  /// only of that, it is known then how often handlers failed on it.
  std::chrono::milliseconds handler_timeout{60'000};
  retry_options retry = {};
  /// Whether an error of the target says that it will never be able to take the
  /// message. One that nobody waits for is parked then, as with errc::poison,
  /// which is one in any case. Called on the target's thread; must not throw.
  std::function<bool(const caf::error&)> is_poison = {};
  /// Whether an actor elsewhere that links itself to the target takes it along
  /// when it ends other than normally. The other way round it always does.
  bool linkable = false;
  /// A second delivery of a message that another bridge sent is told from the
  /// first among the last `dedupe_window` numbers of its stream, rounded up to
  /// a multiple of 64, and among an eighth as many that failed here; more than
  /// an origin's `in_flight_max`, and, where it sends packs, than comes while
  /// one handler runs, for the pack is not settled before.
  std::uint32_t dedupe_window = 16'384;
  /// Streams that are remembered, the one used least recently is forgotten;
  /// 4 KiB each with the default window, to 132 KiB where messages fail. 0 =
  /// hand everything over.
  std::size_t dedupe_streams_max = 1'024;
  /// The queue as it is to be declared (its name is taken from the address);
  /// nothing = it must exist already.
  std::optional<queue_declaration> queue = queue_declaration{};
  /// Exchanges (and keys) the queue is bound to. They must exist: else it is as
  /// with `declare`. While a queue that is not declared here is missing, the
  /// observer is told ("queue-refused") and all else goes on.
  std::vector<std::pair<std::string, std::string>> bindings = {};
};

} // namespace rookery::bridge
