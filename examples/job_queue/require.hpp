// Any test framework will do; this is the smallest.
#pragma once

#include <stdexcept>
#include <string>

inline void require(bool holds, const std::string& what) {
  if (!holds)
    throw std::runtime_error{"not so: " + what};
}
