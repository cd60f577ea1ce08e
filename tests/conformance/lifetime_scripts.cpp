// Whose a queue is and when it goes. Queues that are exclusive or auto-delete
// are classic ones.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

std::string deleted(stage& x) {
  x.make_queue("q");
  auto& in = x.receiver("q", 1);
  auto& out = x.sender("q");
  // RabbitMQ tells only publishers whose messages the queue has seen.
  x.me().publish(out, text_message("m"));
  x.me().take(in);
  x.management().ask("DELETE", x.queue("q"));
  x.me().wait("two detaches", [&] { return in.lost() && out.lost(); });
  return "consumer: " + in.fate() + "; publisher: " + out.fate();
}

std::string exclusive(stage& x) {
  x.declare_classic("q", true, false);
  auto& other = x.connect();
  management_client asked{other};
  auto& out = other.sender(x.queue("q"));
  auto seen =
      told({"others consume: ", x.try_attach(false, x.queue("q")), "; look ",
            asked.ask("GET", x.queue("q")).status, ", purge ",
            asked.ask("DELETE", x.queue("q") + "/messages").status, ", delete ",
            asked.ask("DELETE", x.queue("q")).status,
            "; publish: ", text_of(other.publish(out, text_message("m")))});
  x.me().close();
  seen += "; its connection closed: " + asked.ask_until(x.queue("q"), "404");
  other.wait("a detach", [&] { return out.lost(); });
  return seen + "; the publisher: " + out.fate();
}

std::string auto_delete(stage& x) {
  const auto made = x.declare_classic("q", false, true);
  auto& first = x.receiver("q");
  auto& second = x.receiver("q");
  x.me().close(first);
  const auto used = x.management().ask("GET", x.queue("q")).status;
  x.me().close(second);
  return told({"made ", made, ", with a consumer ", used, ", without ",
               x.management().ask_until(x.queue("q"), "404")});
}

std::string auto_delete_publisher(stage& x) {
  x.declare_classic("q", false, true);
  auto& out = x.sender("q");
  x.me().publish(out, text_message("m"));
  auto& in = x.receiver("q", 1);
  x.me().take(in);
  x.me().close(in);
  x.me().wait("a detach", [&] { return out.lost(); });
  return out.fate();
}

constexpr script scripts[]{
    {"lifetimes/deleted", "A deleted queue ends the links to it.",
     "consumer: link closes amqp:resource-deleted; "
     "publisher: link closes amqp:resource-deleted",
     deleted},
    {"lifetimes/exclusive",
     "An exclusive queue is its connection's and goes with it, but others may "
     "publish.",
     "others consume: session ends amqp:resource-locked; look 200, purge 400, "
     "delete 400; publish: accepted; its connection closed: 404; "
     "the publisher: link closes amqp:resource-deleted",
     exclusive},
    {"lifetimes/auto-delete",
     "An auto-delete queue goes with its last consumer.",
     "made 201, with a consumer 200, without 404", auto_delete},
    // A classic queue that ends is one that was deleted, whatever the reason:
    // rabbit_classic_queue:handle_event, `down`.
    {"lifetimes/auto-delete-publisher",
     "Its end closes links to it, as that of a deleted queue does.",
     "link closes amqp:resource-deleted", auto_delete_publisher},
};

} // namespace

script_group lifetime_scripts() { return scripts; }

} // namespace rookery::conformance
