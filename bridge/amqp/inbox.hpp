#pragma once

#include <string>
#include <unordered_map>

struct pn_delivery_t;
struct pn_link_t;

namespace rookery::amqp {

/// The messages that come to an engine, taken out of Proton's buffers frame by
/// frame: those never shrink, and outlive their messages. The frame guard
/// bounds what is unfinished.
/// @thread the engine's
class inbox {
public:
  /// Takes what came of the link's current delivery, and goes on to the next
  /// when that is all of it. @returns the message then, else null; good until
  /// `done` or the next `take`.
  [[nodiscard]] std::string* take(pn_link_t* from, pn_delivery_t* x);
  /// The message that was taken has been handled: its memory is kept for the
  /// next, if it is not much.
  void done();
  /// The rest of what came on this link will not come.
  void forget(pn_link_t* x) { unfinished_.erase(x); }

private:
  std::string whole_; // its memory is reused
  std::unordered_map<pn_link_t*, std::string> unfinished_;
};

} // namespace rookery::amqp
