#pragma once
// How many tokens a text is for a model, counted as the model's provider counts it. The tables are part of the program
// (docs/tokens.md), so a count reads no file and waits for nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::policy {

/// The byte-pair encodings whose ranks are published (tiktoken's names).
enum class TokenEncoding : std::uint8_t { o200k_base, cl100k_base };

/// No piece is merged over more than so many bytes: a longer one (a word, a run of blanks, a line of dashes) is cut
/// there, at the beginning of a character, and each cut may cost a token or two. Text of languages without blanks is
/// where this can be seen at all.
inline constexpr std::size_t longest_token_piece = 2048;

/// Equal to the length of tiktoken's encode_ordinary(), but for the cuts above. Marks such as `<|endoftext|>` count as
/// the text that they are. A byte that is no UTF-8 counts as a symbol of its own. Never more than the text has bytes.
/// Any thread; no allocation; time linear in the text, whatever it is.
std::size_t count_tokens(std::string_view text, TokenEncoding encoding);

}  // namespace tollgate::policy
