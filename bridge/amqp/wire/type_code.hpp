#pragma once

#include <cstdint>

/// The AMQP 1.0 type system, as far as messages need it.
/// @source AMQP 1.0, part 1, section 1.6.
namespace rookery::amqp::type_code {

inline constexpr std::uint8_t described = 0x00;
inline constexpr std::uint8_t null = 0x40;
inline constexpr std::uint8_t true_ = 0x41;
inline constexpr std::uint8_t false_ = 0x42;
inline constexpr std::uint8_t uint0 = 0x43;
inline constexpr std::uint8_t ulong0 = 0x44;
inline constexpr std::uint8_t list0 = 0x45;
inline constexpr std::uint8_t ubyte = 0x50;
inline constexpr std::uint8_t smalluint = 0x52;
inline constexpr std::uint8_t smallulong = 0x53;
inline constexpr std::uint8_t boolean = 0x56;
inline constexpr std::uint8_t uint = 0x70;
inline constexpr std::uint8_t ulong = 0x80;
inline constexpr std::uint8_t uuid = 0x98;
inline constexpr std::uint8_t vbin8 = 0xa0;
inline constexpr std::uint8_t str8 = 0xa1;
inline constexpr std::uint8_t sym8 = 0xa3;
inline constexpr std::uint8_t vbin32 = 0xb0;
inline constexpr std::uint8_t str32 = 0xb1;
inline constexpr std::uint8_t sym32 = 0xb3;
inline constexpr std::uint8_t list8 = 0xc0;
inline constexpr std::uint8_t map8 = 0xc1;
inline constexpr std::uint8_t list32 = 0xd0;
inline constexpr std::uint8_t map32 = 0xd1;

} // namespace rookery::amqp::type_code

/// Descriptors of the sections of a message, in their order on the wire.
/// @source AMQP 1.0, part 3, section 3.2.
namespace rookery::amqp::section {

inline constexpr std::uint64_t header = 0x70;
inline constexpr std::uint64_t delivery_annotations = 0x71;
inline constexpr std::uint64_t message_annotations = 0x72;
inline constexpr std::uint64_t properties = 0x73;
inline constexpr std::uint64_t application_properties = 0x74;
inline constexpr std::uint64_t data = 0x75;
inline constexpr std::uint64_t sequence = 0x76;
inline constexpr std::uint64_t value = 0x77;
inline constexpr std::uint64_t footer = 0x78;

} // namespace rookery::amqp::section
