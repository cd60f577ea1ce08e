#pragma once

#include "actors/errc.hpp"
#include "actors/fanout/question.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <cstdint>
#include <variant>
#include <vector>

namespace rookery::actors {

/// A request to a writer; the shell tells its end with the ticket. Writers
/// 0..tweet_partitions - 1 are those of tweets, the next is that of follows.
struct send_request {
  std::uint64_t ticket;
  std::uint32_t writer;
  writer_request request;
};
/// The delivery of a batch is to be answered: all of it has been applied.
struct finish_batch {
  std::uint64_t token;
};
struct answer_read {
  std::uint64_t token;
  service::v1::HomeTimelineReply reply;
};
struct fail_read {
  std::uint64_t token;
  errc why;
};

/// What the core of a shard wants done.
using effect = std::variant<send_request, finish_batch, answer_read, fail_read>;
using effects = std::vector<effect>;

} // namespace rookery::actors
