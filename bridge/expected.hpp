#pragma once

#include "bridge/assert.hpp"

#include <utility>
#include <variant>

namespace rookery::bridge {

/// Marks a value as the error of an `expected`.
template <class E>
struct unexpected {
  E error;
};

template <class E>
unexpected(E) -> unexpected<E>;

/// A value, or the reason why there is none. The small part of C++23's
/// std::expected that this library needs; the standard one replaces it there.
/// Reading the side that is not there is a programming error and aborts.
template <class T, class E>
class [[nodiscard]] expected {
public:
  expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  expected(unexpected<E> x)
      : state_(std::in_place_index<1>, std::move(x.error)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] T& value() {
    ROOKERY_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const {
    ROOKERY_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const E& error() const {
    ROOKERY_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }

private:
  std::variant<T, E> state_;
};

} // namespace rookery::bridge
