#include "bridge/core/dedupe_table.hpp"

namespace rookery::bridge {

dedupe_table::dedupe_table(std::size_t streams_max, std::uint32_t window)
    : streams_max_{streams_max},
      window_{window} {}

std::shared_ptr<dedupe> dedupe_table::at(std::string_view stream) {
  if (streams_max_ == 0)
    return nullptr;
  // Most often it is the same stream again.
  if (!newest_.empty() && newest_.front().stream == stream)
    return newest_.front().messages;
  if (auto found = by_name_.find(stream); found != by_name_.end()) {
    newest_.splice(newest_.begin(), newest_, found->second);
    return newest_.front().messages;
  }
  if (newest_.size() == streams_max_) {
    by_name_.erase(newest_.back().stream);
    newest_.pop_back();
  }
  newest_.push_front({std::string{stream}, std::make_shared<dedupe>(window_)});
  by_name_.emplace(newest_.front().stream, newest_.begin());
  return newest_.front().messages;
}

} // namespace rookery::bridge
