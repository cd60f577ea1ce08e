#pragma once

#include "bridge/amqp/loop.hpp"
#include "bridge/bridge.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/caf/proxy.hpp"
#include "bridge/caf/served_address.hpp"
#include "bridge/caf/watch_protocol.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// The inside of a bridge: what its users call, in bridge.cpp, and what the IO
/// thread calls, in bridge_io.cpp.
struct bridge::impl final : amqp::client_handler, amqp::loop_owner {
  impl(caf::actor_system& system, type_registry types, bridge_options options,
       std::shared_ptr<observer> watcher, environment world);
  ~impl() override;

  caf::actor proxy(const address& to, send_options how);
  void resolve(const address& to, std::chrono::milliseconds timeout,
               std::function<void(caf::expected<caf::actor>)> done);
  void when_ready(const address& to, const caf::actor& who);
  void serve(const address& at, serve_options options, caf::actor target,
             std::function<caf::actor()> make);
  caf::error wait_until_up(std::chrono::milliseconds timeout);
  std::size_t stop(std::chrono::milliseconds timeout);
  // Stops without waiting. False, and nothing happens, when somebody did.
  [[nodiscard]] bool begin_stop(std::chrono::milliseconds timeout,
                                std::function<void(std::size_t)> done);
  void change(std::function<void()> f);

  // amqp::client_handler
  void on_up(const amqp::peer_info& broker) override;
  void on_down(const amqp::condition& why) override;
  void on_refused(const std::string& what, const std::string& why) override;
  void on_forbidden(const std::string& where,
                    const amqp::condition& why) override;
  void on_queue_refused(const std::string& queue,
                        const amqp::condition& why) override;
  void on_message(std::size_t receiver, std::uint64_t delivery,
                  std::string& bytes, hub::clock::time_point came) override;
  void on_outcome(std::size_t sender, amqp::outgoing&& what,
                  const outcome& how) override;
  void on_expired(std::size_t sender, amqp::outgoing&& what,
                  bool sent) override;
  void on_taken(std::size_t sender) override;
  // amqp::loop_owner
  void on_turn() override;
  void on_unreachable(const std::string& why) override;
  void on_exception(const std::string& what) override;

  void call(const std::function<void()>& hook);
  // Tells the other threads when the broker was heard.
  void publish_lease();
  void take_reply(std::uint64_t delivery, std::string_view bytes);
  // `applied` more changes were made.
  void publish_state(std::uint64_t applied = 0);
  // What sends to `to`. Call it with proxies_mutex_ held.
  std::shared_ptr<destination> destination_of(const address& to);
  // Makes what sends to the destinations that the spill has messages for.
  void find_spilled();
  // The queue of what is sent to an AMQP address, if anything was.
  std::shared_ptr<destination> find_destination(const std::string& path);
  // Takes no more in while as many answers wait as a send queue holds, and they
  // do leave.
  void hold_intake(hub::clock::time_point now);
  // Tells those who wait for room that they have.
  void tell_ready();
  // Refuses what is sent from now on, answers what waits for a reply.
  void refuse_all();
  [[nodiscard]] std::size_t unfinished() const {
    return client_.unfinished_sends() + client_.unfinished_deliveries();
  }
  [[nodiscard]] bool stops_soon(hub::clock::time_point now) const;
  void give_back(hub::clock::time_point now);
  void go_on_stopping(hub::clock::time_point now);
  // Looks after what is served, and forgets what is no more.
  void check_served(hub::clock::time_point now);
  // Puts what may be there into the spill, once nothing is sent any more.
  // @returns how many are given up, of those `unfinished` and of those on their
  // way to the file; the next time all of them
  std::size_t keep_sends(std::size_t unfinished);
  // Whether a send that ends now was among the losses of the stop.
  [[nodiscard]] bool counted_by_stop(std::size_t sender,
                                     const amqp::outgoing& what) const;

  std::shared_ptr<hub> hub_;
  amqp::client client_;
  std::unique_ptr<amqp::loop> loop_;

  // Of the IO thread.
  std::size_t reply_receiver_ = 0;
  std::size_t reply_sender_ = 0;
  std::size_t control_sender_ = 0;
  watch_protocol watching_;
  bool left_ = false; // watchers were told that this node leaves
  struct serving {
    caf::strong_actor_ptr actor;       // a served_address
    std::vector<declaration> declared; // for it
  };
  std::map<std::size_t, serving> served_; // by receiver
  // For answers in the name of what is served no more.
  std::size_t spare_room_ = 0;
  bool holding_ = false;                     // no more is taken in
  hub::clock::time_point answers_left_at_{}; // or none had to wait
  std::vector<std::function<void()>> up_hooks_;
  std::vector<std::function<void()>> down_hooks_;
  std::vector<settlement> batch_;       // reused
  hub::clock::time_point next_check_{}; // when to look after deadlines
  std::uint64_t connects_ = 0;
  bool greeted_ = false; // this connection was up before
  struct stopping {
    hub::clock::time_point deadline;
    std::function<void(std::size_t)> done;
    bool gives_back = false;              // `give_back` was called
    std::optional<std::size_t> left = {}; // set once the loop is closing
  };
  std::optional<stopping> stopping_; // until it called `done`
  bool kept_ = false;                // `keep_sends` was called

  // Of the threads that use the bridge.
  std::mutex proxies_mutex_; // guards all below
  bool refusing_ = false;    // refuse_all() was called
  std::map<std::pair<address, send_options>, caf::actor> proxies_;
  std::map<address, std::shared_ptr<destination>> destinations_;
  std::map<std::string, std::shared_ptr<destination>> by_path_; // the same
  // An actor that waits for room in a send queue; once for each destination.
  struct room_waiter {
    std::shared_ptr<destination> to;
    caf::actor who;
    [[nodiscard]] bool operator==(const room_waiter&) const = default;
  };
  std::vector<room_waiter> waiters_;
  std::atomic<bool> anybody_waits_ = false; // read without the mutex

  struct state {
    bool up = false;
    std::uint64_t asked = 0;    // changes requested
    std::uint64_t applied = 0;  // changes the IO thread has made
    std::string trouble;        // the last reason for not being up
    std::string refusal;        // what the broker refused, and why
    std::size_t unfinished = 0; // sends and deliveries
  };
  std::mutex state_mutex_; // guards state_
  std::condition_variable state_changed_;
  state state_;
  std::atomic<bool> stopped_ = false; // stop() was called
};

} // namespace rookery::bridge
