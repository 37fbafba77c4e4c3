#pragma once
#include <functional>
#include <span>
#include <string_view>

namespace tollgate::policy {

/// Bytes of a text that its language is told by.
inline constexpr std::size_t language_sample = 2048;

/// The languages that language_of() can tell, by their ISO 639-1 codes.
std::span<const std::string_view> languages();

/// The language a text is written in, or empty where it is too short or of several kinds. By its script where that
/// tells, else by the commonest small words: at least two, and more than of any other language. Looks at the first
/// language_sample bytes, which may be any.
std::string_view language_of(std::string_view text);

/// Calls `found` for every line that begins (after blanks) with ``` and opens a block, with the word behind it in small
/// letters, which is often empty: "python". What closes a block is not told.
void for_each_fence(std::string_view text, const std::function<void(std::string_view language)>& found);

}  // namespace tollgate::policy
