#include "actors/store/log_store.hpp"

#include "actors/errc.hpp"
#include "actors/log_name.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rookery::store {

using actors::errc;
using service::v1::LogBatch;
using service::v1::LogRow;

namespace {

std::int64_t to_ms(time_point x) {
  using std::chrono::milliseconds;
  auto span = std::chrono::duration_cast<milliseconds>(x.time_since_epoch());
  return span.count();
}

time_point from_ms(std::uint64_t x) {
  return time_point{std::chrono::milliseconds{static_cast<std::int64_t>(x)}};
}

} // namespace

caf::error log_store::start(const schema& wanted) {
  auto id = prepare_schema(db_, wanted);
  if (!id)
    return std::move(id.error());
  id_ = *id;
  take_over_ =
      db_.prepare("UPDATE writers SET incarnation = incarnation + 1 "
                  "WHERE log = ?1 RETURNING incarnation, seq, last_id, "
                  "(SELECT max(used_at_ms) FROM idempotency_keys "
                  "WHERE log = ?1)");
  advance_ = db_.prepare("UPDATE writers SET seq = seq + ?3, last_id = ?4 "
                         "WHERE log = ?1 AND incarnation = ?2 RETURNING seq");
  head_ = db_.prepare("SELECT seq FROM writers WHERE log = ?1");
  insert_row_ = db_.prepare("INSERT INTO log VALUES(?1, ?2, ?3, ?4, ?5)");
  select_rows_ =
      db_.prepare("SELECT kind, user, subject FROM log "
                  "WHERE log = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
  insert_key_ = db_.prepare(
      "INSERT OR REPLACE INTO idempotency_keys VALUES(?1, ?2, ?3, ?4, ?5)");
  select_key_ = db_.prepare("SELECT fingerprint, answer FROM idempotency_keys "
                            "WHERE log = ?1 AND key = ?2 AND used_at_ms > ?3");
  select_old_key_ = db_.prepare("SELECT 1 FROM idempotency_keys "
                                "WHERE log = ?1 AND used_at_ms <= ?2 LIMIT 1");
  delete_old_keys_ = db_.prepare(
      "DELETE FROM idempotency_keys WHERE log = ?1 AND key IN (SELECT key "
      "FROM idempotency_keys WHERE log = ?1 AND used_at_ms <= ?2 "
      "ORDER BY used_at_ms LIMIT ?3) AND EXISTS(SELECT 1 FROM writers "
      "WHERE log = ?1 AND incarnation = ?4) RETURNING 1");
  return caf::none;
}

caf::expected<ownership> log_store::take_over(const std::string& log) {
  ownership result;
  auto found = false;
  auto rows = take_over_.run(log);
  while (rows.next()) { // to the end, where SQLite commits
    result = {log, rows.number(0), rows.number(1), rows.number(2), {}};
    if (auto newest = rows.number(3); newest != 0) // it is 0 for NULL
      result.newest_key = from_ms(newest);
    found = true;
  }
  if (auto error = rows.error())
    return error;
  if (!found)
    return caf::make_error(errc::unknown_log, log);
  return result;
}

caf::error log_store::commit(ownership& owner, log_changes& changes) {
  transaction tx{db_, transaction::kind::write};
  if (tx.error())
    return tx.error();
  auto count = static_cast<std::uint64_t>(changes.batch.rows_size());
  {
    auto claimed =
        advance_.run(owner.log, owner.incarnation, count, changes.last_id);
    if (!claimed.next()) {
      if (auto error = claimed.error())
        return error;
      return caf::make_error(errc::fenced, owner.log);
    }
    // Nobody else advances a log we own, so this is also owner.seq + 1.
    changes.batch.set_first_seq(claimed.number(0) - count + 1);
  }
  changes.batch.set_log(owner.log);
  if (auto error = write_rows(owner, changes))
    return error;
  if (auto error = write_keys(owner, changes))
    return error;
  if (auto error = tx.commit())
    return error;
  owner.seq = changes.batch.first_seq() + count - 1;
  owner.last_id = changes.last_id;
  return caf::none;
}

caf::expected<std::uint64_t> log_store::head(const std::string& log) {
  auto rows = head_.run(log);
  if (rows.next())
    return rows.number(0);
  if (auto error = rows.error())
    return error;
  return caf::make_error(errc::unknown_log, log);
}

caf::expected<LogBatch> log_store::read_log(const std::string& log,
                                            std::uint64_t after_seq,
                                            std::uint32_t rows_max) {
  LogBatch result;
  result.set_log(log);
  result.set_first_seq(after_seq + 1);
  constexpr auto seq_max = std::numeric_limits<std::int64_t>::max();
  auto rows = select_rows_.run(log, std::min<std::uint64_t>(after_seq, seq_max),
                               rows_max);
  while (rows.next()) {
    auto& row = *result.add_rows();
    row.set_kind(static_cast<LogRow::Kind>(rows.number(0)));
    row.set_user(rows.number(1));
    row.set_subject(rows.number(2));
  }
  if (auto error = rows.error())
    return error;
  return result;
}

caf::expected<std::vector<used_key>>
log_store::known_keys(const std::string& log, std::span<const std::string> keys,
                      time_point now) {
  std::vector<used_key> result;
  for (auto& key : keys) {
    auto rows = select_key_.run(log, key, to_ms(now - key_lifetime));
    if (rows.next())
      result.push_back({key, rows.number(0), rows.number(1)});
    if (auto error = rows.error())
      return error;
  }
  return result;
}

caf::expected<std::uint64_t> log_store::purge_keys(const ownership& owner,
                                                   time_point now,
                                                   std::uint32_t keys_max) {
  auto limit = to_ms(now - key_lifetime);
  {
    // Looks before it takes the write lock, for mostly there is nothing.
    auto old = select_old_key_.run(owner.log, limit);
    if (!old.next()) {
      if (auto error = old.error())
        return error;
      return std::uint64_t{0};
    }
  }
  transaction tx{db_, transaction::kind::write};
  if (tx.error())
    return tx.error();
  std::uint64_t count = 0;
  {
    auto rows =
        delete_old_keys_.run(owner.log, limit, keys_max, owner.incarnation);
    while (rows.next())
      ++count;
    if (auto error = rows.error())
      return error;
  }
  if (auto error = tx.commit())
    return error;
  return count;
}

caf::error log_store::write_rows(const ownership& owner,
                                 const log_changes& changes) {
  static const std::string no_text;
  auto name = actors::parse_log_name(owner.log);
  auto index = name ? name->index : 0;
  auto seq = changes.batch.first_seq();
  auto text = changes.texts.begin();
  for (auto& row : changes.batch.rows()) {
    auto& its_text = row.kind() == LogRow::POSTED ? *text++ : no_text;
    if (auto error =
            insert_row_.execute(owner.log, seq, static_cast<int>(row.kind()),
                                row.user(), row.subject()))
      return error;
    if (auto error = apply(index, row, seq, its_text))
      return error;
    ++seq;
  }
  return caf::none;
}

caf::error log_store::write_keys(const ownership& owner,
                                 const log_changes& changes) {
  for (auto& x : changes.keys)
    if (auto error = insert_key_.execute(owner.log, x.key, x.fingerprint,
                                         x.answer, to_ms(changes.now)))
      return error;
  return caf::none;
}

} // namespace rookery::store
