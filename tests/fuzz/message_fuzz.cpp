// Goal: no bytes confuse the codec of messages. Method: whatever is accepted
// must point into its bytes, survive encoding, and be seen alike by who reads
// all of it and by who, as the broker does, reads its front and puts another
// header there.
#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/pack.hpp"
#include "bridge/assert.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <functional>
#include <string>

using namespace rookery;
using tests::exact_copy;

namespace {

bool within(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> not_behind;
  return part.empty()
         || (not_behind(whole.data(), part.data())
             && not_behind(part.data() + part.size(),
                           whole.data() + whole.size()));
}

/// What the encoder writes of `x`.
bridge::envelope sent(bridge::envelope x) {
  x.delivery_count = 0;
  x.first_acquirer.reset();
  return x;
}

void check_views(const amqp::envelope_view& x, std::string_view bytes) {
  for (auto part : {x.message_id.bytes, x.correlation_id.bytes, x.to, x.type,
                    x.reply_to, x.content_type, x.content_encoding,
                    x.trace_parent, x.trace_state, x.single_body})
    ROOKERY_ASSERT(within(part, bytes));
}

/// As a publisher's encoder and a consumer's decoder.
void check_round_trip(const bridge::envelope& x) {
  std::string again;
  amqp::encode_message(x, again);
  const auto second = amqp::decode_message(again);
  ROOKERY_ASSERT(second);
  ROOKERY_ASSERT(second->to_envelope() == sent(x));
}

/// As the broker passes a message on.
void check_redelivery(const amqp::envelope_view& x,
                      const amqp::header_facts& facts, std::string_view bytes) {
  ROOKERY_ASSERT(facts.header_bytes <= bytes.size());
  ROOKERY_ASSERT(facts.to == x.to);
  ROOKERY_ASSERT(facts.priority == x.priority);
  ROOKERY_ASSERT(facts.ttl == x.ttl);
  ROOKERY_ASSERT(facts.first_acquirer == x.first_acquirer);
  ROOKERY_ASSERT(facts.delivery_count == x.delivery_count);
  ROOKERY_ASSERT(facts.durable || !x.durable);

  auto passed_on = amqp::rewrite_header(facts, 7, false, facts.ttl);
  passed_on += bytes.substr(facts.header_bytes);
  const auto second = amqp::decode_message(passed_on);
  ROOKERY_ASSERT(second);
  auto expected = x.to_envelope();
  expected.durable = facts.durable;
  expected.delivery_count = 7;
  expected.first_acquirer = false;
  ROOKERY_ASSERT(second->to_envelope() == expected);
}

/// As a consumer of packs.
void check_pack(std::string_view bytes) {
  const auto parts = amqp::decode_pack(bytes);
  if (!parts)
    return;
  ROOKERY_ASSERT(parts->size() >= 2);
  ROOKERY_ASSERT(parts->size() <= amqp::pack_messages_max);
  amqp::pack_encoder again;
  again.begin();
  for (auto part : *parts) {
    ROOKERY_ASSERT(within(part, bytes));
    again.add(part);
  }
  ROOKERY_ASSERT(amqp::decode_pack(again.bytes()) == parts);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const exact_copy copy{{reinterpret_cast<const char*>(data), size}};
  const auto bytes = copy.view();
  check_pack(bytes);
  const auto facts = amqp::parse_header_facts(bytes);
  if (!facts)
    ROOKERY_ASSERT(facts.error().offset <= size);
  const auto view = amqp::decode_message(bytes);
  if (!view) {
    ROOKERY_ASSERT(view.error().offset <= size);
    return 0;
  }
  check_views(*view, bytes);
  check_round_trip(view->to_envelope());
  if (facts)
    check_redelivery(*view, *facts, bytes);
  return 0;
}
