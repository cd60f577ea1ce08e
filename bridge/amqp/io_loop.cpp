#include "bridge/amqp/io_loop.hpp"

#include "bridge/core/thrown.hpp"

#include <asio/connect.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <random>

namespace rookery::amqp {

namespace {

constexpr std::chrono::milliseconds turn_interval{50};

std::function<std::uint64_t()> random_numbers() {
  return [engine = std::mt19937_64{std::random_device{}()}]() mutable {
    return engine();
  };
}

} // namespace

io_loop::io_loop(loop_options options, client& served, loop_owner& host)
    : options_{std::move(options)},
      client_{served},
      owner_{host},
      backoff_{options_.reconnect, random_numbers()},
      waker_{[this] {
        asio::post(context_, [this] {
          waker_.reset();
          turn();
        });
      }} {}

io_loop::~io_loop() { stop(); }

// No exception may leave the thread: it would end the process.
template <class F>
void io_loop::guarded(F&& f) noexcept {
  try {
    f();
  } catch (...) {
    owner_.on_exception(bridge::thrown());
  }
}

void io_loop::run() noexcept {
  while (!context_.stopped())
    guarded([this] { context_.run(); });
}

void io_loop::start() {
  asio::post(context_, [this] {
    connect();
    keep_time();
  });
  thread_ = std::thread{[this] { run(); }};
}

void io_loop::post(std::function<void()> f) {
  asio::post(context_, [this, f = std::move(f)] {
    guarded(f);
    turn();
  });
}

void io_loop::close() {
  closing_ = true;
  dial_timer_.cancel();
  resolver_.cancel();
  asio::error_code ignored; // it is being given up
  dialling_.close(ignored);
  if (auto connection = connection_.lock()) {
    connection->engine().close();
    connection->pump();
  }
}

void io_loop::stop() {
  context_.stop();
  if (thread_.joinable())
    thread_.join();
  // Nobody else runs here now. Left open, the socket would keep what the
  // broker sends until the broker misses us.
  if (auto connection = connection_.lock())
    guarded([&] {
      connection->abort({"amqp:connection:forced", "this end has stopped"});
    });
}

void io_loop::connect() {
  connecting_ = true;
  try {
    dial();
  } catch (const std::exception& x) { // no thread for the resolver, say
    failed(x.what());
  }
}

void io_loop::dial() {
  if (closing_)
    return;
  const auto& [host, port] = options_.brokers[next_broker_];
  next_broker_ = (next_broker_ + 1) % options_.brokers.size();
  ++dials_;
  auto where = host + ":" + std::to_string(port);
  dialling_ = asio::ip::tcp::socket{context_};
  timed_out_ = false;
  dial_timer_.expires_after(options_.open_timeout);
  dial_timer_.async_wait([this](asio::error_code cancelled) {
    if (cancelled)
      return;
    timed_out_ = true;
    resolver_.cancel();
    asio::error_code ignored; // its handler reports
    dialling_.close(ignored);
  });
  resolver_.async_resolve(
      host, std::to_string(port),
      [this, where](asio::error_code error, const auto& found) {
        resolved(where, error, found);
      });
}

void io_loop::resolved(const std::string& where, asio::error_code error,
                       const asio::ip::tcp::resolver::results_type& found) {
  const auto late = where + ": no connection in time";
  if (timed_out_)
    return failed(late);
  if (error)
    return failed(where + ": " + error.message());
  // One that does not answer takes all the time there is, so that each round
  // begins with another.
  std::vector<asio::ip::tcp::endpoint> in_turn{found.begin(), found.end()};
  const auto round = (dials_ - 1) / options_.brokers.size();
  for (auto i = round % std::max<std::size_t>(in_turn.size(), 1); i > 0; --i)
    std::rotate(in_turn.begin(), in_turn.begin() + 1, in_turn.end());
  asio::async_connect(
      dialling_, in_turn,
      [this, where, late](asio::error_code refused, const auto&) {
        if (timed_out_)
          return failed(late);
        if (refused)
          return failed(where + ": " + refused.message());
        connected(std::move(dialling_));
      });
}

void io_loop::connected(asio::ip::tcp::socket socket) {
  dial_timer_.cancel();
  connecting_ = false;
  if (closing_)
    return;
  // The engine exists before its first event, so the client can be given it.
  auto connection = std::make_shared<tcp_connection>(
      std::move(socket), engine::side::client, options_.engine, client_);
  connection_ = connection;
  client_.connect(connection->engine());
  connection->start(options_.open_timeout);
}

void io_loop::failed(const std::string& why) {
  dial_timer_.cancel();
  connecting_ = false;
  if (closing_)
    return;
  owner_.on_unreachable(why);
  connect_later();
}

void io_loop::connect_later() {
  if (closing_ || connecting_)
    return;
  connecting_ = true;
  dial_timer_.expires_after(backoff_.next());
  dial_timer_.async_wait([this](asio::error_code cancelled) {
    if (!cancelled)
      connect();
  });
}

void io_loop::turn() {
  guarded([this] { owner_.on_turn(); });
  guarded([this] { client_.flush(client_.now()); });
  if (auto connection = connection_.lock())
    guarded([&] { connection->pump(); });
}

void io_loop::keep_time() {
  turn_timer_.expires_after(turn_interval);
  turn_timer_.async_wait([this](asio::error_code cancelled) {
    if (cancelled)
      return;
    keep_time(); // first: whatever happens now, time goes on
    guarded([this] { client_.check(client_.now()); });
    turn();
    if (client_.take_worked())
      connection_is_good();
    if (!client_.connected())
      connect_later();
  });
}

void io_loop::connection_is_good() {
  backoff_.reset();
  dials_ = 0;
  // The list is an order of preference: a node that loses its connection alone
  // is to find the others again.
  next_broker_ = 0;
}

} // namespace rookery::amqp
