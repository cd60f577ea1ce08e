#pragma once

#include "broker/core/virtual_host.hpp"
#include "broker/event_sink.hpp"
#include "broker/options.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::broker {

class connection;
class publisher_link;

/// What all connections of one broker share, and the order of its work.
///
/// A connection only tells the queues what happened and asks for a *turn*. In
/// a turn the queues give what they have to the consumers, publishers that
/// waited for room go on, and at last each connection that has something to
/// say is flushed, once. So what one read brought, for however many consumers,
/// costs each of them one write.
/// @thread one; not thread-safe
class dispatcher {
public:
  /// `ask` must see to it that `run` is called soon, and not from within. It is
  /// called at most once per turn. `ask_at` must see to it that `run` is called
  /// at that time, if it does not come again before with another one; `never`
  /// takes it back. `sink` must outlive the dispatcher.
  dispatcher(const broker_options& options, event_sink& sink,
             std::string incarnation, std::function<void()> ask,
             std::function<void(time_point)> ask_at);

  /// Asks for a turn; many calls before it make one.
  void wake();
  [[nodiscard]] bool turn_due() const { return asked_; }
  /// Runs a turn.
  void run();

  /// `x` was written to from outside its own callbacks: flush it this turn.
  void touch(connection& x);
  /// Publishers that have no credit because of a full queue, the next first.
  using stalled_list = std::list<publisher_link*>;
  /// `x` is one: try again whenever something happened, so many a turn.
  /// @returns its place, for `forget`; good until it resumed
  stalled_list::iterator stall(publisher_link& x);
  void forget(stalled_list::iterator place) { stalled_.erase(place); }

  void add(connection& x);
  void remove(connection& x);
  /// `x` publishes to this queue and no other, until it is removed.
  /// @returns a number to remove it by
  std::uint64_t add(publisher_link& x, const std::string& queue);
  void remove_publisher(const std::string& queue, std::uint64_t number);
  /// A queue was deleted by a request: ends the links to it.
  void queue_deleted(std::string_view name,
                     const std::vector<consumer_ptr>& cancelled);
  /// A name for a queue that a client asked the broker to name.
  [[nodiscard]] std::string make_name();

  [[nodiscard]] broker_counters snapshot() const;
  [[nodiscard]] const std::vector<connection*>& connections() const {
    return connections_;
  }

  virtual_host host;
  const broker_options options;
  event_sink& sink;
  /// Counted by the links.
  broker_counters counters;

private:
  void pass_time();
  void resume();
  void flush();

  std::string incarnation_;
  std::function<void()> ask_;
  std::function<void(time_point)> ask_at_;
  bool asked_ = false;       // a turn is due
  time_point alarm_ = never; // and another then
  std::vector<connection*> connections_;
  std::vector<connection*> touched_;  // each once
  std::vector<connection*> flushing_; // null where one went meanwhile
  stalled_list stalled_;
  // By queue, and in the order they came.
  std::map<std::string, std::map<std::uint64_t, publisher_link*>, std::less<>>
      publishers_;
  std::uint64_t publishers_made_ = 0;
  std::size_t unresumed_ = 0; // of these, since something happened
  bool goes_on_ = false;      // the next turn is only for them
  std::uint64_t names_ = 0;
};

} // namespace rookery::broker
