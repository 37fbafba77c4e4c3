// Whatever text a secret stands in, and however it is spelled there: it is gone afterwards, JSON is still JSON, and no
// other byte has changed. The input's first line is the secret, where it can be one; in the rest the bytes F5 to F9
// stand for it in different spellings.
#include "tollgate/protocol/redactor.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using tollgate::protocol::Redactor;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool can_be_secret(std::string_view line) {
  const std::string others = "0123456789+/=_.:-";
  return line.size() >= Redactor::shortest_secret && line.size() <= 80 &&
         line.find_first_not_of(std::string(letters) + others) == std::string_view::npos &&
         line.find_first_not_of(others + "eE") != std::string_view::npos &&
         Redactor::mark.find(line) == std::string_view::npos;
}

std::string each(std::string_view text, const char* format, bool signs_only) {
  std::string out;
  for (const char byte : text) {
    std::array<char, 16> buffer{};
    const bool sign = byte == '/' || byte == '+' || byte == '=';
    const char* const with = sign || !signs_only ? format : "%c";
    out.append(buffer.data(), static_cast<std::size_t>(std::snprintf(buffer.data(), buffer.size(), with, byte)));
  }
  return out;
}

/// A second secret begins with the end of the first, so that they can overlap; the byte F4 stands for the rest of it.
constexpr std::string_view rest_of_second = "-other-part";

struct Spelling {
  const char* format;
  bool signs_only;
};
/// For F6 to F9, in order.
constexpr std::array<Spelling, 4> spellings{
    Spelling{"\\%c", true}, {"\\u%04x", false}, {"%%%02X", false}, {"\\\\u%04x", true}};

/// A text in which the secret stands where the input says. A spelled one is told apart from what stands before it.
std::string text_of(std::string_view input, std::string_view secret) {
  std::string text;
  for (const char byte : input) {
    const auto which = static_cast<unsigned char>(byte);
    if (which == 0xF4) {
      text += rest_of_second;
    } else if (which < 0xF5 || which > 0xF9) {
      text.push_back(byte);
    } else if (which == 0xF5) {
      text += secret;
    } else {
      text += ' ' + each(secret, spellings[which - 0xF6].format, spellings[which - 0xF6].signs_only);
    }
  }
  return text;
}

/// Digits of what might be a number are overwritten by others.
std::string without_digits(std::string text) {
  for (char& byte : text)
    if (byte >= '0' && byte <= '9') byte = '0';
  return text;
}

/// What stands between the marks is the text's own, in its order.
void check_kept(const std::string& text, const std::string& after) {
  std::size_t from = 0, begin = 0;
  const std::string before = without_digits(text), rest = without_digits(after);
  while (begin <= rest.size()) {
    const std::size_t mark = rest.find(Redactor::mark, begin);
    const std::string piece = rest.substr(begin, mark - begin);
    const std::size_t found = before.find(piece, from);
    require(found != std::string::npos && (begin != 0 || found == 0));
    from = found + piece.size();
    if (mark == std::string::npos) return require(before.ends_with(piece));
    begin = mark + Redactor::mark.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view line = input.substr(0, input.find('\n'));
  const std::string fallback = std::string("fuzzed/") + "secret+of=none";
  const bool given = can_be_secret(line) && line.size() < input.size();
  const std::string secret(given ? line : std::string_view(fallback));
  const std::string text = text_of(given ? input.substr(line.size() + 1) : input, secret);

  const std::string second = secret.substr(secret.size() - 4).append(rest_of_second);
  const auto result = Redactor({secret, second}).redact(text);
  const std::string after = result.value_or(text);
  require(after.find(secret) == std::string::npos && after.find(second) == std::string::npos);
  for (const Spelling& spelling : spellings)
    require(after.find(' ' + each(secret, spelling.format, spelling.signs_only)) == std::string::npos);
  require(!result || after != text);
  if (text.find(Redactor::mark) == std::string::npos) {
    check_kept(text, after);
    // Of secrets that overlap nothing is left.
    const std::string rest(rest_of_second);
    if (text.find(rest + rest) == std::string::npos)
      require(after.find(std::string(Redactor::mark) + rest) == std::string::npos);
  }
  if (nlohmann::json::accept(text)) require(nlohmann::json::accept(after));
  require(after.size() <= text.size() + text.size() / 4);
  return 0;
}
