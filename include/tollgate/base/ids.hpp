#pragma once
#include "tollgate/base/clock.hpp"
#include "tollgate/base/random.hpp"

#include <algorithm>
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

/// Somebody else's id or code that may stand in a log or a header: 1 to 128 visible ASCII characters without quotes and
/// backslashes.
inline bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '\\';
  });
}

}  // namespace tollgate
