// Proton's own C++ client: sends COUNT messages of 140 bytes, one a transfer,
// and ends when all are accepted. The user's password is in ROOKERY_PASSWORD.
//   proton_send HOST:PORT COUNT ADDRESS [USER]
#include <proton/binary.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/sender.hpp>
#include <proton/tracker.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

class handler : public proton::messaging_handler {
public:
  explicit handler(char** argv)
      : url_{argv[1]},
        count_{std::strtoull(argv[2], nullptr, 10)},
        address_{argv[3]} {
    if (argv[4] != nullptr) {
      options_.user(argv[4]).sasl_allow_insecure_mechs(true);
      if (const auto* password = std::getenv("ROOKERY_PASSWORD"))
        options_.password(password);
    }
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
    if (++accepted_ == count_)
      x.connection().close();
  }
  void on_error(const proton::error_condition& x) override {
    throw std::runtime_error{x.what()};
  }

  std::string url_;
  std::uint64_t count_;
  std::string address_;
  proton::connection_options options_;
  proton::message message_;
  std::uint64_t sent_ = 0;
  std::uint64_t accepted_ = 0;
};

} // namespace

int main(int argc, char** argv) try {
  if (argc < 4)
    return 2;
  handler self{argv};
  proton::container{self}.run();
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "proton_send: " << failed.what() << '\n';
  return 1;
}
