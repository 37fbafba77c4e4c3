#pragma once
// The tables of the token counter as they lie in the program: made by cmake/make_token_tables.cpp when it is built,
// read where they are. Nothing is parsed or allocated at run time, and only pages that a text needs are ever touched.
#include "tollgate/policy/token_counter.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tollgate::policy::tokens {

/// What the encodings' expressions ask of a character. `other` is whatever is none of these: punctuation, symbols,
/// controls, code points without a meaning.
enum class CharacterClass : std::uint8_t {
  other,
  upper,    ///< Lu, Lt: a capital
  lower,    ///< Ll
  letter,   ///< Lm, Lo: a letter without case
  mark,     ///< M
  number,   ///< N
  space,    ///< White_Space but for the next
  newline,  ///< CR, LF
};

/// Ranks are below this.
inline constexpr unsigned rank_bits = 18;
inline constexpr std::uint32_t no_rank = UINT32_MAX;
inline constexpr std::uint64_t empty_slot = UINT64_MAX;

/// Where a key must be if it is there at all: two loads, whatever the key (hash and displace: Belazzougui, Botelho,
/// Dietzfelbinger, 2009). The displacements are found when the tables are made.
struct PerfectHash {
  const std::uint16_t* displacements;
  std::uint32_t buckets;
  std::uint32_t slots;

  static std::uint64_t mixed(std::uint64_t key) {
    key = (key ^ (key >> 32)) * 0xD6E8FEB86659FD93u;
    return (key ^ (key >> 32)) * 0xD6E8FEB86659FD93u;
  }
  static std::uint32_t scaled(std::uint64_t hash, std::uint32_t to) {
    return static_cast<std::uint32_t>(((hash >> 32) * to) >> 32);
  }
  std::uint32_t bucket(std::uint64_t hash) const { return scaled(hash, buckets); }
  std::uint32_t displaced(std::uint64_t hash, std::uint16_t by) const {
    return scaled((hash ^ (hash >> 32) ^ by) * 0x9E3779B97F4A7C15u, slots);
  }
  std::uint32_t slot(std::uint64_t key) const {
    const std::uint64_t hash = mixed(key);
    return displaced(hash, displacements[bucket(hash)]);
  }
};

/// Two parts that merge, as a key; its slot holds this and then the rank of what they become, the lowest byte first.
inline std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) {
  return std::uint64_t{left} << rank_bits | right;
}
inline constexpr std::size_t pair_slot_size =
    7;  ///< three ranks; one byte follows the last slot, so that eight can be read
inline constexpr std::uint64_t pair_slot_mask = (std::uint64_t{1} << (8 * pair_slot_size)) - 1;

/// Words of at most so many bytes have a slot of their own: their bytes, the first one lowest, and their length on top.
inline constexpr std::size_t longest_short_word = 7;
inline std::uint64_t word_key(std::uint64_t bytes, std::size_t length) {
  return bytes | std::uint64_t{length} << (8 * longest_short_word);
}

/// The beginning of an encoding's tables. Offsets are from here, in bytes.
struct TableHeader {
  std::uint32_t pair_buckets, pair_slots, pair_displacements_at, pair_slots_at;
  std::uint32_t word_buckets, word_slots, word_displacements_at, word_slots_at;
  std::uint32_t byte_ranks_at;  ///< by byte: its rank
  std::uint32_t byte_pairs_at;  ///< by two bytes, the first one times 256: the rank of what they become, or no_rank
};

/// An encoding's tables, ready to be looked into.
class Tables {
 public:
  explicit Tables(const unsigned char* begin);
  static const Tables& of(TokenEncoding encoding);

  std::uint32_t byte_rank(unsigned char byte) const { return byte_ranks_[byte]; }
  std::uint32_t byte_pair(unsigned char left, unsigned char right) const { return byte_pairs_[left * 256u + right]; }
  /// The rank of two parts as one, of which at least one has several bytes; or no_rank.
  std::uint32_t merged(std::uint32_t left, std::uint32_t right) const {
    const std::uint64_t key = pair_key(left, right);
    std::uint64_t found = 0;
    std::memcpy(&found, pair_slots_ + pairs_.slot(key) * pair_slot_size, sizeof found);
    found &= pair_slot_mask;
    return found >> rank_bits == key ? static_cast<std::uint32_t>(found & ((1u << rank_bits) - 1)) : no_rank;
  }
  /// Whether these bytes are known to be one token. Not all are known.
  bool is_short_word(std::uint64_t key) const { return word_slots_[words_.slot(key)] == key; }

 private:
  const std::uint32_t* byte_ranks_;
  const std::uint32_t* byte_pairs_;
  const unsigned char* pair_slots_;
  const std::uint64_t* word_slots_;
  PerfectHash pairs_, words_;
};

/// Code points of a block of the class table, which has the number of its block for each of these first.
inline constexpr unsigned class_block_bits = 7;
inline constexpr std::uint32_t code_points = 0x110000;

CharacterClass class_of(std::uint32_t code_point);

}  // namespace tollgate::policy::tokens
