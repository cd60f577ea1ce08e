#include "bridge/amqp/wire/header_section.hpp"

namespace rookery::amqp {

header_section read_header_section(reader& in) noexcept {
  header_section result;
  auto [elements, count] = in.list();
  if (count > 0)
    result.durable = elements.boolean();
  if (count > 1)
    result.priority = elements.ubyte().value_or(4);
  if (count > 2)
    result.ttl = elements.uint();
  if (count > 3)
    result.first_acquirer = elements.boolean();
  if (count > 4)
    result.delivery_count = elements.uint().value_or(0);
  in.adopt(elements);
  return result;
}

} // namespace rookery::amqp
