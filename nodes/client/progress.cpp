#include "nodes/client/progress.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace rookery::nodes {

namespace {

constexpr std::size_t bar_width = 30;
constexpr std::chrono::milliseconds redraw{100};
constexpr std::chrono::seconds repeat{5};

} // namespace

progress::progress(std::string label, std::uint64_t total)
    : label_(std::move(label)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) != 0),
      next_(clock::now() + (terminal_ ? clock::duration{} : repeat)) {}

progress::~progress() {
  if (drawn_)
    std::cerr << std::endl;
}

void progress::update(std::uint64_t done, const std::string& note) {
  if (total_ == 0)
    return;
  auto now = clock::now();
  auto ended = done >= total_;
  if (now < next_ && !(ended && terminal_))
    return;
  next_ = now + (terminal_ ? clock::duration{redraw} : repeat);
  auto percent = std::min<std::uint64_t>(100, done * 100 / total_);
  if (!terminal_) {
    std::cerr << label_ << ": " << percent << " %" << (note.empty() ? "" : ", ")
              << note << std::endl;
    return;
  }
  auto filled = static_cast<std::size_t>(percent) * bar_width / 100;
  std::cerr << "\r\033[K" << label_ << " [" << std::string(filled, '#')
            << std::string(bar_width - filled, '.') << "] " << percent << " % "
            << note << std::flush;
  drawn_ = true;
}

} // namespace rookery::nodes
