#include "io/storage/journal/crc32c.hpp"

#include <array>
#include <cstring>

namespace tollgate::io::journal {
namespace {

using Table = std::array<std::uint32_t, 256>;

constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0U);
    table[byte] = value;
  }
  return table;
}

constexpr Table table = make_table();

#if defined(__x86_64__)

std::uint64_t word_at(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t before, std::span<const std::byte> bytes) {
  std::uint64_t value = ~before;
  const std::byte* at = bytes.data();
  // Counted by blocks: what is left of a record beside its checksum is little.
  for (std::size_t blocks = bytes.size() / 64; blocks > 0; --blocks, at += 64) {
    value = __builtin_ia32_crc32di(value, word_at(at));
    value = __builtin_ia32_crc32di(value, word_at(at + 8));
    value = __builtin_ia32_crc32di(value, word_at(at + 16));
    value = __builtin_ia32_crc32di(value, word_at(at + 24));
    value = __builtin_ia32_crc32di(value, word_at(at + 32));
    value = __builtin_ia32_crc32di(value, word_at(at + 40));
    value = __builtin_ia32_crc32di(value, word_at(at + 48));
    value = __builtin_ia32_crc32di(value, word_at(at + 56));
  }
  for (std::size_t words = bytes.size() % 64 / 8; words > 0; --words, at += 8) {
    value = __builtin_ia32_crc32di(value, word_at(at));
  }
  auto last = static_cast<std::uint32_t>(value);
  for (std::size_t rest = bytes.size() % 8; rest > 0; --rest, ++at)
    last = __builtin_ia32_crc32qi(last, static_cast<unsigned char>(*at));
  return ~last;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t before, std::span<const std::byte> bytes) {
  std::uint32_t value = ~before;
  for (const std::byte byte : bytes) value = (value >> 8) ^ table[(value ^ static_cast<std::uint32_t>(byte)) & 0xFF];
  return ~value;
}

std::uint32_t crc32c(std::uint32_t before, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (has_instruction) return by_instruction(before, bytes);
#endif
  return crc32c_by_table(before, bytes);
}

}  // namespace tollgate::io::journal
