#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rookery::amqp {

/// The frame bodies of AMQP and of its SASL layer, by descriptor.
/// @source AMQP 1.0, part 2, section 2.7, and part 5, section 5.3.3.
namespace performative {

inline constexpr std::uint64_t open = 0x10;
inline constexpr std::uint64_t begin = 0x11;
inline constexpr std::uint64_t attach = 0x12;
inline constexpr std::uint64_t flow = 0x13;
inline constexpr std::uint64_t transfer = 0x14;
inline constexpr std::uint64_t disposition = 0x15;
inline constexpr std::uint64_t detach = 0x16;
inline constexpr std::uint64_t end = 0x17;
inline constexpr std::uint64_t close = 0x18;
inline constexpr std::uint64_t sasl_mechanisms = 0x40;
inline constexpr std::uint64_t sasl_init = 0x41;
inline constexpr std::uint64_t sasl_outcome = 0x44;

} // namespace performative

/// What a TRANSFER says, as far as somebody must know who counts its bytes.
struct transfer_facts {
  std::uint32_t handle = 0;
  std::optional<std::uint32_t> delivery_id;
  bool more = false;
  bool aborted = false;
};

/// Bytes that a TRANSFER has in front of its payload, told by the first eight
/// bytes of a frame body, or by all if it has less. 0 when it is no TRANSFER,
/// or not spelled as all peers spell it. The frame may turn out to be shorter.
[[nodiscard]] std::size_t transfer_bytes(std::string_view body) noexcept;

/// Reads a TRANSFER, the `transfer_bytes` of it: nothing when it is not
/// well-formed, has a field of another type than the standard says, a
/// delivery-tag of more than 32 bytes, more than 16 values of state, or more
/// than 512 bytes in all.
[[nodiscard]] std::optional<transfer_facts>
parse_transfer(std::string_view bytes) noexcept;

/// What other frame bodies say, as far as somebody must know who follows which
/// channels and handles are in use.
struct performative_facts {
  std::uint64_t code = 0;
  /// Of ATTACH, which must have one, DETACH, and FLOW that grants credit.
  std::optional<std::uint32_t> handle = {};
  /// ATTACH: the peer is the receiver of this link.
  bool peer_receives = false;
  /// BEGIN: the channel of ours that it answers.
  std::optional<std::uint16_t> answers = {};
  /// DISPOSITION: of so many deliveries it speaks, at least 1.
  std::uint64_t deliveries = 1;
  /// DISPOSITION: they are settled.
  bool settled = false;
  /// FLOW: the credit of the link.
  std::uint32_t link_credit = 0;
  /// All there are, the elements of compounds and arrays among them.
  std::size_t values = 0;
};

/// Reads any performative but a TRANSFER. Nothing when it is not well-formed
/// down to its last value: compounds nested deeper than 32 and arrays of
/// anything but plain values count as such, for a decoder that recurses dies
/// of the former and nobody sends the latter. Nor is an ATTACH with a settle
/// mode that does not exist.
[[nodiscard]] std::optional<performative_facts>
parse_performative(std::string_view body) noexcept;

/// Whether `bytes` are values one behind the other, as the sections of a
/// message are: well-formed down to the last, nested no deeper and with no
/// other arrays than a performative. A decoder that recurses may be given them.
[[nodiscard]] bool well_formed(std::string_view bytes) noexcept;

} // namespace rookery::amqp
