#pragma once

#include "actors/fanout/user_index.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <cstdint>
#include <variant>
#include <vector>

namespace rookery::actors {

/// What a shard wants to know from a writer. The request is made from it only
/// when it is sent, which may be late and more than once.
struct head_question {
  std::uint32_t log;
  std::uint64_t round = 0; // of catching up; 0 = at the start
};
/// Rows of a log after those taken.
struct log_question {
  std::uint32_t log;
};
/// The next page of edges.
struct edges_question {};
/// Tweets by these authors, for one timeline.
struct pull_question {
  user_slot reader;
  std::uint64_t generation; // of the timeline
  std::vector<user_slot> authors;
  /// What was taken of the log when it was sent: an older answer is no good.
  std::uint64_t seq_min = 0;
};
/// Texts for a page.
struct texts_question {
  std::uint64_t read;
  std::vector<tweet_id> ids;
};

using question = std::variant<head_question, log_question, edges_question,
                              pull_question, texts_question>;

/// What goes to a writer, and what comes back.
using writer_request =
    std::variant<service::v1::HeadRequest, service::v1::ReadLogRequest,
                 service::v1::EdgesRequest, service::v1::PullRequest,
                 service::v1::GetTweetsRequest>;
using writer_reply = std::variant<service::v1::LogHead, service::v1::LogBatch,
                                  service::v1::EdgesReply,
                                  service::v1::PullReply, service::v1::Tweets>;

} // namespace rookery::actors
