#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/errc.hpp"
#include "bridge/send_options.hpp"

#include <caf/actor_proxy.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rookery::bridge {

/// One address that this node sends to: the queue towards its link, and the
/// numbers of its messages. Shared by its proxies of all levels, so that they
/// keep one order.
struct destination {
  destination(std::uint32_t number, std::string name_arg,
              send_queue_limits limits)
      : index{number},
        name{std::move(name_arg)},
        queue{std::make_shared<amqp::outgoing_queue>(limits)} {}

  /// Unique within the node; part of message ids. Below 2^20.
  const std::uint32_t index;
  /// For messages to humans.
  const std::string name;
  const std::shared_ptr<amqp::outgoing_queue> queue;
  std::atomic<std::uint64_t> seq = 0; // of the last message; below 2^40
  /// Null where there is no spill. Set before it is shared.
  std::shared_ptr<spill_lane> lane;
};

/// What a message is found by when its reply or outcome comes.
[[nodiscard]] std::uint64_t number_in_node(std::uint32_t destination,
                                           std::uint64_t seq);

/// The number in a message id of ours, 0 when `id` is not one.
[[nodiscard]] std::uint64_t number_in_node(std::string_view id,
                                           std::string_view stream);

/// The local actor that stands for whoever serves an address. It has no
/// mailbox: what is sent to it is encoded at once, in the sender's thread, and
/// queued for the link.
class proxy final : public caf::actor_proxy {
public:
  proxy(caf::actor_config& config, std::shared_ptr<hub> home,
        std::shared_ptr<destination> to, send_options how);

  using caf::actor_proxy::enqueue;
  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* context) override;
  void kill_proxy(caf::execution_unit* context, caf::error reason) override;

  // Monitors and links are of who serves the address, see docs/DELIVERY.md.
  void attach(caf::attachable_ptr who) override;
  size_t detach(const caf::attachable::token& which) override;
  bool add_backlink(caf::abstract_actor* who) override;
  bool remove_backlink(caf::abstract_actor* who) override;

private:
  // Something that is not sent.
  void take_other(const caf::mailbox_element& what);
  // Who waits for the end of `what`, if anybody does.
  [[nodiscard]] std::optional<waiting_send>
  waiter(const caf::mailbox_element& what);
  // Why a message would be refused now. Others may come before it.
  [[nodiscard]] std::optional<errc> obstacle(bool is_waited_for,
                                             std::size_t bytes) const;
  [[nodiscard]] push_result would_queue(std::size_t bytes) const;
  // Refuses or drops it for that.
  void turn_away(const caf::mailbox_element& what, errc why);
  void refuse(const caf::mailbox_element& what, errc why,
              const std::string& text);
  void push(const caf::mailbox_element& what, std::string bytes,
            std::uint64_t number, std::optional<waiting_send> who);
  [[nodiscard]] push_result queue(amqp::outgoing item);

  std::shared_ptr<hub> hub_;
  std::shared_ptr<destination> to_;
  send_options how_;
};

} // namespace rookery::bridge
