#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::amqp {

/// Several messages as one, so that a broker, whose costs are per message, has
/// the cost of one: each is a Data section of it, encoded as if it went alone.
/// Its subject says so.
inline constexpr std::string_view pack_type = "rookery.bridge.v1.Pack";

/// Messages in a pack, at least two.
inline constexpr std::size_t pack_messages_max = 64;

/// A message joins others while the pack is no longer than that, bytes.
inline constexpr std::size_t pack_bytes_max = std::size_t{64} << 10;

/// Length that a pack has besides its messages and its address, at most.
inline constexpr std::size_t pack_overhead_max = 56 + 8 * pack_messages_max;

/// Writes packs. The buffer is used again.
class pack_encoder {
public:
  /// @param to empty, or an AMQP address: where the link leads nowhere, or to
  /// anybody
  void begin(std::string_view to = {});
  void add(std::string_view message);
  /// Valid until the next `begin`.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

private:
  std::string bytes_;
};

/// The messages in `bytes`, which they point into, if it is a pack; nothing if
/// it is another message, or a pack that is not as it should be: nothing but
/// Data sections behind its properties, and in each a message as
/// `encode_message` writes it, without a time to live, that is no pack. What is
/// in its body may be malformed. Cheap where it is none; never throws for bad
/// input.
[[nodiscard]] std::optional<std::vector<std::string_view>>
decode_pack(std::string_view bytes);

} // namespace rookery::amqp
