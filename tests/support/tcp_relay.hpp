#pragma once

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace rookery::tests {

/// A loopback port in front of another one, which fails on command. In a
/// thread of its own.
class tcp_relay {
public:
  explicit tcp_relay(std::uint16_t target)
      : target_{asio::ip::address_v4::loopback(), target} {
    accept();
    thread_ = std::thread{[this] { io_.run(); }};
  }
  ~tcp_relay() {
    io_.stop();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const {
    return acceptor_.local_endpoint().port();
  }
  /// From now on what the target says is thrown away, on the connections there
  /// are; what it is told still arrives.
  void mute() {
    in_thread([this] {
      for (auto& x : pairs_)
        x->muted = true;
    });
  }
  /// Ends all connections, as a cable that breaks does; new ones are taken.
  void cut() {
    in_thread([this] {
      for (auto& x : pairs_)
        x->close();
      pairs_.clear();
    });
  }

private:
  using tcp = asio::ip::tcp;

  struct pair {
    explicit pair(asio::io_context& io) : client{io}, target{io} {}
    void close() {
      asio::error_code ignored; // it is being thrown away
      client.close(ignored);
      target.close(ignored);
    }
    tcp::socket client, target;
    std::array<char, 16384> up{}, down{};
    bool muted = false;
  };

  void in_thread(const std::function<void()>& f) {
    std::promise<void> done;
    asio::post(io_, [&] {
      f();
      done.set_value();
    });
    done.get_future().get();
  }

  void accept() {
    auto next = std::make_shared<pair>(io_);
    acceptor_.async_accept(next->client, [this, next](asio::error_code failed) {
      if (failed)
        return;
      accept();
      asio::error_code refused;
      next->target.connect(target_, refused);
      if (refused)
        return next->close();
      pairs_.push_back(next);
      carry(next, next->client, next->target, next->up, false);
      carry(next, next->target, next->client, next->down, true);
    });
  }

  void carry(const std::shared_ptr<pair>& x, tcp::socket& from, tcp::socket& to,
             std::array<char, 16384>& buffer, bool from_target) {
    from.async_read_some(
        asio::buffer(buffer),
        [=, this, &from, &to, &buffer](asio::error_code failed, std::size_t n) {
          if (failed)
            return x->close();
          if (from_target && x->muted)
            return carry(x, from, to, buffer, from_target);
          asio::async_write(to, asio::buffer(buffer.data(), n),
                            [=, this, &from, &to,
                             &buffer](asio::error_code lost, std::size_t) {
                              if (lost)
                                return x->close();
                              carry(x, from, to, buffer, from_target);
                            });
        });
  }

  asio::io_context io_{1};
  tcp::endpoint target_;
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::vector<std::shared_ptr<pair>> pairs_;
  std::thread thread_;
};

} // namespace rookery::tests
