#pragma once
#include "tollgate/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tollgate::io {

/// Fills `out` from the system's source of randomness (getrandom(2)), fit for secrets. Any thread; waits only where the
/// system has just booted and has gathered no randomness yet. On failure the content of `out` is not to be used.
Result<void> fill_random(std::span<std::uint8_t> out);

/// `size` such bytes.
template <std::size_t size>
Result<std::array<std::uint8_t, size>> random_bytes() {
  std::array<std::uint8_t, size> bytes{};
  if (const auto filled = fill_random(bytes); !filled) return filled.error();
  return bytes;
}

}  // namespace tollgate::io
