#include "actors/fanout/expansion.hpp"

#include <algorithm>

namespace rookery::actors {

namespace {

// What a job costs besides its followers, counted in followers: the quantum
// also bounds the time that many jobs without followers take.
constexpr std::uint32_t job_cost = 8;

} // namespace

void expansion::push(const expansion_job& job) {
  auto& jobs = jobs_[job.author];
  if (jobs.empty())
    turns_.push_back(job.author);
  jobs.push_back(job);
  ++size_;
  if (job.erases)
    deleted_.insert(job.tweet);
}

void expansion::work(std::uint32_t quantum, followers_source& source) {
  std::uint64_t spent = 0;
  while (spent < quantum && !turns_.empty()) {
    auto author = turns_.front();
    auto jobs = jobs_.find(author);
    spent += serve_first(jobs->second, quantum - spent, source) + job_cost;
    if (!jobs->second.empty() && spent < quantum)
      continue;
    turns_.pop_front();
    if (jobs->second.empty())
      jobs_.erase(jobs);
    else
      turns_.push_back(author);
  }
}

void expansion::move_position(
    std::uint32_t author,
    const std::function<std::uint32_t(std::uint32_t)>& move) {
  auto jobs = jobs_.find(author);
  if (jobs == jobs_.end())
    return;
  auto& position = jobs->second.front().position;
  position = move(position);
}

std::uint64_t expansion::serve_first(std::list<expansion_job>& jobs,
                                     std::uint64_t followers_max,
                                     followers_source& source) {
  auto& job = jobs.front();
  auto cancelled = !job.erases && deleted_.contains(job.tweet);
  auto rest = source.followers(job.author).subspan(job.position);
  auto count =
      cancelled ? 0 : std::min<std::uint64_t>(rest.size(), followers_max);
  if (!cancelled)
    source.serve(job, rest.first(count), job.position == 0);
  job.position += static_cast<std::uint32_t>(count);
  if (!cancelled && count < rest.size())
    return count;
  if (job.erases)
    deleted_.erase(job.tweet);
  source.finished(job, cancelled);
  jobs.pop_front();
  --size_;
  return count;
}

} // namespace rookery::actors
