// Whatever the bytes: the pieces are the text and nothing else, their merges are what the definition of byte-pair
// encoding gives, no more steps are taken than the text's length allows, and as a body the bytes can be estimated.
#include "tollgate/policy/token_counter.hpp"

#include "tollgate/policy/token_estimate.hpp"

#include "policy/token_count.hpp"
#include "policy/token_merger.hpp"
#include "policy/token_splitter.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using namespace tollgate::policy;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

/// Looks at all pairs each time.
std::size_t merged_simply(std::string_view piece, const tokens::Tables& tables) {
  struct Part {
    std::uint32_t rank;
    int byte;
  };
  std::vector<Part> parts;
  for (const char character : piece) {
    const auto byte = static_cast<unsigned char>(character);
    parts.push_back({tables.byte_rank(byte), byte});
  }
  for (;;) {
    std::uint32_t best_rank = tokens::no_rank;
    std::size_t best = 0;
    for (std::size_t at = 0; at + 1 < parts.size(); ++at) {
      const Part &left = parts[at], &right = parts[at + 1];
      const std::uint32_t rank =
          left.byte >= 0 && right.byte >= 0
              ? tables.byte_pair(static_cast<unsigned char>(left.byte), static_cast<unsigned char>(right.byte))
              : tables.merged(left.rank, right.rank);
      if (rank < best_rank) best_rank = rank, best = at;
    }
    if (best_rank == tokens::no_rank) return parts.size();
    parts[best] = {best_rank, -1};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

void check(std::string_view text, TokenEncoding encoding) {
  const tokens::Tables& tables = tokens::Tables::of(encoding);
  const tokens::Count counted = tokens::count(text, encoding);
  require(counted.tokens <= text.size() && (counted.tokens == 0) == text.empty());
  require(counted.steps <= 50 * text.size());
  std::size_t expected = 0;
  bool cut = false;
  const char* at = text.data();
  tokens::Splitter splitter(text, encoding);
  for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
    require(piece.data() == at);
    at += piece.size();
    cut = cut || piece.size() > longest_token_piece;
    if (!cut) expected += merged_simply(piece, tables);
  }
  require(at == text.data() + text.size());
  require(cut || counted.tokens == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check(text, TokenEncoding::o200k_base);
  check(text, TokenEncoding::cl100k_base);
  const std::uint64_t prompt = estimate_prompt_tokens(text, token_rules("gpt-4o"));
  // Nothing costs more for its bytes than a file: 3,000 for a part of 15 bytes and a comma.
  require(prompt <= (size + 64) * 200);
  return 0;
}
