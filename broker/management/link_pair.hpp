#pragma once

#include "broker/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace rookery::broker {

/// What the two links of a pair know of each other.
struct management_pair {
  /// Of both links.
  std::string name;
  /// The client's own address on both links; it makes them one.
  std::optional<std::string> client;
  /// Brings requests; null when not attached.
  amqp::link requests = {};
  /// Carries answers; null when not attached.
  amqp::link answers = {};
  std::uint64_t answer_count = 0;
};

/// Those of a session, halves too, by link name; each as long as one of its
/// links is there.
using management_pairs =
    std::map<std::string, std::shared_ptr<management_pair>, std::less<>>;

/// One of the two links between a client and `/management`.
/// @source AMQP Link Pairing 1.0; rabbit_amqp_session.erl of RabbitMQ 4.0.5
class management_link : public endpoint {
public:
  /// Requests that may be under way.
  static constexpr std::uint32_t credit_max = 8;
  /// Bytes of a request. What is read from it may take forty times as many.
  static constexpr std::size_t request_bytes_max = 64 * 1024;

  /// `self` is one of the pair's two links; `all` is its session's.
  management_link(connection& owner, amqp::link self, management_pairs& all,
                  std::shared_ptr<management_pair> pair);

  void on_message(amqp::delivery d, std::string& bytes) override;
  void on_credit() override;
  void on_room() override;
  void on_closed(detach_reason) override;

private:
  void answer(const std::string& bytes);
  void refill();

  management_pairs& all_;
  std::shared_ptr<management_pair> pair_;
  std::uint32_t credit_ = 0;
  /// The client does not take its answers: there is no credit for requests.
  bool output_full_ = false;
};

} // namespace rookery::broker
