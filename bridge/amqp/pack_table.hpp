#pragma once

#include "bridge/amqp/link.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::amqp {

/// Packs that came and are not settled, and what became of the messages in
/// them. A pack is settled once, so its messages must agree in the end: one
/// that did not go well goes back to its queue alone, and when the broker has
/// it, it is as good as accepted here. One thread.
class pack_table {
public:
  enum class end_type : std::uint8_t {
    running,
    accepted,
    // Back with the others, if all in the pack ended as one of these two.
    released,
    untouched,
    returned // it is on its way back, or the broker has it again
  };
  struct part {
    std::size_t at; // in the bytes of the pack
    std::size_t size;
    end_type end = end_type::running;
  };
  struct pack {
    delivery handle; // empty once its link is gone
    std::size_t receiver = 0;
    std::string bytes;
    std::vector<part> parts;
    std::size_t running = 0;   // parts that have not ended
    std::size_t returning = 0; // parts that the broker does not have yet
    std::chrono::steady_clock::time_point give_up_at{}; // returning

    [[nodiscard]] std::string_view message(const part& x) const {
      return std::string_view{bytes}.substr(x.at, x.size);
    }
    /// Whether nothing in it is to be waited for.
    [[nodiscard]] bool over() const { return running == 0 && returning == 0; }
    /// What to settle it with when it is over.
    [[nodiscard]] bridge::outcome outcome() const;
  };

  /// @param parts as `decode_pack` found them in `bytes` @returns its number
  std::uint64_t add(delivery handle, std::size_t receiver, std::string& bytes,
                    const std::vector<std::string_view>& parts);
  /// Null when it is gone. It stays in place until `erase`.
  [[nodiscard]] pack* find(std::uint64_t number);
  [[nodiscard]] const pack* find(std::uint64_t number) const;
  void erase(std::uint64_t number) { packs_.erase(number); }
  /// Those of which only what goes back is not over, for too long.
  [[nodiscard]] std::vector<std::uint64_t>
  overdue(std::chrono::steady_clock::time_point now) const;

  /// All links are gone, and what was on its way back with them; or the link of
  /// one receiver is, or the peer settled one.
  void forget_handles();
  void forget_handles_of(std::size_t receiver);
  void forget_handle(delivery gone);
  /// Takes out those of which no part runs. @returns their receivers
  [[nodiscard]] std::vector<std::size_t> take_idle();

private:
  std::map<std::uint64_t, pack> packs_;
  std::uint64_t last_ = 0;
};

} // namespace rookery::amqp
