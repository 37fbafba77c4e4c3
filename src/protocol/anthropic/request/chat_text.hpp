#pragma once
// Texts of a request as they are handed on.
#include "protocol/json_write.hpp"

#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

/// The inside of a JSON string holds nothing but white space, as Unicode has it: the API takes no such text. Mostly
/// one look at its first byte.
bool is_blank(std::string_view inside);

/// Writes the inside of a JSON string that is UTF-8: as written, but for half surrogates, which become U+FFFD.
void write_text(json::Writer& writer, std::string_view inside);

/// The text without the white space at its end.
std::string_view without_end_blanks(std::string_view text);

/// Offset of the first byte that is no UTF-8, or npos.
std::size_t find_broken_utf8(std::string_view text);

/// The inside of a JSON string, decoded where there is something to decode: a view of it or of `kept`.
std::string_view plain_or_decoded(std::string_view inside, std::string& kept);

}  // namespace tollgate::protocol::anthropic::request
