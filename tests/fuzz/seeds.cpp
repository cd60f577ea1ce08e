// Writes the inputs that fuzzing starts from: seeds DIRECTORY makes
// DIRECTORY/<target>/<name>, from the same builders that the tests use.
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/pack.hpp"
#include "broker/management/value.hpp"
#include "nodes/config/config_keys.hpp"
#include "tests/fuzz/fuzzed_client.hpp"
#include "tests/support/raw_frame.hpp"
#include "tests/support/scripted_broker.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

using namespace rookery;
using namespace rookery::tests;
using namespace std::string_literals;
using broker::value;
using broker::value_list;
using broker::value_map;

namespace {

class folder {
public:
  explicit folder(std::filesystem::path at) : at_{std::move(at)} {
    std::filesystem::create_directories(at_);
  }
  void add(const std::string& name, std::string_view bytes) {
    std::ofstream{at_ / name, std::ios::binary} << bytes;
  }

private:
  std::filesystem::path at_;
};

std::string encoded(const value& x) {
  std::string result;
  broker::encode_value(x, result);
  return result;
}

std::string message(std::string_view to = {}, bool lives_for_ever = false) {
  bridge::envelope x;
  x.message_id = "3f1c9a52-1";
  x.to = to;
  x.type = "pkg.T";
  x.reply_to = "/queues/r";
  x.correlation_id = "17";
  x.correlation_id_kind = bridge::id_kind::ulong;
  x.content_type = "application/protobuf";
  x.trace_parent = "00-a-b-01";
  x.trace_state = "k=v";
  if (!lives_for_ever)
    x.ttl = std::chrono::milliseconds{500};
  x.body = "0123456789";
  std::string result;
  amqp::encode_message(x, result);
  return result;
}

std::string pack() {
  amqp::pack_encoder result;
  result.begin();
  for (int i = 0; i < 3; ++i)
    result.add(message({}, true));
  return std::string{result.bytes()};
}

std::string wide_message() {
  return hex("00 53 70 d0 00 00 00 0c 00 00 00 05 56 01 50 09 40 42 52 02"
             "00 53 71 c1 0a 02 a3 05 'x-hop' 54 07"
             "00 53 72 c1 0a 02 a3 05 'x-opt' 54 07"
             "00 53 73 c0 27 08 53 2a a0 01 'u' b1 00 00 00 02 '/q'"
             "a1 01 'T' a1 02 '/r' 98 000102030405060708090a0b0c0d0e0f 40 40"
             "00 53 74 c1 10 02 a1 0b 'traceparent' a1 00"
             "00 53 75 a0 01 'a' 00 53 75 b0 00 00 00 02 'bc'"
             "00 53 78 d1 00 00 00 04 00 00 00 00");
}

std::string foreign_message() {
  return hex("00 a3 10 'amqp:header:list' 45 00 53 74 c1 11 04 a1 01 'k'"
             "e0 04 02 50 01 02 a1 01 'l' 00 53 01 43 00 53 77 a1 02 '{}'");
}

/// A request to the broker's management.
std::string request(const std::string& method, const std::string& path,
                    const value& body) {
  return hex("00 53 73")
         + encoded(value_list{std::uint64_t{5}, value{}, path, method, "$me"})
         + hex("00 53 77") + encoded(body);
}

std::string plain_start() { return amqp_header + raw_open(); }

std::string sasl_start() {
  return sasl_header + sasl_frame(0x41, 1, hex("a3 09 'ANONYMOUS'"))
         + plain_start();
}

std::string terminus(char code, std::string_view address) {
  const auto size = static_cast<char>(address.size());
  return hex("00 53") + code + hex("c0") + static_cast<char>(size + 3)
         + hex("01 a1") + size + std::string{address};
}

/// `role` is 42 for a peer that sends and 41 for one that receives.
std::string attach(std::string_view name, char handle, std::string_view role,
                   std::string_view source, std::string_view target,
                   std::string_view more = {}, int more_count = 0) {
  auto fields = hex("a1") + static_cast<char>(name.size());
  fields.append(name).append(hex("52")) += handle;
  fields.append(hex(role)).append(hex("40 40"));
  fields.append(source).append(target).append(more);
  return raw_frame(performative(0x12, 7 + more_count, fields));
}

std::string flow(char handle, char credit, std::string_view drain = "42") {
  return raw_frame(performative(0x13, 9,
                                hex("43 52 64 43 52 64 52") + handle
                                    + hex("43 52") + credit + hex("40")
                                    + hex(drain)));
}

std::string transfer(char handle, char id, std::string_view payload,
                     std::string_view more = "42") {
  return raw_transfer{.handle = hex("52") + handle,
                      .delivery_id = hex("52") + id,
                      .more = hex(more),
                      .payload = std::string{payload}}
      .frame();
}

std::string settle(char first, char last, std::string_view state) {
  return raw_frame(performative(0x15, 5,
                                hex("41 52") + first + hex("52") + last
                                    + hex("41") + std::string{state}));
}

std::string detach(char handle) {
  return raw_frame(performative(0x16, 2, hex("52") + handle + hex("41")));
}

const std::string client = terminus(0x28, "me");
const std::string end_all =
    raw_frame(performative(0x17, 0, "")) + raw_frame(performative(0x18, 0, ""));

std::string publisher() {
  const auto to = terminus(0x29, "/queues/q");
  return sasl_start() + raw_begin() + attach("p", 0, "42", client, to)
         + transfer(0, 0, message())
         + transfer(0, 1, wide_message().substr(9), "41")
         + transfer(0, 1, wide_message()) + detach(0) + end_all;
}

std::string consumer() {
  const auto from = terminus(0x28, "/queues/q");
  return sasl_start() + raw_begin()
         + attach("c", 0, "41", from, terminus(0x29, "me")) + flow(0, 10)
         + settle(0, 0, hex("00 53 24 45"))
         + settle(1, 1, hex("00 53 27 c0 03 02 41 41")) + flow(0, 5, "41")
         + detach(0) + end_all;
}

/// Publishes to an exchange, to no fixed target and to a queue that drops, and
/// takes what comes of it from a queue that the broker names.
std::string traveller() {
  // source: address, durable, expiry-policy, timeout, dynamic
  const auto dynamic = hex("00 53 28 c0 06 05 40 40 40 40 41");
  return plain_start() + raw_begin()
         + attach("d", 0, "41", dynamic, terminus(0x29, "me")) + flow(0, 3)
         + attach("x", 1, "42", client, terminus(0x29, "/exchanges/x/k.1"))
         + transfer(1, 0, message()) + attach("a", 2, "42", client, hex("40"))
         + transfer(2, 1, message("/queues/c")) + transfer(2, 2, message("c"))
         + attach("n", 3, "42", client, terminus(0x29, "plain"))
         + transfer(3, 3, foreign_message())
         + attach("m", 4, "41", terminus(0x28, "plain"), terminus(0x29, "me"))
         + flow(4, 2) + settle(0, 0, hex("00 53 25 c0 01 00"));
}

std::string manager() {
  // unsettled, incomplete, initial-delivery-count, max-message-size, offered,
  // desired, properties
  const auto paired = hex("40 40 43 40 40 40 c1 0a 02 a3 06 'paired' 41");
  const auto place = "/management";
  const auto body =
      value_map{{"durable", true},
                {"exclusive", false},
                {"auto_delete", false},
                {"arguments", value_map{{"x-max-length", std::int64_t{9}},
                                        {"x-overflow", "reject-publish"},
                                        {"x-single-active-consumer", true}}}};
  return sasl_start() + raw_begin()
         + attach("m", 0, "41", terminus(0x28, place), terminus(0x29, "me"),
                  paired, 7)
         + flow(0, 20)
         + attach("m", 1, "42", client, terminus(0x29, place), paired, 7)
         + transfer(1, 0, request("PUT", "/queues/n", body))
         + transfer(1, 1, request("GET", "/queues/n", value{}))
         + transfer(1, 2,
                    request("PUT", "/exchanges/e",
                            value_map{{"type", "fanout"}, {"durable", true}}))
         + transfer(1, 3,
                    request("POST", "/bindings",
                            value_map{{"source", "e"},
                                      {"destination_queue", "n"},
                                      {"binding_key", ""},
                                      {"arguments", value_map{}}}))
         + transfer(1, 4, request("DELETE", "/queues/q/messages", value{}))
         + transfer(1, 5, request("DELETE", "/queues/n", value{})) + end_all;
}

void write_conversations(folder to, bool for_guard) {
  // What is taken from the end: setting and slicing, or one byte for both.
  const auto add = [&](const std::string& name, const std::string& bytes) {
    to.add(name, bytes + std::string(for_guard ? 2 : 1, '\0'));
    to.add(name + "-sliced", bytes + (for_guard ? "\2\0"s : "\x26"s));
  };
  add("publisher", publisher());
  add("consumer", consumer());
  add("traveller", traveller());
  add("manager", manager());
}

void write_answers(folder to) {
  // A guard on the client's side, which began a session.
  const auto bytes =
      sasl_header + sasl_frame(0x40, 1, hex("a3 09 'ANONYMOUS'"))
      + sasl_frame(0x44, 1, hex("50 00")) + plain_start()
      + raw_frame(performative(0x11, 4, hex("60 00 00 43 52 64 52 64")))
      + attach("p", 0, "41", client, terminus(0x29, "/queues/q")) + flow(0, 9)
      + settle(0, 3, hex("00 53 24 45")) + end_all;
  to.add("broker", bytes + "\1\x09"s);
}

/// What a broker says to the node's client that the target is made with.
std::string recorded_broker(const std::set<std::string>& missing,
                            const amqp::condition& end) {
  fuzzed_client node;
  scripted_broker script;
  script.missing = missing;
  amqp::engine near{
      amqp::engine::side::client, {.container_id = "node"}, node.self};
  amqp::engine far{
      amqp::engine::side::server, {.container_id = "broker"}, script};
  node.self.connect(near);
  std::string kept;
  const auto carry = [](amqp::engine& from, amqp::engine& to) {
    const auto out = from.write_buffer();
    const auto room = to.read_buffer();
    const auto n = std::min(out.size(), room.size());
    std::copy_n(out.data(), n, room.data());
    std::string carried{out.data(), n};
    to.read_done(n);
    from.write_done(n);
    return carried;
  };
  const auto run = [&] {
    for (bool moved = true; moved;) {
      near.dispatch();
      far.dispatch();
      node.pass(std::chrono::milliseconds{0});
      const auto there = carry(near, far);
      const auto back = carry(far, near);
      kept += back;
      moved = !there.empty() || !back.empty();
    }
  };
  run();
  if (!script.consumers.empty()) {
    for (int i = 0; i < 3; ++i)
      script.deliver(fuzzed_client::source, i == 1 ? pack() : message());
    run();
  }
  far.close(end);
  run();
  return kept;
}

void write_brokers(folder to) {
  const amqp::condition forced{"amqp:connection:forced", "the end"};
  const auto all_well = recorded_broker({}, {});
  to.add("well", all_well + '\0');
  to.add("well-sliced", all_well + '\x06');
  to.add("missing", recorded_broker({"/queues/out"}, forced) + '\0');
  to.add("refused", recorded_broker({"/queues/in"}, forced) + '\0');
}

void write_messages(folder to) {
  to.add("ours", message("/queues/q"));
  to.add("wide", wide_message());
  to.add("pack", pack());
  to.add("foreign", foreign_message());
}

void write_configurations(folder to) {
  nodes::node_config x;
  x.roles = {nodes::role::broker, nodes::role::fanout};
  x.node_name = "ann";
  x.brokers = {{"a", 1}, {"::1", 2}};
  const auto file = nodes::describe(x);
  to.add("file", file);
  to.add("flags", "\0--roles\nall\n--node-name=ann\n--shards\n16\n"
                  "--brokers\na:1,[::1]:2"s);
  to.add("both", "roles = fanout, tweet # two of them\nshards = 3\n"
                 "node-name = 'ann'\nbrokers = [\"a:1\", \"b:2\"]\n"
                 "user = ann\npassword = hush\n"
                 "\0--timeline-cap\n5\n--store\na \"b\""s);
  std::string flags(1, '\0');
  for (const auto& key : nodes::config_keys())
    flags += "--" + key.name + "\n" + key.show(x) + "\n";
  to.add("all", flags);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: seeds DIRECTORY\n", stderr);
    return 2;
  }
  const std::filesystem::path root{argv[1]};
  write_conversations(folder{root / "frame_guard"}, true);
  write_answers(folder{root / "frame_guard"});
  write_conversations(folder{root / "broker"}, false);
  write_brokers(folder{root / "client"});
  write_messages(folder{root / "message"});
  write_configurations(folder{root / "node_config"});
  return 0;
}
