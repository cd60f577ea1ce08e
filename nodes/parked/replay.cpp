#include "nodes/parked/replay.hpp"

#include "nodes/parked/parked_message.hpp"

#include <algorithm>
#include <vector>

namespace rookery::nodes {

namespace {

// Sends that wait for their outcomes together.
constexpr std::uint64_t batch_max = 32;

std::string words(const bridge::outcome& x) {
  using kind = bridge::outcome::kind_type;
  if (x.kind == kind::released)
    return "no queue took it";
  if (x.kind == kind::rejected)
    return "the broker refused it (" + x.condition
           + (x.description.empty() ? "" : ": " + x.description) + ")";
  return std::string{"the broker did not accept it ("} + to_string(x.kind)
         + ")";
}

class replayer {
public:
  replayer(broker_client& client, const replay_options& wanted)
      : client_{client},
        wanted_{wanted} {}

  replay_result run() {
    if (auto why = client_.consume(wanted_.from))
      result_.broken = why;
    auto left = wanted_.count_max;
    while (left > 0 && !result_.broken) {
      const auto some =
          client_.take(static_cast<std::uint32_t>(std::min(left, batch_max)));
      if (!some)
        result_.broken = some.error();
      if (!some || some->empty())
        break;
      left -= std::min<std::uint64_t>(left, some->size());
      send(*some);
    }
    if (!result_.broken) {
      client_.give_back(); // what was kept; now, or it would have come again
      result_.broken = client_.close();
    }
    return std::move(result_);
  }

private:
  // Sent and without the broker's word.
  struct under_way {
    std::uint64_t number;
    std::string to;
  };

  /// A target that fails keeps its own messages here, and no others: what was
  /// accepted elsewhere is settled in any case.
  void send(const std::vector<broker_client::taken>& some) {
    std::vector<under_way> sent;
    for (const auto& each : some) {
      std::string to;
      if (auto obstacle = send(each, to))
        ++result_.kept[*obstacle];
      else
        sent.push_back({each.number, std::move(to)});
    }
    for (const auto& each : sent) {
      const auto how = client_.outcome_of(each.to, each.number);
      if (!how)
        ++result_.kept[how.error() + "; it may be there as well"];
      else if (*how != bridge::outcome::accepted())
        ++result_.kept[words(*how)];
      else if (client_.settle(each.number, *how))
        ++result_.sent;
      else
        ++result_.kept["it was sent, and its queue has it as well"];
    }
    if (client_.over())
      result_.broken = "the connection to the broker ended";
  }

  /// @returns why this one is not sent; else it goes `to` that queue
  fault send(const broker_client::taken& x, std::string& to) {
    to = wanted_.to.empty() ? read_parked(x.bytes).queue : wanted_.to;
    if (to.empty())
      return "nothing says where it came from; --to says where it goes";
    if (to == wanted_.from)
      return "it came from this very queue; --to says where it goes";
    const auto form = replay_form(x.bytes);
    if (!form)
      return "it is malformed";
    if (auto why = client_.open_target(to))
      return why;
    return client_.send(to, x.number, *form);
  }

  broker_client& client_;
  const replay_options& wanted_;
  replay_result result_;
};

} // namespace

replay_result replay(broker_client& client, const replay_options& wanted) {
  return replayer{client, wanted}.run();
}

} // namespace rookery::nodes
