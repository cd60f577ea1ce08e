// Answers to what came in packs: each has its place, none is lost for want of
// room. Method: two or three nodes and the broker in virtual time.
#include "tests/support/pack_pair.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using bridge::send_lost;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::node;
using tests::message;
using tests::numbers;
using tests::up_to;
using pair = tests::pack_pair;

TEST_CASE("pack: each request has its answer, and they share transfers, too",
          "[link][pack]") {
  pair p;
  bridge::serve_options options;
  options.queue.reset();
  auto make = [&] {
    return p.receiver->system().spawn([](caf::event_based_actor*) {
      return caf::behavior{
          [](const PostTweetRequest& x) -> caf::result<PostTweetReply> {
            if (x.author() % 2 == 0)
              return caf::make_error(errc::failed, "even");
            PostTweetReply result;
            result.set_tweet_id(x.author());
            return result;
          }};
    });
  };
  p.receiver->serve("q", make, options);
  p.c.run(1s);
  const auto before = p.transfers();
  numbers answers;
  std::size_t errors = 0;
  p.sender->execute([&] {
    p.sender->system().spawn([&](caf::event_based_actor* self) {
      auto to = p.sender->network().proxy(address::queue("q"), {.pack = true});
      for (auto i : up_to(10))
        self->request(to, 5s, message(i))
            .then(
                [&](const PostTweetReply& x) {
                  answers.push_back(x.tweet_id());
                },
                [&](const caf::error&) { ++errors; });
    });
  });
  p.c.run(1s);
  CHECK(answers == numbers{1, 3, 5, 7, 9});
  CHECK(errors == 5);
  CHECK(p.transfers() - before == 1 + 1);
}

TEST_CASE("pack: level done is told of each", "[link][pack]") {
  pair p;
  p.serve([](auto*, std::uint64_t x) -> caf::result<void> {
    if (x == 3)
      return caf::make_error(errc::failed, "three");
    return caf::unit;
  });
  p.c.run(1s);
  p.send(5, {.how = bridge::level::done, .tell_losses = true});
  p.c.run(2s);
  CHECK(p.sender->network().counters().done == 4);
  REQUIRE(p.told->seen<send_lost>().size() == 1);
  CHECK(p.told->seen<send_lost>()[0].why == errc::failed);
}

TEST_CASE("pack: more is taken in only as answers leave", "[link][pack]") {
  pair p;
  p.restart_receiver([](auto& x) {
    x.send_queue.messages_max = 20;
    x.in_flight_max = 10;
  });
  p.serve_well({.window = 64});
  p.c.run(1s);
  p.send(5'000, {.how = bridge::level::done});
  p.c.run(20s);
  CHECK(p.receiver->network().counters().queue_full == 0);
  CHECK(p.sender->network().counters().done == 5'000);
}

TEST_CASE("pack: long answers find room, too", "[link][pack]") {
  pair p;
  p.receiver->serve("q",
                    [&] {
                      return p.receiver->system().spawn(
                          [](caf::event_based_actor*) {
                            return caf::behavior{[](const PostTweetRequest& x) {
                              auto result = x;
                              result.set_text(std::string(50'000, 'x'));
                              return result;
                            }};
                          });
                    },
                    {.queue = {}});
  p.c.run(1s);
  p.send(2'000, {.how = bridge::level::done});
  p.c.run(20s);
  CHECK(p.receiver->network().counters().queue_full == 0);
  CHECK(p.sender->network().counters().done == 2'000);
}

TEST_CASE("pack: answers go to who asked", "[link][pack]") {
  pair p;
  auto& other = p.c.add_node("other");
  p.serve_well();
  p.c.run(1s);
  for (auto* each : {p.sender, &other, p.sender, &other})
    each->execute([&] {
      auto to = each->network().proxy(
          address::queue("q"), {.how = bridge::level::done, .pack = true});
      for (std::uint64_t i = 1; i <= 200; ++i)
        caf::anon_send(to, message(i));
    });
  p.c.run(5s);
  for (auto* each : {p.sender, &other})
    CHECK(each->network().counters().done == 400);
}
