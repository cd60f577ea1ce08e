#pragma once

#include "tests/sim/vigil.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace rookery::sim {

/// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;
[[nodiscard]] number_message number(std::uint64_t x);

/// Of the reason of a mortal's end; its text is the mortal's number.
constexpr auto mortal_category = caf::atom("mortal");

/// A question is its number; an answer has that of the actor above these bits.
constexpr int question_bits = 32;

/// Answers questions, or has `other` answer, and tells `desk` of other messages
/// (0). Ends now and then, and with kin.
caf::behavior mortal(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                     std::uint64_t me, const caf::actor& desk,
                     const caf::actor& other);

/// Answers for an actor that delegates.
caf::behavior deputy();

/// Serves the desk, asks, and is told of ends as the actor that does both.
caf::behavior mourner(caf::event_based_actor* self,
                      std::weak_ptr<vigil> watcher);

/// Is told of an end by the link to it.
caf::behavior relative(caf::event_based_actor* self,
                       std::weak_ptr<vigil> watcher, std::uint64_t monitor,
                       const caf::actor& whom);

/// Takes whom it is linked to along after `time`.
caf::behavior kin(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                  std::uint64_t monitor, const caf::actor& whom,
                  std::chrono::microseconds time);

/// Takes its monitor back after `time`.
caf::behavior fickle(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                     std::uint64_t monitor, const caf::actor& whom,
                     std::chrono::microseconds time);

/// Is told of one end, and lives on.
caf::behavior bystander(caf::event_based_actor* self,
                        std::weak_ptr<vigil> watcher, std::uint64_t life,
                        const caf::actor& whom);

} // namespace rookery::sim
