#include "tests/conformance/script.hpp"

#include <exception>

namespace rookery::conformance {

std::vector<script> all_scripts() {
  std::vector<script> result;
  for (const auto& group :
       {address_scripts(), queue_scripts(), exchange_scripts(),
        publishing_scripts(), routing_scripts(), message_scripts(),
        settling_scripts(), returning_scripts(), limit_scripts(),
        expiry_scripts(), dead_letter_scripts(), single_active_scripts(),
        consumer_scripts(), lifetime_scripts()})
    result.insert(result.end(), group.begin(), group.end());
  return result;
}

std::string run(const script& x, const broker_address& where,
                const std::string& prefix) {
  event_loop loop; // outlives the clients
  std::string seen;
  try {
    stage here{loop, where, prefix};
    try {
      seen = here.plain(x.observe(here));
    } catch (const std::exception& why) {
      seen = here.plain(why.what());
    }
    here.clean_up();
  } catch (const std::exception& why) {
    seen += (seen.empty() ? "" : "; at the end: ") + std::string{why.what()};
  }
  return seen;
}

} // namespace rookery::conformance
