#pragma once
// How long a provider asks to be left alone, in each of the ways that providers say it. Values are read, not judged:
// what is too short or too long to wait is the caller's to say.
#include "tollgate/base/clock.hpp"
#include "tollgate/protocol/http/head.hpp"

#include <optional>
#include <string_view>

namespace tollgate::protocol {

/// What is longer is cut to this, so that adding it to any time cannot overflow.
inline constexpr Millis longest_wait = std::chrono::hours(24 * 365);

/// The wait that an answer's fields ask for, rounded up to whole milliseconds, or nothing. The first of these that is
/// there and can be read counts:
///   1. `retry-after-ms`: milliseconds ("1500", "12.5"), as OpenAI and Azure send it
///   2. `retry-after`: seconds ("30"; also "0.5", which RFC 9110 does not know), or an HTTP-date, where a past one is 0
///   3. `x-ratelimit-reset-requests` and `-tokens`: durations ("6m0s"); the longer one of those whose
///      `x-ratelimit-remaining-*` is 0, or of both where neither is.
/// A field that is there twice counts with its longest value. `now` is when the answer came.
std::optional<Millis> retry_after(const http::Fields& fields, SystemTime now);

/// A duration as Go prints it, of the kind "1h2m3.5s", "20ms", "0": a sum of decimal numbers with the units h, m, s,
/// ms, us or µs, ns. Nothing where it is negative, empty, or not one. Rounded up.
std::optional<Millis> parse_duration(std::string_view text);

}  // namespace tollgate::protocol
