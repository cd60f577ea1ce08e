#pragma once

#include "bridge/amqp/client_receiver.hpp"
#include "bridge/amqp/client_sender.hpp"
#include "bridge/amqp/delivery_table.hpp"
#include "bridge/amqp/engine.hpp"
#include "bridge/amqp/management.hpp"
#include "bridge/amqp/pack_table.hpp"
#include "bridge/topology.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rookery::amqp {

struct client_options {
  const bridge::broker_profile* profile = nullptr;
  /// Prefix of link names, for the broker's logs.
  std::string name;
  /// Of each sender. Its outcome timeout is also that of every other answer
  /// we wait for: to an attach, from management.
  client_sender::limits sending = {};
  /// The connection is given up when nothing was heard for so long, before
  /// anything that comes then is looked at; 0 = never. See `client::lease_end`.
  std::chrono::milliseconds idle_timeout{0};
  /// Tells the time.
  std::function<std::chrono::steady_clock::time_point()> now =
      std::chrono::steady_clock::now;
  /// An exclusive queue that nobody else asks for: where a broker refuses it,
  /// it has not noticed yet that our last connection is gone.
  std::string own_queue = {};
  /// Uniform numbers; the default draws the shortest delays.
  std::function<std::uint64_t()> random = [] { return std::uint64_t{0}; };
};

/// What a client tells its owner, on the engine's thread.
class client_handler {
public:
  virtual ~client_handler() = default;
  /// Everything is declared and every receiver attached, or refused; also after
  /// something was added on a connection that was up before.
  virtual void on_up(const peer_info& broker) = 0;
  /// The connection is over. The client keeps what is unsettled.
  virtual void on_down(const condition& why) = 0;
  /// The broker refused a declaration, the first of perhaps several: nothing
  /// is attached until all are accepted. It is asked again every few seconds.
  virtual void on_refused(const std::string& what, const std::string& why) = 0;
  /// The broker refused a link to `where`, and not because that is missing. It
  /// is asked again when there is something to send.
  virtual void on_forbidden(const std::string& /* where */,
                            const condition& /* why */) {}
  /// The broker has no such queue, or does not let this client consume it; told
  /// once for each reason. Nobody waits for it, and it is asked again every few
  /// seconds.
  virtual void on_queue_refused(const std::string& /* queue */,
                                const condition& /* why */) {}
  /// One came for `receiver` at `came`, which is earlier where it had
  /// to wait for room.
  virtual void on_message(std::size_t receiver, std::uint64_t delivery,
                          std::string& bytes,
                          std::chrono::steady_clock::time_point came) = 0;
  /// The end of a send through `sender`; pre-settled ones have none.
  virtual void on_outcome(std::size_t sender, outgoing&& what,
                          const bridge::outcome& how) = 0;
  /// The time of a send through `sender` is over. `sent`: it went out once and
  /// had no outcome when its connection broke, so it may have arrived.
  virtual void on_expired(std::size_t sender, outgoing&& what, bool sent) = 0;
  /// Some that waited in the queue of `sender` do no more.
  virtual void on_taken(std::size_t /* sender */) {}
};

/// The client's half of the conversation with a broker, across connections:
/// what to declare, where to send, what to consume. Without IO: it is given an
/// engine for each connection, and told the time.
///
/// A queue is looked for before a sender attaches to it, because brokers end
/// the whole session of a link to a missing queue. While it is missing, sends
/// to it end as released. Exchanges cannot be looked for: one that was not
/// declared here is found out by a link of no use in a session apart, and so is
/// who was attaching when a session ended, or one whom the broker forbids to
/// send would end each connection. Receivers that were attaching then are
/// attached in sessions of their own. Losing a receiver or any other session
/// ends the connection: one way back up is easier to get right than several.
/// @thread the engine's
class client final : public engine_handler {
public:
  using clock = std::chrono::steady_clock;

  client(client_options options, client_handler& owner);

  /// Wants it at this connection and each after it, behind what was declared
  /// before. One that was is asked for again, and wanted once more.
  void declare(bridge::declaration what);
  /// Takes one `declare` back. What nobody wants any more is not asked for
  /// again, and its answer means nothing; the broker keeps what it has.
  void undeclare(const bridge::declaration& what);
  /// @returns the index that `on_outcome` names.
  std::size_t add_sender(std::optional<bridge::address> to,
                         std::shared_ptr<outgoing_queue> queue);
  /// @returns the index that `on_message` names.
  std::size_t add_receiver(std::string queue, std::uint32_t window,
                           std::optional<std::int32_t> priority);
  /// Asks for no more and gives back what came and has to wait. Of a pack that
  /// was begun the rest is still handed over.
  void pause_receiver(std::size_t index);
  /// Does not wait any longer with giving back until nothing more comes.
  void give_back();
  /// Hands nothing over and asks for no more until told otherwise; the credit
  /// stays.
  void hold_receiver(std::size_t index, bool on);
  /// Detaches for good, once what it holds is settled.
  /// @returns whether that is so: then it is forgotten, and so is its index.
  /// Until then, call it again now and then.
  [[nodiscard]] bool close_receiver(std::size_t index);

