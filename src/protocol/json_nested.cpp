#include "protocol/json_nested.hpp"

#include "protocol/byte_scan.hpp"
#include "protocol/json_block_walk.hpp"
#include "protocol/json_text.hpp"

namespace tollgate::protocol::json {

Fault NestedWalk::pass_bracket(char bracket) {
  const std::uint64_t object = bracket == '{' || bracket == '}' ? 1 : 0;
  if (bracket == '{' || bracket == '[') {
    if (open == limit) return Fault::depth;
    kinds = kinds << 1 | object;
    ++open;
    deepest = open > deepest ? open : deepest;
    begun = true;
    return Fault::none;
  }
  if ((kinds & 1) != object) return Fault::bracket;
  kinds >>= 1;
  --open;
  return Fault::none;
}

std::size_t escape_length_at(const char* at, const char* end) {
  return escape_length({at, static_cast<std::size_t>(end - at)});
}

#if defined(__SSE2__)
namespace {

using detail::Block;
using detail::either;
using detail::equal;

/// 64 bytes in four registers: what every x86-64 has.
class Sse2Blocks {
 public:
  explicit Sse2Blocks(const char* at) : a_(load(at)), b_(load(at + 16)), c_(load(at + 32)), d_(load(at + 48)) {}

  static std::uint64_t running_parity(std::uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }
  bool any_control() const { return any(control); }
  std::uint64_t controls() const { return mask(control); }
  std::uint64_t quotes() const {
    return mask([](Block block) { return equal(block, '"'); });
  }
  std::uint64_t backslashes() const {
    return mask([](Block block) { return equal(block, '\\'); });
  }
  std::uint64_t between_special() const {
    return mask([](Block block) { return detail::BetweenSpecial::of(block); });
  }
  std::uint64_t brackets() const {
    return mask([](Block block) {
      const Block folded = _mm_or_si128(block, detail::fill(0x20));
      return either(equal(folded, '{'), equal(folded, '}'));
    });
  }

 private:
  static Block load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const Block*>(at)); }
  static std::uint64_t bits(Block block) { return static_cast<std::uint64_t>(_mm_movemask_epi8(block)); }
  static Block control(Block block) { return detail::within(block, '\0', '\x1F'); }

  template <class Test>
  std::uint64_t mask(Test test) const {
    return bits(test(a_)) | bits(test(b_)) << 16 | bits(test(c_)) << 32 | bits(test(d_)) << 48;
  }
  template <class Test>
  bool any(Test test) const {
    return bits(either(either(test(a_), test(b_)), either(test(c_), test(d_)))) != 0;
  }

  Block a_, b_, c_, d_;
};

}  // namespace

void walk_narrow_blocks(NestedWalk& walk, const char* end) { BlockWalk<Sse2Blocks>(walk, end).run(); }

void walk_blocks(NestedWalk& walk, const char* end) {
  static const bool wide = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  wide ? walk_wide_blocks(walk, end) : walk_narrow_blocks(walk, end);
}
#else
void walk_blocks(NestedWalk&, const char*) {}
#endif

}  // namespace tollgate::protocol::json
