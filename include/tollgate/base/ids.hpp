#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"

#include <array>
#include <string_view>

namespace tollgate {

/// A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then chance, so ids sort by time. Lower-case text, 36
/// bytes.
class Uuid {
 public:
  static Uuid v7(SystemTime now, Random& random);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 36> text_{};
};

}  // namespace tollgate
