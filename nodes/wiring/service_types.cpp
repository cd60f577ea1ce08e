#include "nodes/wiring/service_types.hpp"

#include "rookery/service/v1/follow.pb.h"
#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/timeline.pb.h"
#include "rookery/service/v1/tweet.pb.h"

namespace rookery::nodes {

bridge::type_registry service_types() {
  using namespace service::v1;
  bridge::type_registry result;
  result.add<FollowRequest>()
      .add<UnfollowRequest>()
      .add<FollowReply>()
      .add<ImportEdgesRequest>()
      .add<ImportEdgesReply>()
      .add<EdgesRequest>()
      .add<EdgesReply>();
  result.add<LogBatch>()
      .add<LogHead>()
      .add<HeadRequest>()
      .add<ReadLogRequest>();
  result.add<HomeTimelineRequest>()
      .add<HomeTimelineReply>()
      .add<ShardStatusRequest>()
      .add<ShardStatus>()
      .add<DumpTimelinesRequest>()
      .add<DumpTimelinesReply>()
      .add<CompletionsRequest>()
      .add<CompletionsReply>();
  result.add<PostTweetRequest>()
      .add<PostTweetReply>()
      .add<DeleteTweetRequest>()
      .add<DeleteTweetReply>()
      .add<UserTimelineRequest>()
      .add<GetTweetsRequest>()
      .add<Tweets>()
      .add<PullRequest>()
      .add<PullReply>();
  return result;
}

} // namespace rookery::nodes
