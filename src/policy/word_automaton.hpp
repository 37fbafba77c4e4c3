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

  struct Match {
    std::uint16_t id = none;
    std::uint16_t next = none;  ///< the next match that ends in the same state
    std::uint16_t length = 0;   ///< folded
    bool bound_left = false, bound_right = false;
    bool has_blank = false;
  };
  struct Trie;

  void add_classes(const std::vector<std::string>& folded);
  void add_word(Trie& trie, std::uint16_t id, std::string_view folded, bool any_ending);
  void number_states(Trie& trie);
  bool stands_alone(const Match& match, std::string_view text, std::size_t end) const;

  std::array<std::uint8_t, 256> class_of_{};  ///< of a byte as written; 0: in no word
  unsigned shift_ = 0;                        ///< a state's row is 1 << shift_ long
  std::vector<std::uint16_t> next_;           ///< by state and class
  std::size_t first_accepting_ = 0;           ///< the states from here on have matches
  std::vector<std::uint16_t> first_match_;    ///< by state - first_accepting_
  std::vector<Match> matches_;
};

template <class Found>
void WordAutomaton::scan(std::string_view text, Found found) const {
  std::size_t state = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    state = next_[state << shift_ | class_of_[static_cast<unsigned char>(text[at])]];
    if (state < first_accepting_) continue;
    for (std::uint16_t which = first_match_[state - first_accepting_]; which != none; which = matches_[which].next)
      if (stands_alone(matches_[which], text, at + 1)) found(matches_[which].id);
  }
}

}  // namespace tollgate::policy
