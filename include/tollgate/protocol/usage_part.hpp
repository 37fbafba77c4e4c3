#pragma once
// One report of usage, and how several of the same answer come together. Streams report when and as often as they like:
// at the start, with each chunk, in the end, some fields here and some there.
#include "tollgate/protocol/usage.hpp"

#include <cstdint>
#include <optional>

namespace tollgate::protocol {

/// What one report says: the fields that it names, as it counts them. Absent (or null) is not zero: it says nothing.
struct UsagePart {
  std::optional<std::uint64_t> input = {};
  std::optional<std::uint64_t> cached_input = {};
  std::optional<std::uint64_t> cache_write = {};  ///< all that was written, for both times
  std::optional<std::uint64_t> cache_write_long = {};
  std::optional<std::uint64_t> audio_input = {};
  std::optional<std::uint64_t> image_input = {};
  std::optional<std::uint64_t> output = {};
  std::optional<std::uint64_t> reasoning = {};
  std::optional<std::uint64_t> audio_output = {};
  std::optional<std::uint64_t> image_output = {};
  std::optional<std::uint64_t> searches = {};
  std::optional<ServiceTier> tier = {};
  bool cache_apart = false;      ///< `input` is without what was read from the cache and written there
  bool reasoning_apart = false;  ///< `output` is without `reasoning`
};

/// Puts a further report of the same answer over what is known: the last one wins in each field that it names, and
/// nothing is ever added up over reports. What was written to the cache and is not said to be for the longer time is
/// for the shorter one. Afterwards no whole is less than its parts.
void merge(std::optional<Usage>& into, const UsagePart& part);

}  // namespace tollgate::protocol
