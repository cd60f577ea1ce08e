#include "bridge/caf/proxy.hpp"

#include "bridge/caf/encoding.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/system_messages.hpp>

#include <charconv>

namespace rookery::bridge {

namespace {

constexpr unsigned seq_bits = 40;

// CAF's own signals concern the proxy, not what it stands for.
bool is_signal(const caf::type_erased_tuple& x) {
  return x.match_elements<caf::exit_msg>() || x.match_elements<caf::down_msg>();
}

bool parse(std::string_view text, std::uint64_t& out) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::uint64_t request_number(std::uint32_t destination, std::uint64_t seq) {
  return (std::uint64_t{destination} << seq_bits) | seq;
}

std::uint64_t request_number(std::string_view id, std::string_view stream) {
  // "<stream>.<destination>-<seq>"
  if (!id.starts_with(stream) || id.size() <= stream.size())
    return 0;
  id.remove_prefix(stream.size() + 1);
  auto dash = id.find('-');
  std::uint64_t destination = 0;
  std::uint64_t seq = 0;
  if (dash == std::string_view::npos || !parse(id.substr(0, dash), destination)
      || !parse(id.substr(dash + 1), seq))
    return 0;
  return request_number(static_cast<std::uint32_t>(destination), seq);
}

proxy::proxy(caf::actor_config& config, std::shared_ptr<hub> home,
             std::shared_ptr<destination> to, level how)
    : caf::actor_proxy{config},
      hub_{std::move(home)},
      to_{std::move(to)},
      level_{how} {}

void proxy::kill_proxy(caf::execution_unit* context, caf::error reason) {
  cleanup(std::move(reason), context);
}

void proxy::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  const auto& content = what->content();
  const auto* codec = hub_->types.find(content);
  if (codec == nullptr) {
    if (!is_signal(content)) {
      ++hub_->counters.unencodable;
      refuse(*what, errc::unknown_type,
             "not one registered Protobuf message: " + content.stringify());
    }
    return;
  }
  const auto* body = codec->view(content);
  if (body->ByteSizeLong() > hub_->options.message_bytes_max) {
    ++hub_->counters.unencodable;
    return refuse(*what, errc::too_long, codec->name);
  }
  thread_local envelope head; // keeps the memory of its strings
  auto seq = ++to_->seq;
  head.message_id = hub_->stream;
  head.message_id += '.';
  head.message_id += std::to_string(to_->index);
  head.message_id += '-';
  head.message_id += std::to_string(seq);
  auto wants_reply = what->mid.is_request() || level_ == level::done;
  if (wants_reply)
    head.reply_to = hub_->reply_to;
  else
    head.reply_to.clear();
  auto bytes = encode(head, *body);
  // A peer that gets more than it takes ends the connection.
  if (bytes.size() > hub_->options.message_bytes_max) {
    ++hub_->counters.unencodable;
    return refuse(*what, errc::too_long, codec->name);
  }
  push(*what, std::move(bytes),
       wants_reply ? request_number(to_->index, seq) : 0);
}

void proxy::push(const caf::mailbox_element& what, std::string bytes,
                 std::uint64_t request) {
  if (request != 0) {
    waiting_request who;
    if (what.mid.is_request())
      who = {what.sender, what.mid, caf::strong_actor_ptr{ctrl()}};
    if (!hub_->expect_reply(request, std::move(who)))
      return refuse(what, errc::too_many_requests, to_->name);
  }
  auto size = bytes.size();
  auto result = to_->queue->push(
      {std::move(bytes), request, level_ == level::fire}, size);
  if (result == push_result::queued_first)
    hub_->wake();
  if (accepted(result))
    return;
  if (result == push_result::full)
    ++hub_->counters.queue_full;
  if (request != 0 && !hub_->take_waiting(request))
    return; // the bridge stopped meanwhile and answered it
  refuse(what, result == push_result::full ? errc::queue_full : errc::closed,
         to_->name);
}

void proxy::refuse(const caf::mailbox_element& what, errc why,
                   const std::string& text) {
  if (what.mid.is_request())
    fail({what.sender, what.mid, caf::strong_actor_ptr{ctrl()}},
         caf::make_error(why, text));
  else
    hub_->report(observer::severity::warning, "send-dropped",
                 to_string(why) + ": " + text);
}

} // namespace rookery::bridge
