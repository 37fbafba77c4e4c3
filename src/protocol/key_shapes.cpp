// What gives a key away when its value is not known: how it begins, or the word that stands before it. Loose enough for
// the keys of today's providers, tight enough to leave "Bearer authentication" and model names alone.
#include "protocol/key_shapes.hpp"

#include "tollgate/base/ascii.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace tollgate::protocol {
namespace {

/// What keys begin with, and how much must follow.
struct Shape {
  std::string_view begin;
  std::size_t least;
};
constexpr std::array<Shape, 8> shapes{Shape{"sk-", 16}, {"AIza", 30},   {"gsk_", 20},  {"xai-", 20},
                                      {"hf_", 20},      {"nvapi-", 20}, {"pplx-", 20}, {"csk-", 20}};

// A token that is announced is one from this length on, and already from the shorter if it has a digit.
constexpr std::size_t least_token = 24;
constexpr std::size_t least_token_with_digit = 8;
// Blanks, quotes and colons between the announcement and the token.
constexpr std::size_t most_separators = 16;

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
/// Providers mask keys by asterisks and leave their ends readable.
bool is_key_byte(char byte) { return is_digit(byte) || is_letter(byte) || byte == '-' || byte == '_' || byte == '*'; }
bool is_token_byte(char byte) {
  return is_key_byte(byte) || byte == '.' || byte == '~' || byte == '+' || byte == '/' || byte == '=';
}

class Search {
 public:
  explicit Search(const PlainText& text) : text_(text), bytes_(text.bytes) {}

  std::vector<Run> run() {
    std::vector<Run> found;
    for (std::size_t at = 0; at < bytes_.size();) {
      const auto key = begins_word(at) ? key_at(at) : std::nullopt;
      if (key) found.push_back(*key);
      at = key ? key->end : at + 1;
    }
    return found;
  }

 private:
  /// Not within a word. The n of an escaped line end is none.
  bool begins_word(std::size_t at) const {
    if (!is_letter(bytes_[at])) return false;
    const char before = at == 0 ? ' ' : bytes_[at - 1];
    return (!is_letter(before) && !is_digit(before)) || text_.was_escaped(at - 1);
  }

  std::optional<Run> key_at(std::size_t at) const {
    for (const Shape& shape : shapes) {
      if (!std::string_view(bytes_).substr(at).starts_with(shape.begin)) continue;
      const std::size_t tail = at + shape.begin.size();
      const std::size_t end = skip(tail, is_key_byte);
      if (end - tail >= shape.least) return Run{at, end};
    }
    if (const auto after = skip_word(at, "bearer")) return token_behind(*after, " \t=:+", {});
    return api_key_at(at);
  }

  /// `api_key=...`, `"apiKey": "..."`, `API key provided: ...`
  std::optional<Run> api_key_at(std::size_t at) const {
    auto after = skip_word(at, "api");
    if (!after) return std::nullopt;
    if (*after < bytes_.size() && std::string_view("-_ ").find(bytes_[*after]) != std::string_view::npos) ++*after;
    after = skip_word(*after, "key");
    if (!after) return std::nullopt;
    std::size_t begin = *after;
    if (begin < bytes_.size() && is_blank(bytes_[begin])) begin = skip(begin + 1, is_letter);
    return token_behind(begin, " \t\r\n\"'\x01=:", "=:");
  }

  /// The token behind some separators, of which one at least is in `needed`, if that is not empty.
  std::optional<Run> token_behind(std::size_t at, std::string_view separators, std::string_view needed) const {
    const std::size_t most = std::min(at + most_separators, bytes_.size());
    std::size_t begin = at;
    bool announced = needed.empty();
    for (; begin < most && separators.find(bytes_[begin]) != std::string_view::npos; ++begin)
      announced = announced || needed.find(bytes_[begin]) != std::string_view::npos;
    if (begin == at || !announced) return std::nullopt;
    std::size_t end = skip(begin, is_token_byte);
    while (end > begin && bytes_[end - 1] == '.') --end;
    const std::size_t length = end - begin;
    const std::string_view token(bytes_.data() + begin, length);
    const bool has_digit = length < least_token && std::ranges::any_of(token, is_digit);
    if (length < (has_digit ? least_token_with_digit : least_token)) return std::nullopt;
    return Run{begin, end};
  }

  template <class Is>
  std::size_t skip(std::size_t at, Is is) const {
    while (at < bytes_.size() && is(bytes_[at])) ++at;
    return at;
  }

  /// Past a word in any case, given in lower case.
  std::optional<std::size_t> skip_word(std::size_t at, std::string_view word) const {
    if (bytes_.size() - at < word.size()) return std::nullopt;
    for (const char letter : word)
      if ((bytes_[at++] | 0x20) != letter) return std::nullopt;
    return at;
  }

  const PlainText& text_;
  const std::string& bytes_;
};

}  // namespace

std::vector<Run> find_key_shapes(const PlainText& text) { return Search(text).run(); }

}  // namespace tollgate::protocol
