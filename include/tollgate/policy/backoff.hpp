#pragma once
// How long to wait before asking again. Pure and exact: whole numbers, a chance of 1 - 2^-53 included.
#include "tollgate/base/clock.hpp"

namespace tollgate::policy {

/// base * 2^times, or `most` where that is less; never overflows. What is below 0 counts as 0.
Millis doubled(Millis base, unsigned times, Millis most);

/// U(0, most) in whole milliseconds, both ends included. `chance` is uniform in [0, 1); outside of that it counts as
/// the nearer end, and what is no number as 0. `most` below 0 counts as 0.
Millis up_to(Millis most, double chance);

/// Before another attempt at one target: U(0, min(max, base * 2^attempt)), full jitter, the least total work under
/// contention ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). `attempt` counts from 0.
Millis backoff(unsigned attempt, Millis base, Millis max, double chance);

/// What a provider's Retry-After comes to: told * U(1, 1.25), so that not everybody who was told the same comes back at
/// one moment, and nobody too early.
Millis retry_after_wait(Millis told, double chance);

}  // namespace tollgate::policy
