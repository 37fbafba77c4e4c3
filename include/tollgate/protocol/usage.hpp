#pragma once
// What a provider says it has counted for one call, in one form for all dialects. The reader of a dialect puts it into
// this form once; whoever limits, prices or reports it knows no dialect.
#include <cstdint>

namespace tollgate::protocol {

/// The class of service that the provider says it has given, where it says so: it may differ from what was asked for.
enum class ServiceTier : std::uint8_t { standard, batch, flex, priority, fast };

/// `input` and `output` are whole; the other token counts are parts of them, disjoint within each. Where parts are
/// larger than their whole, the parts are what was counted.
struct Usage {
  std::uint64_t input = 0;             ///< all of the prompt
  std::uint64_t cached_input = 0;      ///< of input: read from the provider's cache
  std::uint64_t cache_write = 0;       ///< of input: written there for the shorter of its times (5 or 30 minutes)
  std::uint64_t cache_write_long = 0;  ///< of input: for the longer (1 or 12 hours)
  std::uint64_t audio_input = 0;       ///< of input, not cached
  std::uint64_t image_input = 0;       ///< of input, not cached
  std::uint64_t output = 0;            ///< all that was generated, reasoning counted in once
  std::uint64_t reasoning = 0;         ///< of output
  std::uint64_t audio_output = 0;      ///< of output
  std::uint64_t image_output = 0;      ///< of output
  std::uint64_t searches = 0;          ///< calls of a server-side search, billed apart
  ServiceTier tier = ServiceTier::standard;
  bool operator==(const Usage&) const = default;
};

}  // namespace tollgate::protocol
