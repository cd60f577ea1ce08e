#include "broker/management/link_pair.hpp"

#include "broker/connection.hpp"
#include "broker/dispatcher.hpp"
#include "broker/management/api.hpp"

#include <string>
#include <utility>

namespace rookery::broker {

management_link::management_link(connection& owner, amqp::link self,
                                 management_pairs& all,
                                 std::shared_ptr<management_pair> pair)
    : endpoint{owner, self},
      all_{all},
      pair_{std::move(pair)} {
  if (!self_.is_sender())
    refill();
}

void management_link::on_message(amqp::delivery d, std::string& bytes) {
  d.settle(bridge::outcome::accepted());
  if (credit_ == 0)
    return owner_.end_session(
        *this, {"amqp:link:transfer-limit-exceeded",
                "a management request came without credit for it"});
  if (bytes.size() > request_bytes_max)
    return owner_.end_session(*this, {"amqp:link:message-size-exceeded",
                                      "a management request is longer than "
                                          + std::to_string(request_bytes_max)
                                          + " bytes"});
  if (!pair_->answers)
    return owner_.end_session(
        *this, {"amqp:precondition-failed",
                "a request on a half open management link pair"});
  if (pair_->answers.credit() == 0)
    return owner_.end_session(
        *this, {"amqp:precondition-failed",
                "no credit for the answer to a management request"});
  --credit_;
  refill();
  answer(bytes);
}

void management_link::answer(const std::string& bytes) {
  const auto request = parse_request(bytes);
  if (!request)
    return owner_.end_session(*this, {"amqp:decode-error", request.error()});
  auto& shared = owner_.shared();
  auto result = handle(*request, shared.host, owner_.id());
  if (result.declared_exclusive)
    owner_.owns_queues();
  const auto encoded = encode_response(request->id, result.status, result.body);
  pair_->answers.send(++pair_->answer_count, encoded, {}, true);
  owner_.sent(encoded.size());
  output_full_ = owner_.full();
  shared.wake();
  if (!result.deleted_queue.empty())
    shared.queue_deleted(result.deleted_queue, result.cancelled);
}

void management_link::refill() {
  if (output_full_ || credit_ > credit_max / 2)
    return;
  self_.add_credit(credit_max - credit_);
  credit_ = credit_max;
}

void management_link::on_room() {
  if (!std::exchange(output_full_, false))
    return;
  refill();
  owner_.shared().touch(owner_);
}

void management_link::on_credit() {
  // Behind answers that wait to be written Proton would forget to say so; this
  // is called again when they were.
  if (!self_.draining() || self_.credit() == 0 || self_.queued() > 0)
    return;
  self_.drained();
  owner_.shared().touch(owner_);
}

void management_link::on_closed(detach_reason) {
  auto& half = pair_->answers == self_ ? pair_->answers : pair_->requests;
  half = {};
  if (!pair_->answers && !pair_->requests)
    all_.erase(pair_->name);
}

} // namespace rookery::broker
