#include "actors/fanout/expansion.hpp"

#include <algorithm>

namespace rookery::actors {

namespace {

// What a job costs besides its followers, counted in followers: the quantum
// also bounds the time that many jobs without followers take.
constexpr std::uint32_t job_cost = 8;

} // namespace

void expansion::work(std::uint32_t quantum, followers_source& source) {
  std::uint64_t spent = 0;
  while (spent < quantum && !jobs_.empty()) {
    auto job = jobs_.front();
    jobs_.pop_front();
    auto rest = source.followers(job.author).subspan(job.position);
    auto count = std::min<std::uint64_t>(rest.size(), quantum - spent);
    source.serve(job, rest.first(count), job.position == 0);
    spent += count + job_cost;
    job.position += static_cast<std::uint32_t>(count);
    if (count == rest.size())
      source.finished(job, false);
    else
      jobs_.push_back(job);
  }
}

void expansion::cancel_post(tweet_id tweet, followers_source& source) {
  auto is_post = [tweet](const expansion_job& job) {
    return job.tweet == tweet && !job.erases;
  };
  auto at = std::find_if(jobs_.begin(), jobs_.end(), is_post);
  if (at == jobs_.end())
    return;
  auto job = *at;
  jobs_.erase(at);
  source.finished(job, true);
}

void expansion::move_positions(
    std::uint32_t author,
    const std::function<std::uint32_t(std::uint32_t)>& move) {
  for (auto& job : jobs_)
    if (job.author == author)
      job.position = move(job.position);
}

} // namespace rookery::actors
