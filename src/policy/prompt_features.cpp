// What is told of a prompt besides its words: the language it is written in, and the code blocks in it. Both are
// guesses good enough to weigh; neither may cost more than a look over the text.
#include "policy/prompt_features.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

namespace tollgate::policy {
namespace {

constexpr std::string_view codes[] = {"en", "de", "fr", "es", "it", "pt", "nl", "zh",
                                      "ja", "ko", "ru", "ar", "he", "el", "hi", "th"};
constexpr std::size_t latin_languages = 7;  // the first of `codes`

/// Small words that are common in one of the languages and rare in the others.
constexpr std::string_view small_words[latin_languages] = {
    " the and of is are was what how my this that with for you your please should does from have ",
    " der das und ist nicht ein eine mit wie ich auf für bitte mir wir sie dem den zu im von kann was ",
    " le les des une est dans pour que vous je qui sur avec ce cette quelle et du au comment ne pas ",
    " el los las una por que con para del es qué cómo en se lo más mi al y esta puedo son ",
    " il gli che di una per con non del della sono come mi è cosa nel alla ho questo ",
    " o os as um uma que não com para do da em por como é você mais meu isso na ",
    " het een van en is dat niet op voor met ik je hoe wat zijn te aan mijn naar ",
};

enum class Script : std::uint8_t { none, latin, han, kana, hangul, cyrillic, arabic, hebrew, greek, devanagari, thai };
constexpr std::size_t scripts = 11;

struct Range {
  char32_t first, last;
  Script script;
};
// Unicode 15, Blocks.txt; the blocks that running text uses.
constexpr Range ranges[] = {
    {0x41, 0x5A, Script::latin},      {0x61, 0x7A, Script::latin},        {0xC0, 0x24F, Script::latin},
    {0x370, 0x3FF, Script::greek},    {0x400, 0x52F, Script::cyrillic},   {0x590, 0x5FF, Script::hebrew},
    {0x600, 0x6FF, Script::arabic},   {0x900, 0x97F, Script::devanagari}, {0xE00, 0xE7F, Script::thai},
    {0x3040, 0x30FF, Script::kana},   {0x3400, 0x4DBF, Script::han},      {0x4E00, 0x9FFF, Script::han},
    {0xAC00, 0xD7AF, Script::hangul},
};

Script script_of(char32_t point) {
  for (const Range& range : ranges)
    if (point >= range.first && point <= range.last) return range.script;
  return Script::none;
}

/// The next character, at most three bytes long; 0 for anything else. Nothing is checked that only a decoder must.
char32_t next_point(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const unsigned lead = byte(0);
  char32_t point = lead < 0x80 ? lead : 0;
  std::size_t length = 1;
  if (lead >= 0xC2 && lead < 0xE0) {
    point = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    length = 2;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    point = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    length = 3;
  }
  if (length > text.size()) point = 0, length = text.size();
  text.remove_prefix(length);
  return point;
}

std::string_view by_small_words(std::string_view text) {
  std::array<unsigned, latin_languages> counts{};
  std::string word = " ";
  const auto end_word = [&] {
    word += ' ';
    for (std::size_t which = 0; word.size() > 2 && which < latin_languages; ++which)
      counts[which] += small_words[which].find(word) != std::string_view::npos;
    word = " ";
  };
  constexpr std::size_t longest = 12;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
    if (!letter) end_word();
    if (letter && word.size() < longest) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  end_word();
  const auto most = std::ranges::max_element(counts);
  if (*most < 2 || std::ranges::count(counts, *most) > 1) return {};
  return codes[most - counts.begin()];
}

}  // namespace

std::span<const std::string_view> languages() { return codes; }

std::string_view language_of(std::string_view text) {
  text = text.substr(0, language_sample);
  std::array<unsigned, scripts> counts{};
  for (std::string_view rest = text; !rest.empty();) ++counts[static_cast<std::size_t>(script_of(next_point(rest)))];
  counts[0] = 0;
  // Japanese is written in both, Chinese in one of them; and a sign of theirs stands for more than a letter.
  unsigned& kana = counts[static_cast<std::size_t>(Script::kana)];
  unsigned& han = counts[static_cast<std::size_t>(Script::han)];
  const bool japanese = kana > 0 && kana * 4 >= han;
  if (japanese) kana += std::exchange(han, 0);
  kana *= 3, han *= 3;
  const auto most = std::ranges::max_element(counts);
  if (*most == 0) return {};
  switch (static_cast<Script>(most - counts.begin())) {
    case Script::none: return {};
    case Script::latin: return by_small_words(text);
    case Script::han: return "zh";
    case Script::kana: return "ja";
    case Script::hangul: return "ko";
    case Script::cyrillic: return "ru";
    case Script::arabic: return "ar";
    case Script::hebrew: return "he";
    case Script::greek: return "el";
    case Script::devanagari: return "hi";
    case Script::thai: return "th";
  }
  return {};  // GCOVR_EXCL_LINE: every script has returned
}

void for_each_fence(std::string_view text, const std::function<void(std::string_view)>& found) {
  constexpr std::string_view mark = "```";
  constexpr std::size_t longest_language = 32;
  bool open = false;
  for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at)) {
    std::size_t line = at;
    while (line > 0 && (text[line - 1] == ' ' || text[line - 1] == '\t')) --line;
    const bool begins_line = line == 0 || text[line - 1] == '\n' || text[line - 1] == '\r';
    at = std::min(text.find_first_not_of('`', at), text.size());
    if (!begins_line) continue;
    std::string language;
    for (; at < text.size() && language.size() < longest_language; ++at) {
      const char c = text[at];
      if (c == '\n' || c == '\r' || c == ' ' || c == '{') break;
      language += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    // A fence with a language always opens: where the gap of a cut text hid the end of a block, the next one is right.
    open = !open || !language.empty();
    if (open) found(language);
  }
}

}  // namespace tollgate::policy
