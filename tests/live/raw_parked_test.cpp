// Goal: what poses as a broker does not hurt the commands for parked messages.
// Method: one connection of theirs, and at the other end a script.
#include "nodes/parked/broker_client.hpp"
#include "tests/live/raw_rig.hpp"

#include <functional>
#include <string>
#include <thread>

using namespace rookery;
using namespace rookery::tests;

namespace {

/// A raw broker for one client, which agrees until there are `links`, and says
/// one thing more.
class script {
public:
  script(std::size_t links, std::function<std::string(const raw_manners&)> last)
      : acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}},
        thread_{[this, links, last] {
          raw_peer peer{acceptor_.accept()};
          raw_manners said;
          if (peer.agree(said, [&] { return said.links.size() == links; })
              && peer.send(last(said)))
            peer.sees_end();
        }} {}
  ~script() { thread_.join(); }

  nodes::client_options options() {
    nodes::client_options result;
    result.brokers = {{"127.0.0.1", acceptor_.local_endpoint().port()}};
    result.timeout = patience;
    return result;
  }

private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

} // namespace

TEST_CASE("raw frames: an answer about parked messages that nests too deep is "
          "not read",
          "[live][raw_frames]") {
  script broker{2, [](const raw_manners& x) {
                  return raw_transfer{.handle = x.links.front().handle,
                                      .payload =
                                          hex("00 53 77") + raw_nested(1'000)}
                      .frame(x.links.front().channel);
                }};
  nodes::broker_client uut{broker.options()};
  CHECK_FALSE(uut.connect());
  const auto count = uut.count("parked");
  REQUIRE_FALSE(count);
  CHECK(count.error().find("malformed") != std::string::npos);
}

TEST_CASE("raw frames: parked messages that nobody asked for are not kept",
          "[live][raw_frames]") {
  script broker{3, [](const raw_manners& x) {
                  const auto& to = x.links.back();
                  raw_transfer one{.handle = to.handle};
                  auto two = one.frame(to.channel);
                  one.delivery_id = hex("52 01");
                  return two + one.frame(to.channel);
                }};
  nodes::broker_client uut{broker.options()};
  CHECK_FALSE(uut.connect());
  auto why = uut.consume("parked");
  if (!why) { // they have not come yet
    const auto one = uut.take(1);
    REQUIRE_FALSE(one);
    why = one.error();
  }
  CHECK(why->find("without credit") != std::string::npos);
}