  /// A new connection, whose handler this is; lives until `on_closed`.
  void connect(engine& e);

  /// Ends a delivery. A number that is gone is ignored.
  void settle(std::uint64_t delivery, const bridge::outcome& how);
  /// The same for its sender alone: it keeps its place in the window, until
  /// `settle`.
  void settle_early(std::uint64_t delivery, const bridge::outcome& how);
  /// Sends what waits and grants what credit there is room for.
  void flush(clock::time_point now);
  /// Looks after deadlines of the connection; call it at least every 100 ms.
  void check(clock::time_point now);
  /// Gives up what waits to be sent and is no longer worth it, connected or
  /// not.
  void expire(clock::time_point now);

  /// Until when the present connection may be trusted, unless more is heard;
  /// nothing unless it is open. Later the broker may have given our queues to
  /// others, because this process was stopped or cut off: what came for us
  /// meanwhile is stale, and so is what we would say of it.
  ///
  /// That is `idle_timeout` after bytes last came, or less: three quarters of
  /// the time after which the broker gives up a client it does not hear.
  [[nodiscard]] std::optional<clock::time_point> lease_end() const;
  /// By the clock that all deadlines of this client are of.
  [[nodiscard]] clock::time_point now() const { return options_.now(); }

  /// Whether a delivery that has not ended came in a pack. Such a one that ends
  /// as modified goes back to its queue alone, whatever else that says.
  [[nodiscard]] bool in_pack(std::uint64_t delivery) const;

  [[nodiscard]] bool up() const { return up_; }
  /// Whether this connection has been: then it works, whatever has been
  /// declared since.
  [[nodiscard]] bool came_up() const { return came_up_; }
  /// Whether something may come.
  [[nodiscard]] bool consumes() const { return came_up_ || guessed_; }
  [[nodiscard]] bool connected() const { return engine_ != nullptr; }
  /// Whether a connection came up since this was last asked, however short.
  [[nodiscard]] bool take_worked() { return std::exchange(worked_, false); }
  /// Messages handed to the wire so far, the repeated ones not counted.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// Those of them that shared a transfer.
  [[nodiscard]] std::uint64_t packed() const { return packed_; }
  /// Messages that came in packs and went back to their queue alone.
  [[nodiscard]] std::uint64_t returned() const { return returned_; }
  /// Nothing more will come to a paused receiver.
  [[nodiscard]] bool quiet() const;
  /// Sends and deliveries that have not ended.
  [[nodiscard]] std::size_t unfinished_sends() const;
  /// Calls `f` on each of the sends to one address that was taken out of its
  /// queue and has not ended, in its order.
  void for_each_sent(const std::function<void(const bridge::address& to,
                                              const outgoing&)>& f) const;
  [[nodiscard]] std::size_t unfinished_deliveries() const;

  // engine_handler
  void on_received() override;
  void on_open(const peer_info& peer) override;
  void on_session_closed(session s, const condition& why) override;
  void on_link_open(link x, bool ours) override;
  void on_link_closed(link x, const condition& why) override;
  void on_credit(link x) override;
  void on_message(link from, delivery d, std::string& bytes) override;
  void on_outcome(link from, std::uint64_t number,
                  const bridge::outcome& how) override;
  void on_withdrawn(link from, delivery d) override;
  void on_dispatched() override;
  void on_written(std::size_t count, bool drained) override;
  void on_closed(const condition& why) override;

  /// Bytes of messages that wait to be written, about: settlements and credit
  /// come behind them.
  static constexpr std::size_t output_bytes_max = std::size_t{1} << 20;

private:
  // Of a declaration, at this connection.
  enum class progress : unsigned char { missing, asked, confirmed, refused };
  struct wanted {
    bridge::declaration what;
    std::size_t users = 1; // calls of declare() that were not taken back
    progress state = progress::missing;
    bool known = false; // the broker confirmed it, perhaps at an earlier one
    // Until when it may be ours by an earlier one, which gave no answer.
    clock::time_point doubtful_until{};
  };
  // In order, by a number that is not used again: late answers name it.
  using wanted_map = std::map<std::uint64_t, wanted>;

