// The same walk with registers twice as wide. The one file that is compiled for AVX2 and PCLMUL: nothing in it may be
// called before walk_blocks() has asked the processor, and it shares no inline function with another file.
#include "protocol/json_block_walk.hpp"

#if defined(__AVX2__)
#include <immintrin.h>

namespace tollgate::protocol::json {
namespace {

using Block = __m256i;

class Avx2Blocks {
 public:
  explicit Avx2Blocks(const char* at) : a_(load(at)), b_(load(at + 32)) {}

  /// Multiplied without carries by all ones, each bit is added to itself and all above it.
  static std::uint64_t running_parity(std::uint64_t bits) {
    const __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8('\xFF'), 0);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
  }
  bool any_control() const { return any(control); }
  std::uint64_t controls() const { return mask(control); }
  std::uint64_t quotes() const {
    return mask([](Block block) { return equal(block, '"'); });
  }
  std::uint64_t backslashes() const {
    return mask([](Block block) { return equal(block, '\\'); });
  }
  /// All but the bytes that may stand between strings and brackets and mean nothing to their nesting (byte_scan.hpp).
  std::uint64_t between_special() const {
    return ~mask([](Block block) {
      const Block number_like = _mm256_andnot_si256(equal(block, '/'), within(block, '+', ':'));
      return either(either(number_like, within(block, 'a', 'z')), equal(block, ' '));
    });
  }
  std::uint64_t brackets() const {
    return mask([](Block block) {
      const Block folded = either(block, fill(0x20));
      return either(equal(folded, '{'), equal(folded, '}'));
    });
  }

 private:
  static Block load(const char* at) { return _mm256_loadu_si256(reinterpret_cast<const Block*>(at)); }
  static Block fill(char byte) { return _mm256_set1_epi8(byte); }
  static Block equal(Block block, char byte) { return _mm256_cmpeq_epi8(block, fill(byte)); }
  static Block either(Block left, Block right) { return _mm256_or_si256(left, right); }
  /// Bytes in [first, last], as unsigned.
  static Block within(Block block, char first, char last) {
    const Block shifted = _mm256_sub_epi8(block, fill(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(shifted, fill(static_cast<char>(last - first))), shifted);
  }
  static Block control(Block block) { return _mm256_cmpeq_epi8(_mm256_min_epu8(block, fill(0x1F)), block); }
  static std::uint64_t bits(Block block) { return static_cast<std::uint32_t>(_mm256_movemask_epi8(block)); }

  template <class Test>
  std::uint64_t mask(Test test) const {
    return bits(test(a_)) | bits(test(b_)) << 32;
  }
  template <class Test>
  bool any(Test test) const {
    return bits(either(test(a_), test(b_))) != 0;
  }

  Block a_, b_;
};

}  // namespace

void walk_wide_blocks(NestedWalk& walk, const char* end) { BlockWalk<Avx2Blocks>(walk, end).run(); }

}  // namespace tollgate::protocol::json
#endif
