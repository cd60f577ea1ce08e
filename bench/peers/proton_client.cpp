// Proton's own C++ client: one message a transfer, each accepted. The user's
// password is in ROOKERY_PASSWORD.
//   proton_client recv HOST:PORT COUNT ADDRESS [USER]
//   proton_client send HOST:PORT COUNT ADDRESS [USER]   of 140 bytes
#include <proton/binary.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/tracker.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using clock_type = std::chrono::steady_clock;

/// What both ends have in common.
class client : public proton::messaging_handler {
public:
  explicit client(char** argv)
      : url_{argv[2]},
        count_{std::strtoull(argv[3], nullptr, 10)},
        address_{argv[4]} {
    if (argv[5] != nullptr) {
      options_.user(argv[5]).sasl_allow_insecure_mechs(true);
      if (const auto* password = std::getenv("ROOKERY_PASSWORD"))
        options_.password(password);
    }
  }

  [[nodiscard]] bool done() const { return seen_ == count_; }

protected:
  void on_error(const proton::error_condition& x) override {
    throw std::runtime_error{x.what()};
  }

  std::string url_;
  std::uint64_t count_;
  std::string address_;
  proton::connection_options options_;
  std::uint64_t seen_ = 0; // messages that came, or were accepted
};

class message_receiver : public client {
public:
  using client::client;

private:
  void on_container_start(proton::container& x) override {
    proton::connection made = x.connect(url_, options_);
    made.open_receiver(address_,
                       proton::receiver_options{}.credit_window(1'000));
  }
  void on_receiver_open(proton::receiver&) override {
    std::cerr << "ready" << std::endl;
  }
  void on_message(proton::delivery& x, proton::message&) override {
    if (++seen_ == 1)
      begin_ = clock_type::now();
    if (!done())
      return;
    std::cout
        << "{\"count\": " << seen_ << ", \"seconds\": "
        << std::chrono::duration<double>(clock_type::now() - begin_).count()
        << "}" << std::endl;
    x.accept();
    x.connection().close();
  }

  clock_type::time_point begin_;
};

class message_sender : public client {
public:
  explicit message_sender(char** argv) : client{argv} {
    // A Data section, and what our own client says of a message.
    message_.body(proton::binary(std::string(140, 'x')));
    message_.inferred(true);
    message_.id(proton::message_id{"bench-1"});
    message_.subject("tell.Tweet");
    message_.content_type("application/protobuf");
    message_.durable(true);
  }

private:
  void on_container_start(proton::container& x) override {
    proton::connection made = x.connect(url_, options_);
    made.open_sender(address_);
  }
  void on_sendable(proton::sender& x) override {
    for (; x.credit() > 0 && sent_ < count_; ++sent_)
      x.send(message_);
  }
  void on_tracker_accept(proton::tracker& x) override {
    ++seen_;
    if (done())
      x.connection().close();
  }
  void on_tracker_reject(proton::tracker&) override {
    throw std::runtime_error{"a message was rejected"};
  }
  void on_tracker_release(proton::tracker&) override {
    throw std::runtime_error{"a message was released"};
  }

  proton::message message_;
  std::uint64_t sent_ = 0;
};

void run(client& self) {
  proton::container{self}.run();
  if (!self.done())
    throw std::runtime_error{"the broker ended it too early"};
}

} // namespace

int main(int argc, char** argv) try {
  if (argc < 5)
    return 2;
  if (argv[1] == std::string{"recv"}) {
    message_receiver self{argv};
    run(self);
  } else {
    message_sender self{argv};
    run(self);
  }
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "proton_client: " << failed.what() << '\n';
  return 1;
}
