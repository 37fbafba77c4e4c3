#include "policy/token_tables.hpp"

#include <cstring>

// src/policy/token_data.cpp has them.
extern "C" {
[[gnu::visibility("hidden")]] extern const unsigned char tollgate_token_tables_o200k_base[];
[[gnu::visibility("hidden")]] extern const unsigned char tollgate_token_tables_cl100k_base[];
[[gnu::visibility("hidden")]] extern const unsigned char tollgate_unicode_classes[];
}

namespace tollgate::policy::tokens {

Tables::Tables(const unsigned char* begin) {
  TableHeader header;
  std::memcpy(&header, begin, sizeof header);
  // The build has aligned each part of the tables for what it holds.
  const auto part = [&]<class T>(std::uint32_t at, const T*& to) { to = reinterpret_cast<const T*>(begin + at); };
  part(header.byte_ranks_at, byte_ranks_);
  part(header.byte_pairs_at, byte_pairs_);
  part(header.pair_slots_at, pair_slots_);
  part(header.word_slots_at, word_slots_);
  part(header.pair_displacements_at, pairs_.displacements);
  part(header.word_displacements_at, words_.displacements);
  pairs_.buckets = header.pair_buckets;
  pairs_.slots = header.pair_slots;
  words_.buckets = header.word_buckets;
  words_.slots = header.word_slots;
}

const Tables& Tables::of(TokenEncoding encoding) {
  static const Tables o200k_base(tollgate_token_tables_o200k_base), cl100k_base(tollgate_token_tables_cl100k_base);
  return encoding == TokenEncoding::cl100k_base ? cl100k_base : o200k_base;
}

CharacterClass class_of(std::uint32_t code_point) {
  constexpr std::uint32_t within = (1u << class_block_bits) - 1;
  const unsigned char* const blocks = tollgate_unicode_classes + (code_points >> class_block_bits);
  const std::uint32_t block = tollgate_unicode_classes[code_point >> class_block_bits];
  return static_cast<CharacterClass>(blocks[(block << class_block_bits) + (code_point & within)]);
}

}  // namespace tollgate::policy::tokens
