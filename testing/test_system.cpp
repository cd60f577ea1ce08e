#include "testing/test_system.hpp"

#include <caf/detail/pretty_type_name.hpp>
#include <caf/detail/test_actor_clock.hpp>

#include <algorithm>
#include <stdexcept>

namespace rookery::testing {

namespace {

std::string type_names(const caf::type_erased_tuple& content) {
  std::string result;
  for (size_t i = 0; i < content.size(); ++i) {
    auto type = content.type(i).second;
    result +=
        type ? caf::detail::pretty_type_name(*type) : content.stringify(i);
    result += ' ';
  }
  return result;
}

// For those that await an answer: until it comes they look at nothing else,
// not even at an exit.
void end(const caf::actor_addr& who) {
  const auto target = caf::actor_cast<caf::strong_actor_ptr>(who);
  auto* self =
      target ? dynamic_cast<caf::scheduled_actor*>(target->get()) : nullptr;
  if (self == nullptr || self->getf(caf::abstract_actor::is_terminated_flag))
    return;
  self->context(nullptr); // that of its last turn is gone
  self->quit(caf::exit_reason::kill);
  self->finalize();
}

} // namespace

caf::actor_system_config test_system::make_config() {
  caf::actor_system_config result;
  result.set("scheduler.policy", caf::atom("testing"));
  return result;
}

test_system::~test_system() {
  kill();
  scheduler_.clock().cancel_all(); // or its stop() would fire them for ever
}

test_system::time_point test_system::now() const {
  auto passed = scheduler_.clock().current_time - started_;
  return time_point{std::chrono::seconds{1767312000}}
         + std::chrono::duration_cast<time_point::duration>(passed);
}

// Each actor that is not spawned lazily has a turn to begin with, so sooner or
// later all of them are first in the queue.
bool test_system::run_one() {
  if (!scheduler_.has_job())
    return false;
  know(*scheduler_.jobs.front());
  return scheduler_.try_run_once();
}

void test_system::run() {
  while (run_one()) {
  }
  throw_trouble();
}

bool test_system::step(std::size_t turns_max) {
  while (turns_max-- > 0 && run_one()) {
  }
  throw_trouble();
  return scheduler_.has_job();
}

void test_system::advance_time(caf::timespan span, caf::timespan step) {
  if (step.count() <= 0)
    throw std::invalid_argument{"advance_time: no step forward"};
  run();
  while (span.count() > 0) {
    auto part = std::min(span, step);
    scheduler_.advance_time(part);
    run();
    span -= part;
  }
}

void test_system::kill() {
  // Again for those who came only now: a new actor begins before it can end.
  for (;;) {
    for (auto* each : scheduler_.jobs)
      know(*each);
    const auto told = std::exchange(actors_, {});
    if (told.empty())
      return;
    for (const auto& [id, address] : told)
      if (auto target = caf::actor_cast<caf::actor>(address))
        // In front of what is in its mailbox: nothing of that is handled.
        caf::anon_send<caf::message_priority::high>(
            target, caf::exit_msg{{}, caf::exit_reason::kill});
    while (run_one()) {
    }
    for (const auto& [id, address] : told)
      end(address);
  }
}

void test_system::know(caf::resumable& x) {
  auto* who = dynamic_cast<caf::abstract_actor*>(&x);
  if (who != nullptr && !actors_.contains(who->id()))
    actors_.emplace(who->id(), who->address());
}

void test_system::watch(const caf::strong_actor_ptr& handle) {
  auto self = dynamic_cast<caf::scheduled_actor*>(handle->get());
  if (self == nullptr)
    return;
  know(*self);
  auto trouble = trouble_;
  self->set_default_handler(
      [=](caf::scheduled_actor* who, caf::message_view& x) {
        *trouble += std::string{who->name()} + " does not handle "
                    + type_names(x.content()) + "; ";
        return caf::result<caf::message>{caf::sec::unexpected_message};
      });
  self->set_exception_handler([=](std::exception_ptr& x) {
    try {
      std::rethrow_exception(x);
    } catch (const std::exception& e) {
      *trouble += std::string{"an actor threw: "} + e.what() + "; ";
    } catch (...) {
      *trouble += "an actor threw what is no exception; ";
    }
    return caf::error{caf::exit_reason::unhandled_exception};
  });
}

void test_system::throw_trouble() {
  if (!trouble_->empty())
    throw std::logic_error("test_system: " + std::exchange(*trouble_, {}));
}

} // namespace rookery::testing
