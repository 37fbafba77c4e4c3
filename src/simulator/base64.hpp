#pragma once
#include <string>
#include <string_view>

namespace tollgate::simulator {

/// RFC 4648, 4, padded.
std::string base64_of(std::string_view bytes);
/// Whether the text is such an encoding of at least one byte, without line breaks.
bool is_base64(std::string_view text);

}  // namespace tollgate::simulator
