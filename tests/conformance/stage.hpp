#pragma once

#include "tests/conformance/client.hpp"
#include "tests/conformance/management_client.hpp"

#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::conformance {

/// What one script works with: a fresh connection, names of its own, and short
/// words for what scripts do all the time. All names a script says are local
/// ones; on the broker they have a prefix that nobody else uses.
class stage {
public:
  /// Connects. @throws unfulfilled from here and all that waits
  stage(event_loop& loop, const broker_address& where, std::string prefix);

  [[nodiscard]] client& me() { return *me_; }
  /// Management on the script's own connection and first session.
  [[nodiscard]] management_client& management() { return *management_; }
  /// One more connection.
  client& connect();
  void pass(std::chrono::milliseconds span) { loop_.pass(span); }

  /// The name on the broker.
  [[nodiscard]] std::string name(std::string_view local) const;
  /// `text` with local names, as a script tells it.
  [[nodiscard]] std::string plain(std::string text) const;
  /// Addresses of links, which are paths of management too.
  [[nodiscard]] std::string queue(std::string_view local) const;
  [[nodiscard]] std::string exchange(std::string_view local) const;
  [[nodiscard]] std::string exchange(std::string_view local,
                                     std::string_view key) const;

  /// Declares a durable quorum queue; the status.
  std::string declare(std::string_view local, const fields& arguments = {});
  /// Declares a classic queue, for what quorum queues cannot be.
  std::string declare_classic(std::string_view local, bool exclusive,
                              bool auto_delete);
  /// `declare` where it must make one.
  void make_queue(std::string_view local, const fields& arguments = {});
  void make_exchange(std::string_view local, std::string_view type);
  void bind(std::string_view exchange, std::string_view queue,
            std::string_view key);
  /// Arguments that send dead letters to the queue `dead`.
  [[nodiscard]] fields dying(std::string_view dead) const;
  /// To be deleted at the end, too: a queue that an attach made.
  void remember_queue(std::string_view local);

  client_link& sender(std::string_view to_queue) {
    return me().sender(queue(to_queue));
  }
  client_link& receiver(std::string_view from_queue, std::uint32_t credit = 0) {
    return me().receiver(queue(from_queue), {.credit = credit});
  }
  /// The fate of an attach, on a connection of its own.
  std::string try_attach(bool sender, const std::optional<std::string>& to) {
    return connect().try_attach(sender, to);
  }
  /// Publishes texts to a queue, one after the other; all must be accepted.
  void put(std::string_view to_queue, const texts& bodies);
  /// Removes what is ready; the number.
  std::string purge(std::string_view queue);
  /// The bodies that a new consumer finds; they stay there.
  std::string rest(std::string_view queue);

  /// Ends all connections of the script, and deletes on a new one what it made.
  void clean_up();

private:
  std::string declare(std::string_view local, const fields& arguments,
                      bool durable, bool exclusive, bool auto_delete);

  event_loop& loop_;
  broker_address where_;
  std::string prefix_;
  std::list<client> clients_;
  client* me_;
  std::optional<management_client> management_;
  texts queues_; // names that were declared, the same one maybe twice
  texts exchanges_;
};

} // namespace rookery::conformance
