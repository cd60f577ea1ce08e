#include "nodes/program/stop_signal.hpp"

#include "nodes/config/command_line.hpp"

#include <csignal>
#include <unistd.h>

namespace rookery::nodes {

namespace {

sigset_t stop_signals() {
  sigset_t result;
  sigemptyset(&result);
  sigaddset(&result, SIGTERM);
  sigaddset(&result, SIGINT);
  return result;
}

/// Whether one came within the time.
bool signalled(std::chrono::milliseconds timeout) {
  auto set = stop_signals();
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  auto rest = std::chrono::nanoseconds{timeout - seconds};
  timespec limit{seconds.count(), rest.count()};
  return sigtimedwait(&set, nullptr, &limit) > 0;
}

// How often the thread looks whether the process is over.
constexpr std::chrono::milliseconds look{50};
// A signal that comes so soon after the first is the same.
constexpr std::chrono::milliseconds echo{250};

} // namespace

stop_signal::stop_signal(std::chrono::milliseconds stop_timeout,
                         std::function<void(const char*)> forced)
    : stop_timeout_(stop_timeout),
      forced_(std::move(forced)) {
  auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread{[this] { run(); }};
}

stop_signal::~stop_signal() {
  {
    std::lock_guard guard{mutex_};
    over_ = true;
  }
  thread_.join();
}

bool stop_signal::stopping() const {
  std::lock_guard guard{mutex_};
  return stopping_;
}

void stop_signal::ask() {
  std::lock_guard guard{mutex_};
  if (!stopping_)
    begin();
}

void stop_signal::begin() {
  stopping_ = true;
  began_ = clock::now();
  deadline_ = began_ + stop_timeout_;
  changed_.notify_all();
}

void stop_signal::wait() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return stopping_; });
}

bool stop_signal::wait_for(std::chrono::milliseconds span) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, span, [this] { return stopping_; });
}

void stop_signal::run() {
  for (;;) {
    auto came = signalled(look);
    std::lock_guard guard{mutex_};
    if (over_)
      return;
    auto late = clock::now() >= deadline_;
    // What `timeout` and other wrappers do counts once: they signal the process
    // and then its group, or pass on what the terminal told it, too.
    const auto again = came && stopping_ && clock::now() >= began_ + echo;
    if (again || late) {
      // The log may be what it hangs in: then SIGALRM ends the process.
      alarm(1);
      forced_(late ? "did not stop in time" : "second signal");
      _exit(static_cast<int>(exit_code::failed));
    }
    if (came && !stopping_)
      begin();
  }
}

} // namespace rookery::nodes
