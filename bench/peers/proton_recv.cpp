// Proton's own C++ client: takes and accepts COUNT messages. The user's
// password is in ROOKERY_PASSWORD.
//   proton_recv HOST:PORT COUNT ADDRESS [USER]
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using clock_type = std::chrono::steady_clock;

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
  }

private:
  void on_container_start(proton::container& x) override {
    proton::connection made = x.connect(url_, options_);
    made.open_receiver(address_,
                       proton::receiver_options{}.credit_window(1'000));
    std::cerr << "ready" << std::endl;
  }
  void on_message(proton::delivery& x, proton::message&) override {
    if (++seen_ == 1)
      begin_ = clock_type::now();
    if (seen_ < count_)
      return;
    std::cout
        << "{\"count\": " << seen_ << ", \"seconds\": "
        << std::chrono::duration<double>(clock_type::now() - begin_).count()
        << "}" << std::endl;
    x.accept();
    x.connection().close();
  }
  void on_error(const proton::error_condition& x) override {
    throw std::runtime_error{x.what()};
  }

  std::string url_;
  std::uint64_t count_;
  std::string address_;
  proton::connection_options options_;
  std::uint64_t seen_ = 0;
  clock_type::time_point begin_;
};

} // namespace

int main(int argc, char** argv) try {
  if (argc < 4)
    return 2;
  handler self{argv};
  proton::container{self}.run();
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "proton_recv: " << failed.what() << '\n';
  return 1;
}
