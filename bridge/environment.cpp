#include "bridge/environment.hpp"

#include "bridge/amqp/io_loop.hpp"

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <ctime>
#include <random>
#include <utility>

namespace rookery::bridge {

namespace {

class thread_worker final : public worker {
public:
  ~thread_worker() override { thread_worker::stop(); }
  void post(std::function<void()> f) override {
    asio::post(thread_, std::move(f));
  }
  void stop() override {
    thread_.stop();
    thread_.join();
  }

private:
  asio::thread_pool thread_{1};
};

// The steady clock stands still while the machine sleeps. A lease would outlive
// that, though the broker has long given the work to another.
std::chrono::steady_clock::time_point now_or_asleep() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return std::chrono::steady_clock::time_point{
      std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
}

} // namespace

environment machine() {
  return {now_or_asleep, std::chrono::system_clock::now,
          [] {
            thread_local std::mt19937_64 engine = [] {
              std::random_device source;
              std::seed_seq seed{source(), source(), source(), source()};
              return std::mt19937_64{seed};
            }();
            return engine();
          },
          [](const amqp::loop_options& options, amqp::client& client,
             amqp::loop_owner& owner) -> std::unique_ptr<amqp::loop> {
            return std::make_unique<amqp::io_loop>(options, client, owner);
          },
          [] { return std::make_unique<thread_worker>(); }};
}

} // namespace rookery::bridge
