// The same walk with registers twice as wide. The one file that is compiled for AVX2 and PCLMUL: nothing in it may be
// called before walk_blocks() has asked the processor, and it shares no inline function with another file.
#include "protocol/json_block_walk.hpp"

#if defined(__AVX2__)
#include <immintrin.h>

#include <bit>

namespace tollgate::protocol::json {
namespace {

using Block = __m256i;

/// What a byte is, one bit a class. The lowest three are of bytes that may stand between strings and brackets and mean
/// nothing to their nesting (byte_scan.hpp).
enum Class : unsigned char {
  digit_or_late_letter = 1,
  blank_or_sign = 2,
  early_letter = 4,
  bracket = 8,
  control = 16,
  backslash = 64,
  quote = 128,
};
constexpr unsigned char between_plain = digit_or_late_letter | blank_or_sign | early_letter;

/// A byte is in a class if both of its halves say so: two looks at a table of sixteen judge 32 bytes at once (Langdale
/// and Lemire, "Parsing gigabytes of JSON per second", 2019). Bytes from 0x80 are in none.
struct Halves {
  unsigned char low[16] = {}, high[16] = {};
};
constexpr Halves halves = [] {
  Halves made;
  const auto add = [&made](Class one, unsigned high, unsigned first_low, unsigned last_low) {
    made.high[high] = static_cast<unsigned char>(made.high[high] | one);
    for (unsigned low = first_low; low <= last_low; ++low)
      made.low[low] = static_cast<unsigned char>(made.low[low] | one);
  };
  add(digit_or_late_letter, 0x3, 0x0, 0xA);  // 0 to 9, colon
  add(digit_or_late_letter, 0x7, 0x0, 0xA);  // p to z
  add(blank_or_sign, 0x2, 0x0, 0x0);
  add(blank_or_sign, 0x2, 0xB, 0xE);  // + , - .
  add(early_letter, 0x6, 0x1, 0xF);   // a to o
  for (const unsigned high : {0x5u, 0x7u}) {
    add(bracket, high, 0xB, 0xB);
    add(bracket, high, 0xD, 0xD);
  }
  add(control, 0x0, 0x0, 0xF);
  add(control, 0x1, 0x0, 0xF);
  add(backslash, 0x5, 0xC, 0xC);
  add(quote, 0x2, 0x2, 0x2);
  return made;
}();

class Avx2Blocks {
 public:
  explicit Avx2Blocks(const char* at) : a_(classes(at)), b_(classes(at + 32)) {}

  /// Multiplied without carries by all ones, each bit is added to itself and all above it.
  static std::uint64_t running_parity(std::uint64_t bits) {
    const __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8('\xFF'), 0);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
  }
  bool any_control() const { return _mm256_testz_si256(_mm256_or_si256(a_, b_), fill(control)) == 0; }
  std::uint64_t controls() const { return in<control>(); }
  std::uint64_t quotes() const { return in<quote>(); }
  std::uint64_t backslashes() const { return in<backslash>(); }
  std::uint64_t brackets() const { return in<bracket>(); }
  std::uint64_t between_special() const { return bits(in_none(a_)) | bits(in_none(b_)) << 32; }

 private:
  static Block fill(unsigned char byte) { return _mm256_set1_epi8(static_cast<char>(byte)); }
  static Block table(const unsigned char (&half)[16]) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(half)));
  }
  static Block classes(const char* at) {
    const Block bytes = _mm256_loadu_si256(reinterpret_cast<const Block*>(at));
    const Block high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), fill(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(table(halves.low), bytes),
                            _mm256_shuffle_epi8(table(halves.high), high));
  }
  static std::uint64_t bits(Block block) { return static_cast<std::uint32_t>(_mm256_movemask_epi8(block)); }
  /// Bytes that are plain in none of the three ways.
  static Block in_none(Block block) {
    return _mm256_cmpeq_epi8(_mm256_and_si256(block, fill(between_plain)), _mm256_setzero_si256());
  }
  /// A mask is made of the bytes' highest bits, so the class's is moved up there.
  template <Class one>
  std::uint64_t in() const {
    constexpr int places = std::countl_zero(static_cast<unsigned char>(one));
    return bits(_mm256_slli_epi16(a_, places)) | bits(_mm256_slli_epi16(b_, places)) << 32;
  }

  Block a_, b_;
};

}  // namespace

void walk_wide_blocks(NestedWalk& walk, const char* end) { BlockWalk<Avx2Blocks>(walk, end).run(); }

}  // namespace tollgate::protocol::json
#endif
