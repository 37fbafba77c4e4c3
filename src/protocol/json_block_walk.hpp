#pragma once
// Nearly all bytes of a request lie in nested values (the messages), and text full of escapes and short members makes a
// string-by-string scan stumble over mispredicted branches. So 64 bytes become bit masks, one bit a byte, and are
// judged at once. How the masks come about differs by what the processor has; what they mean is here, once.
#include "protocol/json_nested.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tollgate::protocol::json {

/// Letters that may follow a backslash and end the escape.
inline constexpr std::array<bool, 256> short_escapes = [] {
  std::array<bool, 256> letters{};
  for (const char letter : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'})
    letters[static_cast<unsigned char>(letter)] = true;
  return letters;
}();

/// Walks over blocks of 64 bytes. `Blocks` is made from the address of one and gives its masks: quotes, backslashes,
/// controls, brackets, between_special; and it knows the running parity of a mask: bit n is the parity of bits 0 to n,
/// which is set from each opening quote up to before its closing one. It must be a type of the file that names it,
/// since files are compiled for different processors.
template <class Blocks>
class BlockWalk {
 public:
  BlockWalk(NestedWalk& walk, const char* end) : walk_(walk), end_(end) {}

  void run() {
    while (end_ - walk_.at >= block_size && !walk_.ended() && pass()) {
    }
    // Over to who reads byte by byte.
    if (escape_hangs_over_) ++walk_.at;
  }

 private:
  static constexpr std::ptrdiff_t block_size = 64;

  /// False: the block has a fault, and nothing has changed.
  bool pass() {
    const Blocks blocks(walk_.at);
    const std::uint64_t backslashes = blocks.backslashes(), quotes = blocks.quotes();
    if (!walk_.in_string || (backslashes | quotes) != 0 || blocks.any_control())
      return judge(blocks, backslashes, quotes);
    walk_.at += block_size;
    escape_hangs_over_ = false;
    return true;
  }

  bool judge(const Blocks& blocks, std::uint64_t backslashes, std::uint64_t quotes) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    if (!find_escaped(backslashes)) return false;
    const std::uint64_t ends = quotes & ~escaped_;
    const std::uint64_t within = (ends == 0 ? 0 : Blocks::running_parity(ends)) ^ (walk_.in_string ? all : 0);
    if (blocks.any_control() && (blocks.controls() & within) != 0) return false;

    const char* const start = walk_.at;
    std::uint64_t between = 0;
    if (within != all) between = blocks.between_special() & ~within & ~ends;
    if (between != 0 && !pass_between(blocks, between)) return false;
    if (walk_.at == start) walk_.at += block_size;
    escape_hangs_over_ = !walk_.ended() && hangs_over_next_;
    walk_.in_string = !walk_.ended() && within >> 63 != 0;
    return true;
  }

  /// Marks the bytes that follow a backslash which is not itself escaped: in a run of them every second one, which a
  /// subtraction's carry finds for all runs at once (simdjson, `json_escape_scanner`). False where that makes no valid
  /// escape.
  bool find_escaped(std::uint64_t backslashes) {
    const std::uint64_t hanging = escape_hangs_over_ ? 1 : 0;
    escaped_ = hanging;
    hangs_over_next_ = false;
    if (backslashes == 0) return true;
    constexpr std::uint64_t odd = 0xAAAA'AAAA'AAAA'AAAA;
    const std::uint64_t may_escape = backslashes & ~hanging;
    const std::uint64_t run_parts = ((may_escape << 1 | odd) - may_escape) ^ odd;
    escaped_ = run_parts ^ (backslashes | hanging);
    hangs_over_next_ = (run_parts & backslashes) >> 63 != 0;
    for (std::uint64_t left = escaped_ & ~hanging; left != 0; left &= left - 1) {
      const char* const at = walk_.at + __builtin_ctzll(left);
      if (!short_escapes[static_cast<unsigned char>(*at)] && escape_length_at(at - 1, end_) == 0) return false;
    }
    return !hangs_over_next_ || escape_length_at(walk_.at + block_size - 1, end_) != 0;
  }

  /// Passes the brackets among the bytes between strings that mean something; moves on only where the value ends.
  bool pass_between(const Blocks& blocks, std::uint64_t between) {
    std::uint64_t brackets = blocks.brackets() & between;
    if (!all_blank(between & ~brackets)) return false;
    NestedWalk next = walk_;
    for (; brackets != 0 && !next.ended(); brackets &= brackets - 1) {
      next.at = walk_.at + __builtin_ctzll(brackets);
      if (next.pass_bracket(*next.at) != Fault::none) return false;
    }
    next.at = next.ended() ? next.at + 1 : walk_.at;
    walk_ = next;
    return true;
  }

  /// The bytes are blanks or an exponent's capital E: the rest of what may stand between strings.
  bool all_blank(std::uint64_t bytes) const {
    for (; bytes != 0; bytes &= bytes - 1) {
      const char byte = walk_.at[__builtin_ctzll(bytes)];
      if (byte != '\n' && byte != '\r' && byte != '\t' && byte != 'E') return false;
    }
    return true;
  }

  NestedWalk& walk_;
  const char* end_;
  std::uint64_t escaped_ = 0;       ///< bytes of the block at hand that a backslash takes with it
  bool escape_hangs_over_ = false;  ///< the first byte of the block at hand is one
  bool hangs_over_next_ = false;
};

}  // namespace tollgate::protocol::json
