#include "simulator/words.hpp"

#include <algorithm>
#include <array>

namespace tollgate::simulator {

namespace {

constexpr std::array<std::string_view, 48> plain_words = {
    "the",   "river",  "carries", "small", "boats", "past",  "every", "quiet", "garden", "and",   "nobody",  "counts",
    "them",  "while",  "morning", "light", "moves", "over",  "stone", "walls", "where",  "old",   "clocks",  "still",
    "agree", "with",   "distant", "bells", "about", "noon,", "which", "makes", "bakers", "smile", "because", "bread",
    "needs", "honest", "hours",   "more",  "than",  "salt.", "Later", "rain",  "writes", "long",  "letters", "home"};

// Two to four bytes per character, joined emoji, both directions: what a gateway tears if it cuts text by bytes.
constexpr std::array<std::string_view, 24> world_words = {
    "größer",     "déjà",   "naïve", "żółć", "Ελλάδα",      "мост", "тихо",           "שלום",
    "مرحبا",      "नमस्ते",   "สวัสดี",  "你好", "网关",        "東京", "ありがとう",     "カタカナ",
    "안녕하세요", "𠮷野家", "🙂",    "🚀",   "👩‍💻", "🇪🇺",   "e\u0301t\u0301", "½≈0.5"};

constexpr std::size_t longest_piece = 12;

/// Before the next space, or after a few bytes, but never within a character.
std::size_t end_of_piece(const std::string& text, std::size_t at) {
  if (at >= text.size()) return text.size();
  std::size_t end = std::min(text.find(' ', at + 1), text.size());
  if (end - at > longest_piece) {
    end = at + longest_piece;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  }
  return end;
}

}  // namespace

std::string_view Words::next() {
  const std::uint64_t draw = random_();
  // The high bits choose the table, the low ones the word: about one word in eight is not English.
  if (draw >> 61 == 0) return world_words[draw % world_words.size()];
  return plain_words[draw % plain_words.size()];
}

void TokenText::next(std::string& out) {
  if (!fixed_) {
    if (begun_) out += ' ';
    begun_ = true;
    out += words_.next();
    return;
  }
  const std::size_t end = end_of_piece(*fixed_, at_);
  out.append(*fixed_, at_, end - at_);
  at_ = end;
}

std::size_t count_pieces(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at = end_of_piece(text, at)) ++count;
  return count;
}

std::string text_of(std::uint64_t seed, std::size_t count) {
  Words words(seed);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    text += words.next();
  }
  return text;
}

std::size_t count_words(std::string_view text) {
  std::size_t count = 0;
  bool inside = false;
  for (const char byte : text) {
    const bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    count += !space && !inside;
    inside = !space;
  }
  return count;
}

std::uint64_t mix(std::uint64_t state, std::string_view text) {
  for (const char byte : text) state = (state ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  return state;
}

}  // namespace tollgate::simulator
