#pragma once
#include "policy/token_tables.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::policy::tokens {

/// Merges the bytes of a piece as byte-pair encoding does, the pair of the lowest rank first and of equal ones the left
/// one, and counts what is left. Holds all that a piece needs: some 50 KiB on the stack of a count, of which short
/// pieces touch the first few.
class Merger {
 public:
  explicit Merger(const Tables& tables) : tables_(tables) {}

  /// `piece` has at most longest_token_piece bytes.
  std::size_t count(std::string_view piece);
  /// Pairs looked at.
  std::uint64_t steps() const { return steps_; }

 private:
  /// Pieces up to so many bytes are merged by looking through their pairs again and again.
  static constexpr std::size_t longest_scanned = 40;
  /// A rank and where its pair begins, so that the least of them is the next to merge.
  using Candidate = std::uint32_t;
  static constexpr unsigned place_bits = 11;

  std::size_t count_scanning(std::size_t parts);
  std::size_t count_sorted(std::size_t parts);
  void push(std::size_t place);
  void pair_up(std::size_t place, std::size_t with);

  const Tables& tables_;
  std::uint64_t steps_ = 0;
  std::array<std::uint32_t, longest_token_piece + 1> part_;  ///< ranks of the parts as they are
  std::array<std::uint32_t, longest_token_piece + 1> pair_;  ///< rank of a part with the next one, or no_rank
  std::array<std::uint16_t, longest_token_piece + 1> next_, previous_;
  std::array<Candidate, 3 * longest_token_piece> candidates_;  ///< a heap; what does not hold any more is skipped
  std::size_t candidate_count_ = 0;
  static_assert(longest_token_piece <= 1u << place_bits && rank_bits + place_bits <= 32);
};

}  // namespace tollgate::policy::tokens
