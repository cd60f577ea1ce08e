// AMQP clients on our own loop: one message a transfer, acknowledged, the same
// bytes each time. HOST PORT are the broker's; a USER comes with its password
// in ROOKERY_PASSWORD.
//   raw recv HOST PORT COUNT ADDRESS [USER]
//   raw send HOST PORT COUNT ADDRESS [USER]
//   raw echo HOST PORT COUNT ADDRESS REPLIES [USER]  answers to REPLIES
//   raw ask  HOST PORT COUNT ADDRESS REPLIES [USER]  asks, one at a time
#include "bench/raw_connection.hpp"
#include "bench/result.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"

#include <cstdlib>
#include <exception>
#include <string>

using namespace rookery;

namespace {

constexpr std::size_t body_bytes = 140;
constexpr std::uint64_t warm_up = 2'000; // round trips that are not timed

std::string encoded() {
  std::string result;
  bridge::envelope message;
  message.message_id = "bench-1";
  message.type = "tell.Tweet";
  message.content_type = "application/protobuf";
  message.body.assign(body_bytes, 'x');
  amqp::encode_message(message, result);
  return result;
}

struct task {
  bench::broker_endpoint broker;
  std::uint64_t count = 0;
  std::string address;
  std::string replies = {};
};

class sender final : public bench::raw_connection {
public:
  explicit sender(const task& x) : raw_connection{x.broker}, task_{x} {}

private:
  void opened() override { link_ = make_sender(task_.address); }

  void on_credit(amqp::link) override {
    for (; link_.credit() > 0 && sent_ < task_.count; ++sent_)
      link_.send(sent_ + 1, message_, {}, false);
  }

  void on_outcome(amqp::link, std::uint64_t,
                  const bridge::outcome& how) override {
    if (how.kind != bridge::outcome::kind_type::accepted)
      fail(std::string{"a message was "} + to_string(how.kind));
    else if (++accepted_ == task_.count)
      close();
  }

  task task_;
  std::string message_ = encoded();
  amqp::link link_;
  std::uint64_t sent_ = 0;
  std::uint64_t accepted_ = 0;
};

class receiver final : public bench::raw_connection {
public:
  explicit receiver(const task& x) : raw_connection{x.broker}, task_{x} {}

private:
  void opened() override { make_receiver(task_.address); }

  void on_message(amqp::link from, amqp::delivery d, std::string&) override {
    if (++seen_ == 1)
      begin_ = bench::clock::now();
    accept(from, d);
    if (seen_ == task_.count) {
      bench::print_rate(seen_, begin_);
      close();
    }
  }

  task task_;
  std::uint64_t seen_ = 0;
  bench::clock::time_point begin_;
};

/// Sends one message for each that comes; who asks begins.
class caller final : public bench::raw_connection {
public:
  caller(const task& x, bool asks)
      : raw_connection{x.broker},
        task_{x},
        asks_{asks} {}

private:
  void opened() override {
    make_receiver(asks_ ? task_.replies : task_.address);
    out_ = make_sender(asks_ ? task_.address : task_.replies);
  }

  void on_credit(amqp::link) override {
    if (asks_ && sent_ == 0 && out_.credit() > 0)
      send();
  }

  void on_message(amqp::link from, amqp::delivery d, std::string&) override {
    accept(from, d);
    if (asks_ && ++seen_ > warm_up)
      latencies_.record(static_cast<std::uint64_t>(
          std::chrono::nanoseconds{bench::clock::now() - asked_}.count()));
    if (!asks_ || seen_ < task_.count + warm_up)
      return send();
    bench::print_latencies(latencies_, begin_);
    close();
  }

  void on_outcome(amqp::link, std::uint64_t,
                  const bridge::outcome& how) override {
    if (how.kind != bridge::outcome::kind_type::accepted)
      fail(std::string{"a message was "} + to_string(how.kind));
    else if (!asks_ && ++answered_ == task_.count + warm_up)
      close();
  }

  void send() {
    if (out_.credit() == 0)
      return fail("no credit for one message");
    asked_ = bench::clock::now();
    if (sent_ == warm_up)
      begin_ = asked_;
    out_.send(++sent_, message_, {}, false);
  }

  task task_;
  bool asks_;
  std::string message_ = encoded();
  amqp::link out_;
  std::uint64_t sent_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t answered_ = 0;
  bench::clock::time_point asked_;
  bench::clock::time_point begin_;
  nodes::histogram latencies_;
};

int run(int argc, char** argv) {
  const std::string mode = argv[1];
  const auto calls = mode == "ask" || mode == "echo";
  task what{.broker = {.host = argv[2],
                       .port = static_cast<std::uint16_t>(std::atoi(argv[3]))},
            .count = std::strtoull(argv[4], nullptr, 10),
            .address = argv[5]};
  if (calls && argc > 6)
    what.replies = argv[6];
  if (const auto user = calls ? 7 : 6; argc > user) {
    const auto* password = std::getenv("ROOKERY_PASSWORD");
    what.broker.user = argv[user];
    what.broker.password = password != nullptr ? password : "";
  }
  std::string failure;
  if (mode == "send")
    failure = sender{what}.run();
  else if (mode == "recv")
    failure = receiver{what}.run();
  else
    failure = caller{what, mode == "ask"}.run();
  if (!failure.empty())
    std::cerr << "raw " << mode << ": " << failure << '\n';
  return failure.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc < 6) {
    std::cerr << "usage: raw MODE HOST PORT COUNT ADDRESS [REPLIES] [USER]\n";
    return 2;
  }
  return run(argc, argv);
} catch (const std::exception& failed) {
  std::cerr << "raw: " << failed.what() << '\n';
  return 1;
}
