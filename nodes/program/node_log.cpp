#include "nodes/program/node_log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace rookery::nodes {

namespace {

constexpr std::uint32_t lines_max = 10; // of one event, in each `span`
constexpr std::chrono::seconds span{1};
constexpr std::size_t events_max = 256; // that are counted apart

spdlog::level::level_enum level_of(severity x) {
  switch (x) {
  case severity::debug:
    return spdlog::level::debug;
  case severity::info:
    return spdlog::level::info;
  case severity::warning:
    return spdlog::level::warn;
  case severity::error:
    return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool needs_quotes(std::string_view value) {
  for (unsigned char c : value)
    if (c <= ' ' || c == '"' || c == '=' || c == 0x7f)
      return true;
  return value.empty();
}

void append(std::string& line, std::string_view key, std::string_view value) {
  line.append(" ").append(key).append("=");
  if (!needs_quotes(value)) {
    line.append(value);
    return;
  }
  line += '"';
  for (auto c : value) {
    if (c == '"' || c == '\\')
      line += '\\';
    line += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  }
  line += '"';
}

} // namespace

node_log::node_log(const std::string& level, const std::string& node_name)
    : logger_(std::make_shared<spdlog::logger>(
        "rookery", std::make_shared<spdlog::sinks::stderr_sink_mt>())),
      node_name_(node_name) {
  logger_->set_level(spdlog::level::from_str(level));
  logger_->flush_on(spdlog::level::debug);
  logger_->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l%v",
                       spdlog::pattern_time_type::utc);
}

node_log::~node_log() = default;

void node_log::write(severity level, std::string_view event,
                     std::initializer_list<field> fields) noexcept {
  try {
    std::uint64_t left_out = 0;
    if (!logger_->should_log(level_of(level))
        || (level != severity::error && !allowed(event, left_out)))
      return;
    std::string line;
    append(line, "node", node_name_);
    append(line, "event", event);
    for (auto& [key, value] : fields)
      append(line, key, value);
    if (left_out > 0)
      append(line, "left_out", std::to_string(left_out));
    logger_->log(level_of(level), spdlog::string_view_t{line});
  } catch (...) { // out of memory or a full disk: a log must not end the node
  }
}

bool node_log::allowed(std::string_view event, std::uint64_t& left_out) {
  std::lock_guard guard{mutex_};
  auto found = allowances_.find(event);
  if (found == allowances_.end()) {
    if (allowances_.size() >= events_max)
      return true;
    found = allowances_.emplace(std::string{event}, allowance{}).first;
  }
  auto& x = found->second;
  auto now = clock::now();
  if (now - x.since >= span) {
    left_out = x.left_out;
    x = {now};
  }
  if (x.written >= lines_max) {
    ++x.left_out;
    return false;
  }
  ++x.written;
  return true;
}

void node_log::on_event(severity level, std::string_view name,
                        std::string_view text) noexcept {
  write(level, name, {{"text", text}});
}

void node_log::connection_opened(std::uint64_t connection,
                                 std::string_view peer) noexcept {
  try {
    peers_.insert_or_assign(connection, std::string{peer});
  } catch (...) { // out of memory: it goes without a name
  }
  write(severity::debug, "client-connected",
        {{"connection", std::to_string(connection)}, {"peer", peer}});
}

std::string_view node_log::peer_of(std::uint64_t connection) const noexcept {
  auto found = peers_.find(connection);
  return found == peers_.end() ? std::string_view{} : found->second;
}

void node_log::connection_closed(std::uint64_t connection,
                                 std::string_view reason) noexcept {
  write(reason.empty() ? severity::debug : severity::warning, "client-gone",
        {{"connection", std::to_string(connection)},
         {"peer", peer_of(connection)},
         {"reason", reason}});
  peers_.erase(connection);
}

void node_log::connection_refused(std::string_view reason) noexcept {
  write(severity::warning, "client-refused", {{"reason", reason}});
}

void node_log::attach_refused(std::uint64_t connection, std::string_view link,
                              std::string_view reason) noexcept {
  write(severity::warning, "link-refused",
        {{"connection", std::to_string(connection)},
         {"peer", peer_of(connection)},
         {"link", link},
         {"reason", reason}});
}

void node_log::session_ended(std::uint64_t connection, std::string_view link,
                             std::string_view reason) noexcept {
  write(severity::warning, "session-ended",
        {{"connection", std::to_string(connection)},
         {"peer", peer_of(connection)},
         {"link", link},
         {"reason", reason}});
}

void node_log::consumer_active(std::string_view queue,
                               std::string_view peer) noexcept {
  write(severity::info, "active", {{"queue", queue}, {"peer", peer}});
}

void node_log::message_refused(std::uint64_t connection, std::string_view link,
                               std::string_view reason) noexcept {
  write(severity::warning, "message-refused",
        {{"connection", std::to_string(connection)},
         {"peer", peer_of(connection)},
         {"link", link},
         {"reason", reason}});
}

} // namespace rookery::nodes
