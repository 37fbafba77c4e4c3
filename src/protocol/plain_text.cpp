#include "protocol/plain_text.hpp"

#include <algorithm>
#include <optional>

namespace tollgate::protocol {
namespace {

std::optional<unsigned> hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return static_cast<unsigned>(byte - '0');
  const char lower = static_cast<char>(byte | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
  return std::nullopt;
}

/// One byte as it reads, and where its spelling ends.
struct Byte {
  char value;
  std::size_t end;
};

class Speller {
 public:
  Speller(std::string_view written, PlainText::Of kind) : written_(written), json_(kind == PlainText::Of::json) {}

  /// Percent encoding, over JSON's escapes. "%25" is a percent sign, which may begin the next encoding.
  Byte byte_at(std::size_t at) const {
    Byte byte = unescaped_at(at);
    while (byte.value == '%' && byte.end < written_.size()) {
      const Byte high = unescaped_at(byte.end);
      if (high.end == written_.size()) break;
      const Byte low = unescaped_at(high.end);
      const auto upper = hex_digit(high.value);
      const auto lower = hex_digit(low.value);
      if (!upper || !lower) break;
      byte = {static_cast<char>(*upper << 4 | *lower), low.end};
    }
    return byte;
  }

 private:
  /// A run of backslashes is one escape of JSON in JSON in JSON.
  Byte unescaped_at(std::size_t at) const {
    if (written_[at] == '"' && json_) return {PlainText::string_end, at + 1};
    if (written_[at] != '\\') return {written_[at], at + 1};
    const std::size_t next = std::min(written_.find_first_not_of('\\', at), written_.size());
    const bool escapes_next = (next - at) % 2 == 1;
    if (next == written_.size() || (json_ && written_[next] == '"' && !escapes_next)) return {'\\', next};
    const auto unit = code_unit(next);
    if (!unit) return {written_[next], next + 1};
    const std::size_t end = next + 5;
    if (*unit < 0x80) return {static_cast<char>(*unit), end};
    // Two halves of one character stay together.
    const std::string_view slashes = written_.substr(at, next - at);
    const bool pair = (*unit & 0xFC00u) == 0xD800u && written_.substr(end).starts_with(slashes) &&
                      (code_unit(end + slashes.size()).value_or(0) & 0xFC00u) == 0xDC00u;
    return {PlainText::unknown, pair ? end + slashes.size() + 5 : end};
  }

  /// The number of `uXXXX` at that place.
  std::optional<unsigned> code_unit(std::size_t at) const {
    if (at >= written_.size() || written_.size() - at < 5 || written_[at] != 'u') return std::nullopt;
    unsigned unit = 0;
    for (const char digit : written_.substr(at + 1, 4)) {
      const auto value = hex_digit(digit);
      if (!value) return std::nullopt;
      unit = unit << 4 | *value;
    }
    return unit;
  }

  std::string_view written_;
  bool json_;
};

}  // namespace

PlainText::Of PlainText::kind_of(std::string_view written) {
  const std::size_t first = written.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (written[first] == '{' || written[first] == '[');
  return json ? Of::json : Of::text;
}

PlainText::PlainText(std::string_view written, Of kind) {
  const Speller speller(written, kind);
  bytes.reserve(written.size());
  offsets.reserve(written.size() + 1);
  std::size_t at = 0;
  while (at < written.size()) {
    const Byte byte = speller.byte_at(at);
    bytes.push_back(byte.value);
    offsets.push_back(static_cast<std::uint32_t>(at));
    at = byte.end;
  }
  offsets.push_back(static_cast<std::uint32_t>(at));
}

}  // namespace tollgate::protocol
