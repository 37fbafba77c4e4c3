// Nearly all bytes of a request lie in nested values (the messages), and text full of escapes and short members makes a
// string-by-string scan stumble over mispredicted branches. So 64 bytes become bit masks, one bit a byte, and are
// judged at once.
#include "protocol/json_nested.hpp"

#include "protocol/byte_scan.hpp"
#include "protocol/json_text.hpp"

namespace tollgate::protocol::json {

Fault NestedWalk::pass_bracket(char bracket) {
  const std::uint64_t object = bracket == '{' || bracket == '}' ? 1 : 0;
  if (bracket == '{' || bracket == '[') {
    if (open == limit) return Fault::depth;
    kinds = kinds << 1 | object;
    ++open;
    begun = true;
    return Fault::none;
  }
  if ((kinds & 1) != object) return Fault::bracket;
  kinds >>= 1;
  --open;
  return Fault::none;
}

#if defined(__SSE2__)
namespace {

using detail::Block;
using detail::either;
using detail::equal;

constexpr std::ptrdiff_t block_size = 64;

/// 64 bytes, and the mask of those for which a test holds.
struct Blocks {
  Block a, b, c, d;

  explicit Blocks(const char* at) : a(load(at)), b(load(at + 16)), c(load(at + 32)), d(load(at + 48)) {}

  template <class Test>
  std::uint64_t mask(Test test) const {
    return bits(test(a)) | bits(test(b)) << 16 | bits(test(c)) << 32 | bits(test(d)) << 48;
  }
  template <class Test>
  bool any(Test test) const {
    return bits(either(either(test(a), test(b)), either(test(c), test(d)))) != 0;
  }

 private:
  static Block load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const Block*>(at)); }
  static std::uint64_t bits(Block block) { return static_cast<std::uint64_t>(_mm_movemask_epi8(block)); }
};

Block string_special(Block block) { return detail::StringSpecial::of(block); }
Block between_special(Block block) { return detail::BetweenSpecial::of(block); }
Block controls(Block block) { return detail::within(block, '\0', '\x1F'); }
Block quotes(Block block) { return equal(block, '"'); }
Block backslashes(Block block) { return equal(block, '\\'); }
Block bracket_bytes(Block block) {
  const Block folded = _mm_or_si128(block, detail::fill(0x20));
  return either(equal(folded, '{'), equal(folded, '}'));
}

/// Bit n is the parity of bits 0 to n: set from each opening quote up to before its closing one.
std::uint64_t running_parity(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

std::uint64_t bit(unsigned index) { return std::uint64_t{1} << index; }

class BlockWalk {
 public:
  BlockWalk(NestedWalk& walk, const char* end) : walk_(walk), end_(end) {}

  bool more() const { return end_ - walk_.at >= block_size && !walk_.ended(); }

  /// False: the block has a fault, and nothing has changed.
  bool pass() {
    const Blocks blocks(walk_.at);
    if (!walk_.in_string || blocks.any([](Block block) { return string_special(block); })) return judge(blocks);
    walk_.at += block_size;
    escape_hangs_over_ = false;
    return true;
  }

  /// Hands over to who reads byte by byte.
  void stop() {
    if (escape_hangs_over_) ++walk_.at;
  }

 private:
  bool judge(const Blocks& blocks);
  bool find_escaped(std::uint64_t backslashes);
  bool pass_between(const Blocks& blocks, std::uint64_t between);
  bool all_blank(std::uint64_t bytes) const;

  NestedWalk& walk_;
  const char* end_;
  std::uint64_t escaped_ = 0;       ///< bytes of the block at hand that a backslash takes with it
  bool escape_hangs_over_ = false;  ///< the first byte of the block at hand is one
  bool hangs_over_next_ = false;
};

bool BlockWalk::judge(const Blocks& blocks) {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  if (!find_escaped(blocks.mask([](Block block) { return backslashes(block); }))) return false;
  const std::uint64_t ends = blocks.mask([](Block block) { return quotes(block); }) & ~escaped_;
  const std::uint64_t within = (ends == 0 ? 0 : running_parity(ends)) ^ (walk_.in_string ? all : 0);
  const auto is_control = [](Block block) { return controls(block); };
  if (blocks.any(is_control) && (blocks.mask(is_control) & within) != 0) return false;

  const char* const start = walk_.at;
  std::uint64_t between = 0;
  if (within != all) between = blocks.mask([](Block block) { return between_special(block); }) & ~within & ~ends;
  if (between != 0 && !pass_between(blocks, between)) return false;
  if (walk_.at == start) walk_.at += block_size;
  escape_hangs_over_ = !walk_.ended() && hangs_over_next_;
  walk_.in_string = !walk_.ended() && within >> 63 != 0;
  return true;
}

/// Marks the bytes that follow a backslash which is not itself escaped. False where that makes no valid escape.
bool BlockWalk::find_escaped(std::uint64_t backslashes) {
  escaped_ = escape_hangs_over_ ? 1 : 0;
  hangs_over_next_ = false;
  backslashes &= ~escaped_;
  while (backslashes != 0) {
    const auto index = static_cast<unsigned>(__builtin_ctzll(backslashes));
    const char* const at = walk_.at + index;
    if (escape_length({at, static_cast<std::size_t>(end_ - at)}) == 0) return false;
    hangs_over_next_ = index == 63;
    const std::uint64_t taken = hangs_over_next_ ? 0 : bit(index + 1);
    escaped_ |= taken;
    backslashes &= ~(bit(index) | taken);
  }
  return true;
}

/// Passes the brackets among the bytes between strings that mean something; moves on only where the value ends.
bool BlockWalk::pass_between(const Blocks& blocks, std::uint64_t between) {
  std::uint64_t brackets = blocks.mask([](Block block) { return bracket_bytes(block); }) & between;
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
bool BlockWalk::all_blank(std::uint64_t bytes) const {
  for (; bytes != 0; bytes &= bytes - 1) {
    const char byte = walk_.at[__builtin_ctzll(bytes)];
    if (byte != '\n' && byte != '\r' && byte != '\t' && byte != 'E') return false;
  }
  return true;
}

}  // namespace

void walk_blocks(NestedWalk& walk, const char* end) {
  BlockWalk blocks(walk, end);
  while (blocks.more() && blocks.pass()) {
  }
  blocks.stop();
}
#else
void walk_blocks(NestedWalk&, const char*) {}
#endif

}  // namespace tollgate::protocol::json
