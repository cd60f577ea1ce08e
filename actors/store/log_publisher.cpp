#include "actors/store/log_publisher.hpp"

#include "actors/errc.hpp"
#include "actors/store/request_check.hpp"
#include "proto/caf_message.hpp"

#include <caf/send.hpp>

#include <utility>

namespace rookery::store {

using actors::errc;
using service::v1::HeadRequest;
using service::v1::LogBatch;
using service::v1::LogHead;
using service::v1::ReadLogRequest;

namespace {

// One purge a second keeps up with ten thousand keyed changes a second.
constexpr std::uint32_t purged_keys_max = 10'000;

} // namespace

log_publisher::log_publisher(std::shared_ptr<log_store> store, std::string log,
                             writer_options options)
    : store_(std::move(store)),
      log_(std::move(log)),
      options_(std::move(options)) {}

caf::expected<LogHead> log_publisher::head(const HeadRequest& request) {
  if (auto error = check_log(request.log()))
    return error;
  auto seq = store_->head(log_);
  if (!seq)
    return std::move(seq.error());
  LogHead result;
  result.set_log(log_);
  result.set_seq(*seq);
  return result;
}

caf::expected<LogBatch> log_publisher::read(const ReadLogRequest& request) {
  if (auto error = check_log(request.log()))
    return error;
  if (auto error =
          check_range("rows_max", request.rows_max(), 1, group_rows_max))
    return error;
  return store_->read_log(log_, request.after_seq(), request.rows_max());
}

void log_publisher::publish_head() {
  HeadRequest request;
  request.set_log(log_);
  if (auto result = head(request); result && options_.publisher)
    caf::anon_send(options_.publisher, std::move(*result));
}

void log_publisher::publish(LogBatch batch) {
  if (options_.publisher)
    caf::anon_send(options_.publisher, std::move(batch));
}

void log_publisher::purge_keys(const ownership& owner, time_point now) {
  // A failure needs no word: old keys are ignored anyway, and a store that
  // fails says so to whoever changes something.
  static_cast<void>(store_->purge_keys(owner, now, purged_keys_max));
}

caf::error log_publisher::check_log(const std::string& name) const {
  if (name == log_)
    return caf::none;
  return caf::make_error(errc::unknown_log, "'" + name + "', here is " + log_);
}

} // namespace rookery::store
