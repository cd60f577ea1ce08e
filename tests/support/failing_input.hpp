#pragma once

#include <ios>
#include <istream>
#include <streambuf>
#include <string>
#include <utility>

namespace rookery {

/// A file on a disk that fails after `good`: as libstdc++ tells it of read(2).
class failing_input : std::streambuf, public std::istream {
public:
  explicit failing_input(std::string good)
      : std::istream{static_cast<std::streambuf*>(this)},
        good_{std::move(good)} {
    setg(good_.data(), good_.data(), good_.data() + good_.size());
  }

private:
  std::streambuf::int_type underflow() override {
    throw std::ios_base::failure{"error reading the file"};
  }

  std::string good_;
};

} // namespace rookery
