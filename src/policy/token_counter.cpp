#include "tollgate/policy/token_counter.hpp"

#include "policy/token_count.hpp"
#include "policy/token_merger.hpp"
#include "policy/token_splitter.hpp"
#include "policy/token_tables.hpp"

#include <bit>
#include <cstring>

namespace tollgate::policy {
namespace tokens {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes of short words are loaded as a number");

/// The bytes of a short word as one number. `readable`: how many may be read there.
std::uint64_t load(const char* at, std::size_t size, std::size_t readable) {
  std::uint64_t bytes = 0;
  if (readable < sizeof bytes) {
    std::memcpy(&bytes, at, size);
    return bytes;
  }
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes & ((std::uint64_t{1} << (8 * size)) - 1);
}

/// Where a piece that is too long is cut.
std::size_t cut(std::string_view piece) {
  std::size_t at = longest_token_piece;
  for (unsigned back = 0; back < 3 && (static_cast<unsigned char>(piece[at]) & 0xC0) == 0x80; ++back) --at;
  return at;
}

}  // namespace

Count count(std::string_view text, TokenEncoding encoding) {
  const Tables& tables = Tables::of(encoding);
  Splitter splitter(text, encoding);
  Merger merger(tables);
  const char* const end = text.data() + text.size();
  Count counted;
  for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
    const std::size_t size = piece.size();
    if (size <= longest_short_word) {
      const auto readable = static_cast<std::size_t>(end - piece.data());
      if (size == 1 || tables.is_short_word(word_key(load(piece.data(), size, readable), size))) {
        ++counted.tokens;
        continue;
      }
    }
    for (; piece.size() > longest_token_piece; piece.remove_prefix(cut(piece)))
      counted.tokens += merger.count(piece.substr(0, cut(piece)));
    counted.tokens += merger.count(piece);
  }
  counted.steps = splitter.steps() + merger.steps();
  return counted;
}

}  // namespace tokens

std::size_t count_tokens(std::string_view text, TokenEncoding encoding) { return tokens::count(text, encoding).tokens; }

}  // namespace tollgate::policy
