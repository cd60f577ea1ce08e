#pragma once

#include <cstddef>
#include <cstdint>

struct pn_connection_t;
struct pn_link_t;
struct pn_transport_t;

namespace rookery::amqp {

/// More than a transfer takes on the wire besides its message, and a little for
/// dispositions and flows: counts of what waits must not run ahead of it.
inline constexpr std::size_t transfer_overhead_bytes = 64;

/// Messages that Proton has made no frames of, and what their transfers take
/// besides; those of links that are gone too, while others wait: Proton does
/// not tell them apart, and forgets them only with their session.
[[nodiscard]] std::size_t unwritten_bytes(pn_connection_t* x);

/// Those that went, either way: each delivery took one at least.
[[nodiscard]] std::uint64_t frames(pn_transport_t* x);

/// Deliveries that are not settled, either way.
[[nodiscard]] std::uint64_t unsettled(pn_connection_t* x);

/// Whether a link that goes now leaves anything behind.
[[nodiscard]] bool leaves_any(pn_link_t* x);

/// Whether links that are gone left more behind than `bytes_max`, those that
/// are left among them. While others wait that is not known: then whether all
/// together is four times that.
[[nodiscard]] bool leaves_too_much(pn_connection_t* x, std::size_t bytes_max);

/// Detaches a link that the peer ended, and forgets it with what it did not
/// write; but for pre-settled messages and the first of the others, which may
/// be in frames in part: those Proton keeps.
/// @param but_sent the link is left until the peer has settled what was sent on
/// it, or its session ends: Proton tells the peer of all that it forgets.
void close_and_forget(pn_link_t* x, bool but_sent);

/// Whether this link is left so; its handler knows nothing of it.
[[nodiscard]] bool is_left(pn_link_t* x);

/// Forgets one that is left, once nothing that was sent is unsettled.
void forget_if_settled(pn_link_t* x);

} // namespace rookery::amqp
