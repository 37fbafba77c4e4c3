#pragma once
// Finds any number of words and phrases in one pass over a text (Aho and Corasick, "Efficient string matching: an aid
// to bibliographic search", 1975), as one table of states.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// A word may stand only where no letter or digit touches it, but on a side where it begins or ends with neither, or
/// with a letter of a script that puts no blanks between words. Letters: ASCII, and U+00C0 to U+057F.
/// Case is ignored for ASCII and Latin-1; a run of blanks and line ends is one blank.
class WordAutomaton {
 public:
  /// A "*" at the end of a word stands for any ending. Ids are places in `words`, which may repeat itself. More than
  /// most_bytes in all throw std::length_error.
  explicit WordAutomaton(const std::vector<std::string>& words);
  static constexpr std::size_t most_bytes = 60'000;
  static constexpr std::size_t longest_word = 128;

  /// Calls found(id) for each word at each of its places. The text may hold any bytes.
  template <class Found>
  void scan(std::string_view text, Found found) const;

 private:
  static constexpr std::uint16_t none = 0xFFFF;
  /// Folded bytes that were passed, for what stands before a match.
  static constexpr std::size_t window = 256;
  static_assert(window > longest_word + 2);

  struct Match {
    std::uint16_t id = none;
    std::uint16_t next = none;  ///< the next match that ends in the same state
    std::uint16_t length = 0;   ///< folded
    bool bound_left = false, bound_right = false;
  };
  struct Trie;

  void add_classes(const std::vector<std::string>& folded);
  void number_states(const Trie& trie);

  static bool is_letter(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' || (byte >= 'A' && byte <= 'Z');
  }
  static bool leads_letter(unsigned char byte) { return byte >= 0xC3 && byte <= 0xD5; }
  static bool is_blank(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
  static unsigned char folded(unsigned char byte, unsigned char before);
  static std::string fold(std::string_view text);

  std::array<std::uint8_t, 256> class_of_{};  ///< of a folded byte; 0: in no word
  unsigned shift_ = 0;                        ///< a state's row is 1 << shift_ long
  std::vector<std::uint16_t> next_;           ///< by state and class
  std::size_t first_accepting_ = 0;           ///< the states from here on have matches
  std::vector<std::uint16_t> first_match_;    ///< by state - first_accepting_
  std::vector<Match> matches_;
};

inline unsigned char WordAutomaton::folded(unsigned char byte, unsigned char before) {
  if (byte < 0x80) return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : is_blank(byte) ? ' ' : byte;
  // U+00C0 to U+00DE, but for the multiplication sign, are U+00E0 to U+00FE in small.
  return before == 0xC3 && byte <= 0x9E && byte != 0x97 ? byte + 0x20 : byte;
}

template <class Found>
void WordAutomaton::scan(std::string_view text, Found found) const {
  std::array<unsigned char, window> passed;
  passed.fill(' ');
  std::size_t count = 0;  // of folded bytes
  std::size_t state = 0;
  unsigned char before = ' ';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const unsigned char now = folded(byte, before);
    if (now == ' ' && is_blank(before)) continue;
    before = byte;
    passed[count++ % window] = now;
    state = next_[state << shift_ | class_of_[now]];
    if (state < first_accepting_) continue;
    const unsigned char after = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : ' ';
    for (std::uint16_t which = first_match_[state - first_accepting_]; which != none; which = matches_[which].next) {
      const Match& match = matches_[which];
      if (match.bound_right && (is_letter(after) || leads_letter(after))) continue;
      if (match.bound_left) {
        const unsigned char last = passed[(count + window - match.length - 1) % window];
        if (is_letter(last)) continue;
        if ((last & 0xC0) == 0x80 && leads_letter(passed[(count + window - match.length - 2) % window])) continue;
      }
      found(match.id);
    }
  }
}

}  // namespace tollgate::policy
