// The part of fanout_core that asks writers and takes their answers.
#include "actors/fanout/fanout_core.hpp"

namespace rookery::actors {

using namespace service::v1;

namespace {

constexpr std::uint32_t rows_max = 1'000; // in one ReadLogRequest

} // namespace

void fanout_core::reply(std::uint64_t ticket, const writer_reply& x,
                        moment now) {
  now_ = now;
  auto asked = requests_.take(ticket);
  if (!asked)
    return;
  if (take_reply(asked->what, asked->writer, x))
    requests_.succeeded(*asked);
  else
    requests_.failed(std::move(*asked), now.steady);
  pump();
}

void fanout_core::fail(std::uint64_t ticket, moment now) {
  now_ = now;
  if (auto asked = requests_.take(ticket))
    requests_.failed(std::move(*asked), now.steady);
  pump();
}

void fanout_core::pump() {
  become_ready();
  open_reads();
  while (expansion_.authors() < options_.authors_max) {
    auto row = inbox_.take();
    if (!row)
      break;
    start_row(*row);
  }
  read_back();
  requests_.send(
      now_.steady,
      [this](std::uint32_t writer, question& what) {
        return request(writer, what);
      },
      [this](std::uint64_t ticket, std::uint32_t writer, writer_request x) {
        effects_.push_back(send_request{ticket, writer, std::move(x)});
      });
}

void fanout_core::read_back() {
  if (!startup_.edges_known() || inbox_.size() > options_.batches_max / 2)
    return;
  // The number of a log is that of its writer.
  for (std::uint32_t log = 0; log < cursors_.size(); ++log)
    if (cursors_[log].begin_read())
      requests_.ask_first(log, log_question{log});
}

std::optional<writer_request> fanout_core::request(std::uint32_t writer,
                                                   question& what) {
  if (std::holds_alternative<edges_question>(what))
    return startup_.next_page();
  if (auto* pull = std::get_if<pull_question>(&what))
    return builder_.request(*pull, cursors_[writer].taken());
  if (auto* texts = std::get_if<texts_question>(&what))
    return reads_.request(*texts);
  if (auto* head = std::get_if<head_question>(&what)) {
    HeadRequest result;
    result.set_log(name_of(head->log));
    return result;
  }
  auto log = std::get<log_question>(what).log;
  ReadLogRequest result;
  result.set_log(name_of(log));
  result.set_after_seq(cursors_[log].taken());
  result.set_rows_max(rows_max);
  return result;
}

/// False when the question must be asked again.
bool fanout_core::take_reply(const question& what, std::uint32_t writer,
                             const writer_reply& x) {
  if (auto* asked = std::get_if<head_question>(&what)) {
    auto* head = std::get_if<LogHead>(&x);
    if (head == nullptr || head->log() != name_of(asked->log))
      return false;
    learn_head(asked->log, head->seq());
    catch_up_.take(asked->log, asked->round, head->seq());
    return true;
  }
  if (auto* asked = std::get_if<log_question>(&what)) {
    auto* batch = std::get_if<LogBatch>(&x);
    return batch != nullptr && take_read_rows(asked->log, *batch);
  }
  if (auto* asked = std::get_if<pull_question>(&what)) {
    auto* pull = std::get_if<PullReply>(&x);
    if (pull == nullptr || !builder_.take(*asked, writer, *pull))
      return false;
    reads_.wake(asked->reader);
    return true;
  }
  if (auto* asked = std::get_if<texts_question>(&what)) {
    auto* texts = std::get_if<Tweets>(&x);
    if (texts != nullptr)
      reads_.take_texts(*asked, *texts);
    return texts != nullptr;
  }
  auto* page = std::get_if<EdgesReply>(&x);
  return page != nullptr && take_edges(*page);
}

void fanout_core::learn_head(std::uint32_t log, std::uint64_t seq) {
  if (log < options_.tweet_partitions)
    startup_.head_known(log);
  // Before it is ready a shard has no timelines: nothing older matters.
  if (log < options_.tweet_partitions && !ready_)
    cursors_[log].skip_to(seq);
  else
    cursors_[log].raise_head(seq);
}

bool fanout_core::take_read_rows(std::uint32_t log, const LogBatch& batch) {
  auto& cursor = cursors_[log];
  auto taken = cursor.taken();
  auto empty = batch.rows_size() == 0;
  if (batch.log() != name_of(log)
      || (!empty && (batch.first_seq() == 0 || batch.first_seq() > taken + 1)))
    return false;
  cursor.end_read();
  if (empty)
    cursor.found_nothing();
  else
    take_rows(std::nullopt, log, batch);
  return true;
}

bool fanout_core::take_edges(const EdgesReply& page) {
  if (!startup_.take(page, graph_))
    return false;
  if (!startup_.edges_known()) {
    requests_.ask(requests_.follow_writer(), edges_question{});
    return true;
  }
  cursors_.back().skip_to(startup_.first_head());
  cursors_.back().raise_head(startup_.last_head());
  return true;
}

} // namespace rookery::actors
