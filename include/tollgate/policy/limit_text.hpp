#pragma once
// How a wait is told to a client.
#include "tollgate/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tollgate::policy {

/// For x-ratelimit-reset-*, as OpenAI writes it and its clients parse it (Go's durations): "0s", "644ms", "6.5s",
/// "1m30s", "2h5m0s". A wait below 0 is none. There must be room for longest_reset bytes; returns the end
/// of what was written.
char* write_reset(char* to, Millis wait);
inline constexpr std::size_t longest_reset = 32;  ///< "2562047788015h12m55.807s"
std::string reset_text(Millis wait);

/// For retry-after: whole seconds, rounded up, at least 1, so that who obeys it does not come back too early.
std::uint64_t retry_seconds(Millis wait);

}  // namespace tollgate::policy