  void declare_missing();
  void on_declared(std::uint64_t number, int status, const std::string& reason);
  // In: client_receivers.cpp.
  void attach_receivers();
  void attach(client_receiver& x, session in);
  // The next of those that the broker may refuse, in a session of its own.
  void attach_suspect();
  void receiver_up(client_receiver& x, link l);
  void receiver_refused(client_receiver& x, link l, const condition& why);
  // Those of whose queues the broker said before that they are there.
  void attach_known();
  void excuse_unwritten(clock::time_point now);
  void attach(client_sender& x);
  void look_for(client_sender& x);
  void attach_or_look(client_sender& x);
  void look_apart(client_sender& x);
  void probe();
  void probe_answered(bool there, const condition& why = {});
  void missing(client_sender& x, const condition& why = {});
  void sender_lost(client_sender& x, bool with_session, const condition& why);
  void give_up(client_sender& x);
  // Nobody takes what may wait in a file.
  void try_later(client_sender& x);
  void forget_exchange(const client_sender& x);
  void bring_up(client_sender& x, clock::time_point now);
  void give_turn(client_sender& x);
  void pump(clock::time_point now);
  void report_unsent(client_sender& x);
  // Tells whose it was.
  void ended(client_sender& x, outgoing&& what, const bridge::outcome& how);

  // In: client_packs.cpp.
  void take_in(client_receiver& x, delivery d, std::string& bytes);
  // As much of what waits as the window has room for.
  void hand_over(client_receiver& x);
  // The next part of a pack, or one that came alone.
  void hand_over(client_receiver& x, const delivery_table::entry& what,
                 std::string& bytes, clock::time_point came);
  // What nobody had goes to others.
  void release_backlog(client_receiver& x);
  void forget_backlog(client_receiver& x,
                      const std::function<bool(delivery)>& which);
  void part_ended(const delivery_table::entry& x, const bridge::outcome& how);
  void send_back(std::uint64_t number, pack_table::part& part);
  void send_back(outgoing what);
  void returned(outgoing&& what, const bridge::outcome& how);
  void return_later(clock::time_point now);
  void give_up_pack(std::uint64_t number);
  void conclude(std::uint64_t number);
  void settle_pack(std::uint64_t number, const bridge::outcome& how);
  void forget_packs();
  // What sends to the queue of a receiver.
  [[nodiscard]] client_sender& way_back(client_receiver& x);

  void declare_refused(clock::time_point now);
  [[nodiscard]] wanted_map::iterator
  find_declared(const bridge::declaration& what);
  [[nodiscard]] bool declared_here(const bridge::address& what) const;
  // Whether all that was declared is there.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] bool may_attach(const client_sender& x) const;
  void begin_lease();
  // Ends the connection when nothing was heard for too long.
  // @returns whether it goes on
  bool in_time(clock::time_point now);
  session session_for_link();
  void check_up();
  void abort(const condition& why);
  [[nodiscard]] client_sender* sender_of(link x);
  [[nodiscard]] client_receiver* receiver_of(link x);
  // There is one of this index.
  [[nodiscard]] client_receiver& receiver(std::size_t index);

  client_options options_;
  client_handler& owner_;
  wanted_map declarations_;
  std::uint64_t declarations_made_ = 0;
  std::vector<std::unique_ptr<client_sender>> senders_;
  std::map<std::size_t, std::unique_ptr<client_receiver>> receivers_;
  std::size_t receivers_made_ = 0; // an index is not used again
  delivery_table deliveries_;
  pack_table packs_;
  std::map<std::string, client_sender*> ways_back_; // by queue
  std::vector<outgoing> ended_;                     // reused
  // What the broker did not take back, and when it is sent there again. Its
  // number is that of the pack.
  struct later {
    clock::time_point due;
    outgoing what;
  };
  std::deque<later> to_return_;
  std::uint64_t sent_ = 0;
  std::uint64_t packed_ = 0;
  std::uint64_t returned_ = 0;

  // Of this connection.
  engine* engine_ = nullptr;
  clock::time_point heard_at_{};       // or when it was made, if later
  std::chrono::milliseconds lease_{0}; // after that; 0 = for ever
  std::unique_ptr<management> management_;
  peer_info peer_;
  std::size_t confirmed_ = 0;            // of the declarations
  bool refused_ = false;                 // it refused one
  bool refusal_told_ = false;            // of those last asked for
  clock::time_point declare_again_at_{}; // refused: when to ask again
  bool aborted_ = false; // we gave it up; events under way mean nothing
  bool up_ = false;      // on_up was called, and nothing was declared since
  bool came_up_ = false; // on_up was called
  bool worked_ = false;  // also of an earlier one; see take_worked
  struct used_session {
    session self;
    std::size_t links = 0;
  };
  std::vector<used_session> sessions_; // of links; not of probes
  std::size_t unasked_links_ = 0;      // that the broker attached
  // Nothing we ask can be written.
  clock::time_point deaf_since_{};
  bool guessed_ = false;         // attach_known attached one
  std::uint64_t attaches_ = 0;   // of senders
  std::size_t output_bytes_ = 0; // of messages; about, and 0 when all is out
  std::deque<client_sender*> turns_; // those that may have something to send
  // Exchanges that were not declared here.
  std::set<std::string> found_exchanges_;
  std::deque<client_sender*> to_probe_; // who is to be looked at apart
  client_sender* probed_ = nullptr;     // who is being
  session probe_session_;
  link probe_link_;
  std::uint64_t probes_ = 0; // so far
};

} // namespace rookery::amqp
