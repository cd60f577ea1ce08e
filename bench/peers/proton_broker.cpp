// A broker on Proton's container, built as the broker among Proton's own C++
// examples is: the container's threads (one a core) serve the connections, each
// queue is serialised by a work queue of its own, and a message hops from its
// publisher's connection to the queue and on to its consumer's connection.
//   proton_broker HOST:PORT
// Like that one it accepts a message when it has come, grants Proton's standard
// credit (10), keeps messages in memory, and knows no limit. Queues are made
// when first named and stay.
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/listen_handler.hpp>
#include <proton/listener.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/target.hpp>
#include <proton/target_options.hpp>
#include <proton/transport.hpp>
#include <proton/work_queue.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

/// A consumer's link.
struct consumer {
  // Touched by its connection only.
  proton::sender link; // empty when it is gone
  int sent = 0;
  int granted = 0; // credit the queue was told of, ever
  proton::work_queue& connection;
  // By the queue only.
  int credit = 0;
};
using consumer_pointer = std::shared_ptr<consumer>;

/// Its members run in its work queue, but for `post`.
class queue {
public:
  explicit queue(proton::container& x) : work_{x} {}

  template <class F>
  void post(F&& f) {
    work_.add(std::forward<F>(f));
  }

  void push(const proton::message& x) {
    messages_.push_back(x);
    serve();
  }
  void add_credit(const consumer_pointer& x, int credit) {
    if (std::find(consumers_.begin(), consumers_.end(), x) == consumers_.end())
      consumers_.push_back(x);
    x->credit += credit;
    serve();
  }
  void remove(const consumer_pointer& x) { std::erase(consumers_, x); }

private:
  // Round robin among those who have credit.
  void serve() {
    std::size_t passed_over = 0;
    while (!messages_.empty() && passed_over < consumers_.size()) {
      auto& next = consumers_[turn_++ % consumers_.size()];
      if (next->credit == 0) {
        ++passed_over;
        continue;
      }
      passed_over = 0;
      --next->credit;
      next->connection.add([to = next, x = messages_.front()] {
        if (!to->link)
          return;
        to->link.send(x);
        ++to->sent;
      });
      messages_.pop_front();
    }
  }

  proton::work_queue work_;
  std::deque<proton::message> messages_;
  std::vector<consumer_pointer> consumers_;
  std::size_t turn_ = 0;
};

/// All queues by name. @thread any
class queues {
public:
  explicit queues(proton::container& x) : container_{x} {}

  queue& find(const std::string& name) {
    std::lock_guard guard{mutex_};
    auto& found = queues_[name];
    if (!found)
      found = std::make_unique<queue>(container_);
    return *found;
  }

private:
  proton::container& container_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<queue>> queues_;
};

/// One connection; ends itself after the last callback.
class connection_handler : public proton::messaging_handler {
public:
  explicit connection_handler(queues& x) : queues_{x} {}

private:
  struct subscription {
    queue& from;
    consumer_pointer self;
  };

  void on_sender_open(proton::sender& x) override {
    auto name = x.source().address();
    auto self = std::make_shared<consumer>(
        consumer{.link = x, .connection = x.work_queue()});
    x.open(proton::sender_options{}.source(
        proton::source_options{}.address(name)));
    consumers_.emplace(x, subscription{queues_.find(name), self});
  }

  void on_sendable(proton::sender& x) override {
    auto& [from, self] = consumers_.at(x);
    const auto fresh = self->sent + x.credit() - self->granted;
    if (fresh <= 0)
      return;
    self->granted += fresh;
    from.post(
        [&from = from, self = self, fresh] { from.add_credit(self, fresh); });
  }

  void on_receiver_open(proton::receiver& x) override {
    auto name = x.target().address();
    publishers_.emplace(x, &queues_.find(name));
    x.open(proton::receiver_options{}.target(
        proton::target_options{}.address(name)));
  }

  void on_message(proton::delivery& d, proton::message& x) override {
    auto* to = publishers_.at(d.receiver());
    to->post([to, x] { to->push(x); });
  }

  void on_sender_close(proton::sender& x) override { unsubscribe(x); }
  void on_transport_close(proton::transport&) override {
    while (!consumers_.empty())
      unsubscribe(consumers_.begin()->first);
    delete this;
  }
  void on_error(const proton::error_condition&) override {}

  void unsubscribe(proton::sender x) {
    auto found = consumers_.find(x);
    if (found == consumers_.end())
      return;
    auto& [from, self] = found->second;
    self->link =
        proton::sender{}; // here, for its count of references is not atomic
    from.post([&from = from, self = self] { from.remove(self); });
    consumers_.erase(found);
  }

  queues& queues_;
  std::map<proton::sender, subscription> consumers_;
  std::map<proton::receiver, queue*> publishers_;
};

struct listener final : proton::listen_handler {
  explicit listener(queues& x) : queues_{x} {}

  proton::connection_options on_accept(proton::listener&) override {
    return proton::connection_options{}.handler(
        *new connection_handler{queues_});
  }
  void on_open(proton::listener&) override {
    std::cerr << "ready" << std::endl;
  }
  void on_error(proton::listener&, const std::string& why) override {
    std::cerr << "proton_broker: " << why << std::endl;
    std::exit(1);
  }

  queues& queues_;
};

} // namespace

int main(int argc, char** argv) try {
  if (argc != 2)
    return 2;
  proton::container container{"proton_broker"};
  queues all{container};
  listener accepts{all};
  container.listen(argv[1], accepts);
  container.run(static_cast<int>(std::thread::hardware_concurrency()));
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "proton_broker: " << failed.what() << '\n';
  return 1;
}
