#include "tollgate/base/ids.hpp"

#include <cstdint>
#include <cstring>

namespace tollgate {

namespace {

/// The two digits of every byte, so that an id is sixteen moves.
constexpr auto hex_pairs = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) pairs[byte] = {digits[byte >> 4], digits[byte & 0xF]};
  return pairs;
}();

/// `bytes` bytes of the value from the one with that number on, the highest being 0.
template <int first_byte, int bytes>
void write_hex(char* to, std::uint64_t value) {
  std::memcpy(to, hex_pairs[value >> (56 - 8 * first_byte) & 0xFF].data(), 2);
  if constexpr (bytes > 1) write_hex<first_byte + 1, bytes - 1>(to + 2, value);
}

}  // namespace

Uuid Uuid::v7(SystemTime now, Random& random) {
  const auto millis = static_cast<std::uint64_t>(std::chrono::duration_cast<Millis>(now.time_since_epoch()).count());
  const std::uint64_t high = (millis << 16) | 0x7000u | (random() & 0x0FFFu);
  const std::uint64_t low = (random() & 0x3FFF'FFFF'FFFF'FFFFu) | 0x8000'0000'0000'0000u;

  Uuid id;
  id.text_.fill('-');
  write_hex<0, 4>(&id.text_[0], high);
  write_hex<4, 2>(&id.text_[9], high);
  write_hex<6, 2>(&id.text_[14], high);
  write_hex<0, 2>(&id.text_[19], low);
  write_hex<2, 6>(&id.text_[24], low);
  return id;
}

}  // namespace tollgate
