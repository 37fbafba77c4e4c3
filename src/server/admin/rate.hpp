#pragma once
#include "tollgate/base/clock.hpp"

#include <algorithm>
#include <cstdint>

namespace tollgate::server::admin {

/// How often all operators together may ask: a bucket that begins full and is filled again at an even rate.
class Rate {
 public:
  Rate(std::int64_t per_second, std::int64_t burst) : time_of_one_(std::chrono::seconds(1)), burst_(burst) {
    time_of_one_ /= per_second;
  }
  /// Takes one, or says that there is none. `now` never goes back.
  bool take(SteadyTime now) {
    // The moment at which the bucket would be full again says all: each one taken puts it off by its own time.
    const SteadyTime from = std::max(full_at_, now);
    if (from + time_of_one_ > now + burst_ * time_of_one_) return false;
    full_at_ = from + time_of_one_;
    return true;
  }

 private:
  std::chrono::nanoseconds time_of_one_;
  std::int64_t burst_;
  SteadyTime full_at_{};
};

}  // namespace tollgate::server::admin
