#pragma once

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/caf/encoding.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/caf/local_proxy.hpp"
#include "testing/test_system.hpp"

#include "rookery/bridge/v1/control.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::tests {

/// Keeps the names of what is reported at warning and above.
struct report_log : bridge::observer {
  void on_event(severity how, std::string_view name,
                std::string_view) noexcept override {
    std::lock_guard guard{mutex};
    if (how >= severity::warning)
      names.emplace_back(name);
  }
  std::mutex mutex;
  std::vector<std::string> names; // once all is quiet
};

/// The CAF side of a bridge without its IO thread: what lies at the border is
/// looked at instead of carried.
struct bridge_rig {
  explicit bridge_rig(bridge::bridge_options options = {},
                      std::function<bridge::hub::clock::time_point()> now =
                          bridge::hub::clock::now) {
    types.add<service::v1::PostTweetRequest>()
        .add<service::v1::PostTweetReply>();
    auto outside = bridge::machine();
    outside.now = std::move(now);
    home = std::make_shared<bridge::hub>(world.system(), types,
                                         std::move(options), reports, outside);
    home->settlements.add_window(1000);
    home->lease.extend(home->world.now() + std::chrono::hours{1});
  }

  /// As a bridge ends: who waits holds the hub.
  ~bridge_rig() { home->give_up_waiting(); }

  /// Takes what was settled since the last look.
  std::vector<bridge::settlement> settled() {
    std::vector<bridge::settlement> result;
    home->settlements.take(result);
    return result;
  }

  /// Takes what waits in `queue`, decoded.
  static std::vector<bridge::envelope> take(amqp::outgoing_queue& queue) {
    std::vector<amqp::outgoing> items;
    queue.take(queue.size(), items);
    std::vector<bridge::envelope> result;
    for (const auto& x : items)
      result.push_back(amqp::decode_message(x.bytes)->to_envelope());
    return result;
  }

  /// A request for a tweet, encoded as another node would.
  static std::string post(std::uint64_t author,
                          const std::string& reply_to = {}) {
    service::v1::PostTweetRequest body;
    body.set_author(author);
    bridge::envelope head;
    head.message_id = "other.1-1";
    head.reply_to = reply_to;
    return bridge::encode(head, body);
  }

  std::shared_ptr<report_log> reports = std::make_shared<report_log>();
  testing::test_system world;
  bridge::type_registry types;
  std::shared_ptr<bridge::hub> home;
};

} // namespace rookery::tests
