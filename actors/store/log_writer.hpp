#pragma once

#include "actors/errc.hpp"
#include "actors/store/group_plan.hpp"
#include "actors/store/key_ledger.hpp"
#include "actors/store/log_publisher.hpp"
#include "proto/caf_message.hpp"

#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/replies_to.hpp>
#include <caf/result.hpp>
#include <caf/sec.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rookery::store {

/// Tells a writer to commit what waits. Writers send it to themselves.
using commit_atom = caf::atom_constant<caf::atom("commit")>;

/// Tells a writer to publish its head now: send it after every connect.
using publish_head_atom = caf::atom_constant<caf::atom("head")>;

/// What every writer of a log serves.
using log_actor = caf::typed_actor<
    caf::replies_to<service::v1::HeadRequest>::with<service::v1::LogHead>,
    caf::replies_to<service::v1::ReadLogRequest>::with<service::v1::LogBatch>,
    caf::reacts_to<publish_head_atom>, caf::reacts_to<commit_atom>,
    caf::reacts_to<caf::tick_atom>>;

/// What a role adds to `log_writer`: its changes, and how it decides them.
/// `plan` reads the role's store and then leaves the decision to its core.
template <class T>
concept writer_role =
    requires(T role, std::span<const change_request<typename T::change>> group,
             ownership owner, key_ledger keys, time_point now) {
  {
    role.plan(group, owner, keys, now)
    } -> std::same_as<caf::expected<group_plan>>;
};

/// Group commit: changes wait until the actor's mailbox has been read, then
/// one transaction takes them all. Never more than `group_rows_max` rows wait:
/// the request that would exceed them commits the others first.
///
/// The log is taken over with the first change, not when the actor starts:
/// only a request shows that the broker chose this process, and a standby that
/// starts must not fence the active one.
/// @thread its actor's
template <writer_role Role>
class log_writer : public log_publisher {
public:
  using change = typename Role::change;

  log_writer(Role role, std::shared_ptr<log_store> store, std::string log,
             writer_options options)
      : log_publisher(store, std::move(log), std::move(options)),
        role_(std::move(role)),
        store_(std::move(store)) {}

  log_writer(const log_writer&) = delete;
  log_writer& operator=(const log_writer&) = delete;

  /// Nobody waits for an actor that ended.
  ~log_writer() {
    for (auto& answer : answers_)
      answer(caf::make_error(caf::sec::request_receiver_down));
  }

  /// Queues a change that makes `rows` log rows at most, 0..`group_rows_max`,
  /// and answers after its commit with what `fill(reply, answer)` makes of the
  /// plan's answer. A request that was not accepted is answered at once.
  template <class Reply, class Self, class Fill>
  caf::result<Reply> serve(Self* self,
                           caf::expected<change_request<change>> request,
                           std::size_t rows, Fill fill) {
    if (!request)
      return std::move(request.error());
    auto promise = self->template make_response_promise<Reply>();
    add(self, std::move(*request), rows,
        [=](caf::expected<std::uint64_t> answer) mutable {
          Reply reply;
          if (!answer)
            return static_cast<void>(promise.deliver(answer.error()));
          fill(reply, *answer);
          promise.deliver(std::move(reply));
        });
    return promise;
  }

  /// Commits what waits, answers, and publishes. Ends the actor when another
  /// one took the log over.
  template <class Self>
  void commit(Self* self) {
    auto requests = std::exchange(requests_, {});
    auto answers = std::exchange(answers_, {});
    rows_ = 0;
    if (requests.empty())
      return;
    auto plan = write(requests);
    // Nothing is wrong with the requests: as if this actor had ended before
    // them, so that whoever has the log now is asked.
    if (!plan && plan.error() == actors::errc::fenced) {
      for (auto& answer : answers)
        answer(caf::make_error(caf::sec::request_receiver_down));
      return self->quit(plan.error());
    }
    for (std::size_t i = 0; i < answers.size(); ++i)
      answers[i](plan ? plan->answers[i] : plan.error());
    if (plan && !plan->changes.batch.rows().empty())
      publish(std::move(plan->changes.batch));
  }

  template <class Self>
  void tick(Self* self) {
    publish_head();
    if (owner_)
      purge_keys(*owner_, key_time());
    self->delayed_send(self, head_interval(), caf::tick_atom::value);
  }

private:
  using answer_type = std::function<void(caf::expected<std::uint64_t>)>;

  template <class Self>
  void add(Self* self, change_request<change> request, std::size_t rows,
           answer_type answer) {
    rows = std::max<std::size_t>(rows, 1); // bounds the requests, too
    if (rows_ + rows > group_rows_max)
      commit(self);
    // Behind all that is in the mailbox now: that is the group.
    if (requests_.empty())
      self->send(self, commit_atom::value);
    rows_ += rows;
    requests_.push_back(std::move(request));
    answers_.push_back(std::move(answer));
  }

  caf::expected<group_plan>
  write(const std::vector<change_request<change>>& requests) {
    if (!owner_) {
      auto taken = store_->take_over(log());
      if (!taken)
        return std::move(taken.error());
      owner_ = std::move(*taken);
      keys_from_ = owner_->newest_key.value_or(now()) - steady();
      taken_over(*owner_);
    }
    std::vector<std::string> keys;
    for (auto& x : requests)
      if (!x.key.empty())
        keys.push_back(x.key);
    auto known = store_->known_keys(log(), keys, key_time());
    if (!known)
      return std::move(known.error());
    key_ledger ledger{std::move(*known)};
    auto result = role_.plan(requests, *owner_, ledger, now());
    if (!result)
      return result;
    result->changes.keys = ledger.take_fresh();
    result->changes.now = key_time();
    if (!result->changes.empty())
      if (auto error = store_->commit(*owner_, result->changes))
        return error;
    return result;
  }

  /// The time of a log's keys goes on from the newest one, and stands still
  /// while nobody writes the log. So a key lives too long rather than too
  /// short: a wall clock that jumps, or another node's, makes none of them old.
  [[nodiscard]] time_point key_time() const { return keys_from_ + steady(); }

  Role role_;
  std::shared_ptr<log_store> store_;
  /// Empty until the first change.
  std::optional<ownership> owner_;
  /// What the steady clock began with, in the time of the keys; with `owner_`.
  time_point keys_from_;
  /// What waits, and in the same order whom to tell.
  std::vector<change_request<change>> requests_;
  std::vector<answer_type> answers_;
  /// The most rows that `requests_` can make, 0..`group_rows_max`.
  std::size_t rows_ = 0;
};

/// The behavior of a writer whose state has a `writer`: what every writer
/// serves, and the handlers of its role. Starts its timer.
template <class Actor, class Self, class... Handlers>
typename Actor::behavior_type writer_behavior(Self self, Handlers... own) {
  using service::v1::HeadRequest;
  using service::v1::LogBatch;
  using service::v1::LogHead;
  using service::v1::ReadLogRequest;
  auto interval = self->state.writer->head_interval();
  self->delayed_send(self, interval, caf::tick_atom::value);
  return {
      [=](const HeadRequest& request) -> caf::result<LogHead> {
        return self->state.writer->head(request);
      },
      [=](const ReadLogRequest& request) -> caf::result<LogBatch> {
        return self->state.writer->read(request);
      },
      [=](publish_head_atom) { self->state.writer->publish_head(); },
      [=](commit_atom) { self->state.writer->commit(self); },
      [=](caf::tick_atom) { self->state.writer->tick(self); },
      std::move(own)...,
  };
}

} // namespace rookery::store
