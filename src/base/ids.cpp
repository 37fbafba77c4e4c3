#include "tollgate/base/ids.hpp"

#include <cstdint>

namespace tollgate {

Uuid Uuid::v7(SystemTime now, Random& random) {
  const auto millis = static_cast<std::uint64_t>(std::chrono::duration_cast<Millis>(now.time_since_epoch()).count());
  const std::uint64_t high = (millis << 16) | 0x7000u | (random() & 0x0FFFu);
  const std::uint64_t low = (random() & 0x3FFF'FFFF'FFFF'FFFFu) | 0x8000'0000'0000'0000u;

  constexpr std::string_view digits = "0123456789abcdef";
  Uuid id;
  std::size_t at = 0;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) id.text_[at++] = '-';
    const std::uint64_t half = nibble < 16 ? high : low;
    id.text_[at++] = digits[(half >> (60 - 4 * (nibble % 16))) & 0xF];
  }
  return id;
}

}  // namespace tollgate
