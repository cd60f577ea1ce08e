#pragma once

#include "bridge/amqp/condition.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rookery::amqp {

struct performative_facts;

struct frame_guard_options {
  /// We are the server: the peer begins, and SASL is its choice.
  bool server = false;
  /// Largest frame we said we accept, bytes; less than 512 means 512.
  std::uint32_t frame_bytes_max = 128 * 1024;
  /// Largest message we accept, bytes. All unfinished messages of the
  /// connection together may have four times as many.
  std::uint64_t message_bytes_max = 16 * 1024 * 1024;
  /// Channels 0..sessions_max - 1 may be begun.
  std::uint32_t sessions_max = 64;
  /// Links that may be attached at a time, on all channels together.
  std::size_t links_max = 16'384;
  /// What all links that are attached may take in memory for what their
  /// ATTACHes say, bytes: estimated, and rather too much.
  std::size_t attached_bytes_max = std::size_t{128} << 20;
  /// At most so many deliveries there were yet, those that are over too; null =
  /// it is not asked.
  std::function<std::uint64_t()> deliveries_ever = {};
  /// Those that are not settled.
  std::function<std::uint64_t()> deliveries_unsettled = {};
};

/// Stands between the network and a protocol engine: sees every byte that came
/// before the engine does, and ends the connection where the engine would do
/// worse. Proton 0.37 aborts the process on a delivery without a delivery-id,
/// keeps a message without end in memory, takes seventy times the memory that
/// came for some frames, looks for each delivery that 22 bytes speak of and
/// keeps an event for each it finds, recurses as deep as a value is nested, and
/// takes up TLS with whom it was not told to.
///
/// It knows headers, frames, which channels and handles are in use, and how
/// far each message has come. What it lets through may still break a rule of
/// AMQP; the engine tells the peer so. It holds at most one frame, and only
/// one that came in pieces; the payload of a transfer it never copies.
/// @thread one at a time; no clock, no IO
class frame_guard {
public:
  explicit frame_guard(const frame_guard_options& options);

  /// Takes the next bytes from the peer, however they were sliced. Returns how
  /// many of them, from the front, are to be passed on: all, unless the
  /// connection is `refused` or its CLOSE has come, behind which nothing
  /// counts. What is not passed on is to be thrown away.
  [[nodiscard]] std::size_t pass(std::string_view bytes);

  /// The connection must end, for this reason. Frames in front of the one at
  /// fault were passed on.
  [[nodiscard]] bool refused() const { return !reason_.empty(); }
  [[nodiscard]] const condition& reason() const { return reason_; }

  /// We began a session: the peer owes one answer more.
  void session_begun() { ++answers_due_; }
  /// What the peer said of a delivery was its end.
  void delivery_known();

private:
  /// The peer's end of a link, and the delivery under way on it.
  struct link_state {
    bool peer_receives = false;
    bool under_way = false;         // `more` was set: the rest is to come
    std::uint32_t delivery_id = 0;  // of what is under way
    std::uint64_t bytes = 0;        // of what is under way
    std::size_t attached_bytes = 0; // in memory, for what ATTACH said
  };
  struct session_state {
    std::optional<std::uint16_t> answers; // the channel of ours, if it is ours
    std::unordered_map<std::uint32_t, link_state> links;
  };
  enum class phase : std::uint8_t {
    header, // of a protocol
    sasl,   // its frames, then the next header
    frames, // of AMQP
    over,   // CLOSE came, or a header that the engine will not take
  };

  /// Looks at what begins with a header or a frame. Returns how many bytes of
  /// it have to be there for a judgement; when `begun` has them, it was judged.
  std::size_t judge(std::string_view begun);
  std::size_t judge_header(std::string_view begun);
  std::size_t judge_frame(std::string_view begun);
  void take_sasl(std::string_view body);
  void take_performative(std::uint16_t channel, std::string_view body);
  void take_transfer(std::uint16_t channel, std::string_view body,
                     std::size_t body_bytes);
  void begin(std::uint16_t channel, std::optional<std::uint16_t> answers);
  void attach(std::uint16_t channel, const performative_facts& said,
              std::size_t body_bytes);
  void take_disposition(const performative_facts& said, std::size_t body_bytes);
  void detach(std::uint16_t channel, std::uint32_t handle);
  void end(std::uint16_t channel);
  [[nodiscard]] session_state* find(std::uint16_t channel);
  [[nodiscard]] link_state* find(std::uint16_t channel, std::uint32_t handle);
  void refuse(const char* name, std::string why);

  frame_guard_options options_;
  phase phase_ = phase::header;
  bool sasl_done_ = false;      // the next header is AMQP's
  std::uint64_t sasl_next_ = 0; // the one SASL frame that may come; 0 = none
  bool open_ = false;           // OPEN came
  condition reason_;            // of the refusal; empty until then
  std::string head_;            // of a frame that came in pieces
  std::size_t wanted_ = 0;      // bytes of it that a judgement takes
  std::size_t frame_bytes_ = 0; // size of the frame or header judged last
  std::size_t rest_ = 0;        // bytes of it still to come
  std::uint64_t unfinished_bytes_ = 0; // of all deliveries under way
  std::size_t link_count_ = 0;
  std::size_t attached_bytes_ = 0; // of all links
  std::size_t answers_due_ = 0;    // sessions of ours that have no answer
  std::int64_t idle_talk_ = 0;     // of more deliveries than there were to end
  std::unordered_map<std::uint16_t, session_state> sessions_;
  link_state* last_ = nullptr; // found last, by this key; null = forgotten
  std::uint64_t last_key_ = 0;
};

} // namespace rookery::amqp
