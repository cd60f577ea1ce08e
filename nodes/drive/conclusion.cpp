#include "nodes/drive/conclusion.hpp"

#include "actors/errc.hpp"
#include "nodes/client/error_text.hpp"

namespace rookery::nodes {

conclusion conclude(const caf::error& why, bool refused) {
  // What is refused for good, each attempt was or would have been, but for a
  // key that is known with another request.
  auto for_good = is_refusal(why) && why != actors::errc::key_conflict
                  && !is_temporary(why);
  auto unchanged = refused || for_good;
  return {unchanged ? ending::refused : ending::unknown,
          !unchanged || is_temporary(why)};
}

} // namespace rookery::nodes
