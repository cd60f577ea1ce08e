#include "tests/sim/tally.hpp"

namespace rookery::sim {

std::string_view to_string(effect x) {
  switch (x) {
  case effect::cut_with_unsettled:
    return "a cut with at least one unsettled transfer";
  case effect::cut_in_transfer:
    return "a cut with more than a frame on its way";
  case effect::delivery_repeated:
    return "a delivery that came twice to one process";
  case effect::handler_failed:
    return "a handler that failed and got its message again";
  case effect::handler_hung:
    return "a handler that never answered";
  case effect::poison_parked:
    return "a poisoned message that was parked";
  case effect::nonsense_refused:
    return "a message that the service can never do";
  case effect::end_told:
    return "an end of an actor that was told at another node";
  case effect::monitor_taken_back:
    return "a monitor that was taken back before the end";
  case effect::question_unanswered:
    return "a question that ended with an error";
  case effect::late_reply:
    return "an answer that came too late";
  case effect::fired_arrived:
    return "a message that was only fired, and arrived";
  case effect::taken_along:
    return "an actor that ended with one at another node";
  case effect::oldest_dropped:
    return "a message that was dropped for a newer one";
  case effect::too_many_requests:
    return "a send refused because too many waited for their end";
  case effect::declaration_refused:
    return "a declaration that the broker refused for a while";
  case effect::spill_inherited:
    return "a message left in a file by a process that died";
  case effect::spill_kept:
    return "a message left in a file by a process that stopped";
  case effect::spill_expired:
    return "a message that expired in a file, or on its way there";
  case effect::transfer_shared:
    return "a message that shared its transfer with others";
  case effect::part_returned:
    return "a message of a pack that went back alone";
  case effect::outcome_lost:
    return "an outcome that was never told";
  case effect::settled_without_outcome:
    return "a message settled without an outcome";
  case effect::bytes_delayed:
    return "bytes that came late on a connection that lived on";
  case effect::silence_ended_connection:
    return "a one-way silence that ended its connection";
  case effect::node_crash_with_work:
    return "a crash of a node with requests in it";
  case effect::vanished:
    return "a host that went without closing its connection";
  case effect::crash_in_transaction:
    return "a crash between two writes of a transaction";
  case effect::crash_after_commit:
    return "a crash between commit and publish";
  case effect::pause_with_messages:
    return "a node that woke with messages in its socket";
  case effect::pause_given_up:
    return "a node that woke when the broker had given it up";
  case effect::broker_crash_with_messages:
    return "a crash of the broker with messages in its queues";
  case effect::broker_restart:
    return "a planned restart of the broker";
  case effect::power_loss_lost_sectors:
    return "a power loss that lost sectors";
  case effect::clock_jump:
    return "a jump of the wall clock";
  case effect::disk_full_refused:
    return "a write refused by a full disk";
  case effect::fsync_failed:
    return "a failed fsync";
  case effect::start_on_bad_disk:
    return "a start on a failing disk";
  case effect::slow_consumer:
    return "a consumer slower than its queue";
  case effect::planned_stop:
    return "a planned stop of a node";
  case effect::owner_changed:
    return "a queue that another node owned than before";
  case effect::reconnect:
    return "a connection made again";
  case effect::count_:
    break;
  }
  return "";
}

} // namespace rookery::sim
