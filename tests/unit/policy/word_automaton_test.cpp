#include "policy/word_automaton.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <stdexcept>

// What counts as a word in which script, and that one pass over a text finds what a search for each word alone would
// find.

namespace tollgate::policy {
namespace {

using Counts = std::map<std::size_t, unsigned>;

Counts found(const std::vector<std::string>& words, std::string_view text) {
  Counts counts;
  WordAutomaton(words).scan(text, [&](std::uint16_t id) { ++counts[id]; });
  return counts;
}

TEST(WordAutomaton, finds_words_that_no_letter_touches) {
  EXPECT_EQ(found({"go"}, "go, Go; (GO) a go"), (Counts{{0, 4}}));
  EXPECT_EQ(found({"go"}, "gopher ago go_to go2 2go mañgo goñ"), Counts{});
  EXPECT_EQ(found({"go"}, "go-to x.go"), (Counts{{0, 2}}));
}

TEST(WordAutomaton, asks_nothing_of_a_side_without_a_letter) {
  EXPECT_EQ(found({"c++", ".net", "+"}, "c++14 asp.net"), (Counts{{0, 1}, {1, 1}, {2, 2}}));
  EXPECT_EQ(found({"c++"}, "objc++"), Counts{});
}

TEST(WordAutomaton, takes_any_ending_for_a_star) {
  EXPECT_EQ(found({"deploy*"}, "deploy deployment redeploy"), (Counts{{0, 2}}));
}

TEST(WordAutomaton, takes_any_blanks_between_the_words_of_a_phrase) {
  EXPECT_EQ(found({"pull request"}, "pull request, Pull \t\r\n Request; pullrequest pull-request"), (Counts{{0, 2}}));
}

TEST(WordAutomaton, finds_words_in_scripts_without_blanks) {
  EXPECT_EQ(found({"翻译"}, "请翻译这句话，翻译成英文"), (Counts{{0, 2}}));
  EXPECT_EQ(found({"go"}, "用go写"), (Counts{{0, 1}}));
}

TEST(WordAutomaton, ignores_the_case_of_latin_letters_with_marks) {
  EXPECT_EQ(found({"übersetze"}, "Übersetze ÜBERSETZE übersetze"), (Counts{{0, 3}}));
  EXPECT_EQ(found({"résumé"}, "RÉSUMÉ résumés"), (Counts{{0, 1}}));
  EXPECT_EQ(found({"a×b"}, "a×b a÷b"), (Counts{{0, 1}}));
}

TEST(WordAutomaton, finds_all_words_that_end_at_one_place) {
  EXPECT_EQ(found({"a b c", "b c", "c", "c"}, "a b c"), (Counts{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
  EXPECT_EQ(found({"a b d", "b c"}, "a b c"), (Counts{{1, 1}}));
}

TEST(WordAutomaton, finds_nothing_in_nothing_and_without_words) {
  EXPECT_EQ(found({"a"}, ""), Counts{});
  EXPECT_EQ(found({}, "a b"), Counts{});
  EXPECT_EQ(found({"a"}, " \n\t"), Counts{});
}

TEST(WordAutomaton, takes_bytes_that_are_no_text) {
  EXPECT_EQ(found({"a"}, std::string_view("\xC3 a \x00 a\xFF", 9)), (Counts{{0, 2}}));
  EXPECT_EQ(found({"a"},
                  "\x80\x80\x80"
                  "a"),
            (Counts{{0, 1}}));
}

TEST(WordAutomaton, refuses_words_that_are_too_long_or_too_many) {
  EXPECT_NO_THROW(WordAutomaton({std::string(128, 'a')}));
  EXPECT_THROW(WordAutomaton({std::string(129, 'a')}), std::length_error);
  EXPECT_THROW(WordAutomaton({""}), std::length_error);
  EXPECT_THROW(WordAutomaton({"*"}), std::length_error);
  const std::vector<std::string> full(WordAutomaton::most_bytes / 100, std::string(100, 'a'));
  EXPECT_NO_THROW(WordAutomaton{full});
  std::vector<std::string> over = full;
  over.push_back("a");
  EXPECT_THROW(WordAutomaton{over}, std::length_error);
}

TEST(WordAutomaton, keeps_states_apart_when_there_are_as_many_as_may_be) {
  std::vector<std::string> words;
  for (int number = 100'000; words.size() * 6 < WordAutomaton::most_bytes - 6; number += 7)
    words.push_back(std::to_string(number));
  for (const std::size_t which : {std::size_t{0}, words.size() / 2, words.size() - 1})
    EXPECT_EQ(found(words, "x " + words[which] + " y"), (Counts{{which, 1}}));
}

/// The contract word by word, for texts of small letters, single blanks and "+".
Counts naive(const std::vector<std::string>& words, const std::string& text) {
  const auto letter = [&](std::size_t at) { return at < text.size() && text[at] != ' ' && text[at] != '+'; };
  const auto is_letter = [](char c) { return c != ' ' && c != '+'; };
  Counts counts;
  for (std::size_t id = 0; id < words.size(); ++id) {
    const bool star = words[id].ends_with('*');
    const std::string word = words[id].substr(0, words[id].size() - (star ? 1 : 0));
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      const bool touched_left = is_letter(word.front()) && at > 0 && letter(at - 1);
      const bool touched_right = !star && is_letter(word.back()) && letter(at + word.size());
      if (!touched_left && !touched_right) ++counts[id];
    }
  }
  return counts;
}

TEST(WordAutomaton, finds_what_a_search_for_each_word_finds) {
  std::mt19937 engine(20);
  const auto below = [&](unsigned most) { return static_cast<unsigned>(engine() % most); };
  const auto random_text = [&](std::size_t length) {
    std::string text;
    while (text.size() < length) {
      const char next = "ab +"[below(4)];
      if (next != ' ' || (!text.empty() && text.back() != ' ')) text += next;
    }
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> words;
    for (unsigned count = 1 + below(12); words.size() < count;) {
      std::string word = random_text(1 + below(5));
      if (word.back() == ' ') word.back() = 'a';
      if (below(4) == 0) word += '*';
      words.push_back(word);
    }
    const std::string text = random_text(400);
    ASSERT_EQ(found(words, text), naive(words, text)) << testing::PrintToString(words) << " in " << text;
  }
}

}  // namespace
}  // namespace tollgate::policy
