// The counts against the reference's on texts of many languages, the pieces where an expression's alternatives compete,
// merges against a merger that is too simple to be wrong, and the steps that hostile texts take.
#include "tollgate/policy/token_counter.hpp"

#include "policy/token_count.hpp"
#include "policy/token_merger.hpp"
#include "policy/token_splitter.hpp"
#include "support/paths.hpp"
#include "support/token_corpus.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace tollgate::policy {
namespace {

constexpr TokenEncoding both[] = {TokenEncoding::o200k_base, TokenEncoding::cl100k_base};
constexpr auto o200k = TokenEncoding::o200k_base, cl100k = TokenEncoding::cl100k_base;

using Pieces = std::vector<std::string>;

Pieces pieces(std::string_view text, TokenEncoding encoding) {
  Pieces found;
  tokens::Splitter splitter(text, encoding);
  for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) found.emplace_back(piece);
  return found;
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

std::vector<test::CountedText> corpus() {
  return test::read_token_corpus(test::in_project("tests/data/tokens/corpus.jsonl"));
}

TEST(TokenCounter, counts_what_the_reference_counts_in_every_language) {
  std::set<std::string> languages;
  for (const test::CountedText& text : corpus()) {
    languages.insert(text.language);
    for (const TokenEncoding encoding : both)
      EXPECT_EQ(count_tokens(text.text, encoding), text.tokens(encoding)) << text.language << ": " << text.text;
  }
  EXPECT_GE(languages.size(), 30u);
}

TEST(TokenCounter, counts_nothing_as_nothing_and_every_byte_alone_as_one) {
  for (const TokenEncoding encoding : both) {
    EXPECT_EQ(count_tokens("", encoding), 0u);
    for (int byte = 0; byte < 256; ++byte)
      EXPECT_EQ(count_tokens(std::string(1, static_cast<char>(byte)), encoding), 1u) << byte;
  }
}

TEST(TokenCounter, counts_a_text_that_ends_within_a_page_without_reading_on) {
  for (const test::CountedText& text : corpus()) {
    const std::vector<char> exact(text.text.begin(), text.text.end());  // a sanitizer sees a byte too many
    EXPECT_EQ(count_tokens({exact.data(), exact.size()}, o200k), text.o200k_base);
  }
}

TEST(TokenCounter, takes_marks_of_the_format_for_text) {
  EXPECT_GT(count_tokens("<|endoftext|>", o200k), 1u);
  EXPECT_GT(count_tokens("<|endoftext|>", cl100k), 1u);
}

TEST(TokenCounter, never_counts_more_tokens_than_bytes_whatever_the_bytes) {
  std::mt19937 chance(4711);
  std::uniform_int_distribution<int> byte(0, 255), size(0, 300);
  for (int round = 0; round < 2000; ++round) {
    std::string text(static_cast<std::size_t>(size(chance)), '\0');
    for (char& character : text) character = static_cast<char>(byte(chance));
    for (const TokenEncoding encoding : both) EXPECT_LE(count_tokens(text, encoding), text.size());
  }
}

TEST(TokenCounter, counts_bytes_that_are_no_utf8_as_symbols) {
  EXPECT_EQ(pieces("ab\xFFzu", cl100k), (Pieces{"ab", "\xFFzu"}));
  EXPECT_EQ(pieces("ab\xC3", o200k), (Pieces{"ab", "\xC3"}));                   // cut short
  EXPECT_EQ(pieces("\xC0\xAF", o200k), (Pieces{"\xC0\xAF"}));                   // overlong
  EXPECT_EQ(pieces("\xED\xA0\x80x", o200k), (Pieces{"\xED\xA0\x80", "x"}));     // half a pair of surrogates
  EXPECT_EQ(pieces("\xF4\x90\x80\x80", cl100k), (Pieces{"\xF4\x90\x80\x80"}));  // beyond Unicode
}

TEST(TokenCounter, cuts_pieces_that_are_too_long_at_a_character_and_counts_the_rest) {
  const std::string letters = repeated("\u30FC", longest_token_piece * 3);  // three bytes each
  const std::size_t whole = longest_token_piece / 3 * 3;
  std::size_t expected = 0;
  for (std::string_view rest = letters; !rest.empty(); rest.remove_prefix(std::min(whole, rest.size())))
    expected += count_tokens(rest.substr(0, whole), o200k);
  EXPECT_EQ(pieces(letters, o200k).size(), 1u);
  EXPECT_EQ(count_tokens(letters, o200k), expected);
}

TEST(TokenSplitter, leaves_nothing_out) {
  for (const test::CountedText& text : corpus()) {
    for (const TokenEncoding encoding : both) {
      std::string joined;
      for (const std::string& piece : pieces(text.text, encoding)) joined += piece;
      EXPECT_EQ(joined, text.text);
    }
  }
}

TEST(TokenSplitter, begins_a_word_at_its_capitals_in_o200k_only) {
  EXPECT_EQ(pieces("parseHTTPHeadNow", o200k), (Pieces{"parse", "HTTPHead", "Now"}));
  EXPECT_EQ(pieces("parseHTTPHeadNow", cl100k), (Pieces{"parseHTTPHeadNow"}));
  EXPECT_EQ(pieces("(ABC xY", o200k), (Pieces{"(ABC", " x", "Y"}));
}

TEST(TokenSplitter, gives_back_capitals_behind_the_last_letter_without_case) {
  EXPECT_EQ(pieces("AB中CD中EFG", o200k), (Pieces{"AB中CD中", "EFG"}));
  EXPECT_EQ(pieces("中Ab", o200k), (Pieces{"中Ab"}));
  EXPECT_EQ(pieces("!\u0301ABC", o200k), (Pieces{"!\u0301", "ABC"}));
  EXPECT_EQ(pieces("\u0301ABC", o200k), (Pieces{"\u0301", "ABC"}));
  EXPECT_EQ(pieces("\u0301Abc", o200k), (Pieces{"\u0301Abc"}));
}

TEST(TokenSplitter, keeps_contractions_with_the_word_in_o200k_and_apart_in_cl100k) {
  EXPECT_EQ(pieces("don't WE'LL it'\u017F he'x", o200k), (Pieces{"don't", " WE'LL", " it'\u017F", " he", "'x"}));
  EXPECT_EQ(pieces("don't WE'LL it'\u017F he'x", cl100k),
            (Pieces{"don", "'t", " WE", "'LL", " it", "'\u017F", " he", "'x"}));
  EXPECT_EQ(pieces("'tis", cl100k), (Pieces{"'t", "is"}));
  EXPECT_EQ(pieces("'tis", o200k), (Pieces{"'tis"}));
  EXPECT_EQ(pieces("a'", o200k), (Pieces{"a", "'"}));
  EXPECT_EQ(pieces("a'l", cl100k), (Pieces{"a", "'l"}));
}

TEST(TokenSplitter, groups_digits_by_three_whatever_the_script) {
  for (const TokenEncoding encoding : both) {
    EXPECT_EQ(pieces("1234567", encoding), (Pieces{"123", "456", "7"}));
    EXPECT_EQ(pieces(" 12٣٤½", encoding), (Pieces{" ", "12٣", "٤½"}));
  }
}

TEST(TokenSplitter, takes_line_ends_behind_symbols_and_slashes_in_o200k) {
  EXPECT_EQ(pieces("a;\n\n/b", o200k), (Pieces{"a", ";\n\n/", "b"}));
  EXPECT_EQ(pieces("a;\n\n/b", cl100k), (Pieces{"a", ";\n\n", "/b"}));
  EXPECT_EQ(pieces(" !!x", o200k), (Pieces{" !!", "x"}));
}

TEST(TokenSplitter, leaves_the_last_blank_to_the_next_word) {
  for (const TokenEncoding encoding : both) {
    EXPECT_EQ(pieces("a   b", encoding), (Pieces{"a", "  ", " b"}));
    EXPECT_EQ(pieces("a\t\tb", encoding), (Pieces{"a", "\t", "\tb"}));
    EXPECT_EQ(pieces("a 1", encoding), (Pieces{"a", " ", "1"}));
    EXPECT_EQ(pieces("a\n  b", encoding), (Pieces{"a", "\n", " ", " b"}));
    EXPECT_EQ(pieces("a \r\n \nb", encoding), (Pieces{"a", " \r\n \n", "b"}));
    EXPECT_EQ(pieces("a  ", encoding), (Pieces{"a", "  "}));
    EXPECT_EQ(pieces("a\u00A0\u3000b", encoding), (Pieces{"a", "\u00A0", "\u3000b"}));
  }
  EXPECT_EQ(pieces("a\n  ", o200k), (Pieces{"a", "\n", "  "}));
  EXPECT_EQ(pieces("a\n  ", cl100k), (Pieces{"a", "\n  "}));
}

/// Merges as the encoding is defined, looking at all pairs each time.
std::size_t merged_simply(std::string_view piece, const tokens::Tables& tables) {
  struct Part {
    std::uint32_t rank;
    unsigned char byte;
    bool alone;
  };
  std::vector<Part> parts;
  for (const char character : piece) {
    const auto byte = static_cast<unsigned char>(character);
    parts.push_back({tables.byte_rank(byte), byte, true});
  }
  for (;;) {
    std::uint32_t best_rank = tokens::no_rank;
    std::size_t best = 0;
    for (std::size_t at = 0; at + 1 < parts.size(); ++at) {
      const Part &left = parts[at], &right = parts[at + 1];
      const bool bytes = left.alone && right.alone;
      const std::uint32_t rank = bytes ? tables.byte_pair(left.byte, right.byte) : tables.merged(left.rank, right.rank);
      if (rank < best_rank) best_rank = rank, best = at;
    }
    if (best_rank == tokens::no_rank) return parts.size();
    parts[best] = {best_rank, 0, false};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(TokenMerger, merges_short_and_long_pieces_as_the_definition_does) {
  std::mt19937 chance(20261122);
  std::uniform_int_distribution<std::size_t> size(1, 200), letter(0, 7);
  constexpr std::string_view letters = "aest nio";
  for (const TokenEncoding encoding : both) {
    const tokens::Tables& tables = tokens::Tables::of(encoding);
    tokens::Merger merger(tables);
    for (int round = 0; round < 500; ++round) {
      std::string piece(size(chance), 'a');
      for (char& character : piece) character = letters[letter(chance)];
      EXPECT_EQ(merger.count(piece), merged_simply(piece, tables)) << piece;
    }
    for (const char same : {'a', ' ', '-', '\xFF'}) {
      const std::string piece(longest_token_piece, same);
      EXPECT_EQ(merger.count(piece), merged_simply(piece, tables)) << same;
    }
  }
}

TEST(TokenCounter, takes_steps_in_proportion_to_the_bytes_of_a_hostile_text) {
  constexpr std::size_t size = 50'000;
  const std::vector<std::string> hostile = {"a",        "A",        " ",       "\n",           " \n",         "7",
                                            "-",        "/",        "'",       "\u30FC",       "\U0001F600",  "\u0301",
                                            "\xFF",     "\xF0",     "a'",      "'s",           "aA",          "A中",
                                            "中A",      "!\u0301A", " \t\n\r", "\u00A0",       "\u0301AA",    "qxzj",
                                            "\xE3\x80", "=-+*",     "0 1\n",   "\u01C5\u02B0", "\xC3\xA9\xCC"};
  for (const TokenEncoding encoding : both) {
    for (const std::string& piece : hostile) {
      const std::string text = repeated(piece, size), half = repeated(piece, size / 2);
      const tokens::Count counted = tokens::count(text, encoding), counted_half = tokens::count(half, encoding);
      EXPECT_LE(counted.steps, 50 * text.size()) << piece;
      EXPECT_LE(counted.steps, 2 * counted_half.steps + 1000) << piece;
      EXPECT_LE(counted.tokens, text.size()) << piece;
    }
  }
}

TEST(TokenCounter, takes_few_steps_where_a_run_of_capitals_is_looked_at_in_vain) {
  // A letter without case, then half a megabyte of capitals: the word ends before them.
  const std::string text = "中" + std::string(500'000, 'A') + " 中" + std::string(500'000, 'B');
  EXPECT_LE(tokens::count(text, o200k).steps, 50 * text.size());
}

TEST(UnicodeClasses, are_told_for_the_whole_of_unicode) {
  using tokens::CharacterClass;
  using tokens::class_of;
  EXPECT_EQ(class_of(0x00C9), CharacterClass::upper);
  EXPECT_EQ(class_of(0x00E9), CharacterClass::lower);
  EXPECT_EQ(class_of(0x01C5), CharacterClass::upper);  // a capital and a small letter in one
  EXPECT_EQ(class_of(0x02B0), CharacterClass::letter);
  EXPECT_EQ(class_of(0x4E2D), CharacterClass::letter);
  EXPECT_EQ(class_of(0x0301), CharacterClass::mark);
  EXPECT_EQ(class_of(0x0664), CharacterClass::number);
  EXPECT_EQ(class_of(0x3000), CharacterClass::space);
  EXPECT_EQ(class_of(0x0085), CharacterClass::space);
  EXPECT_EQ(class_of(0x001C), CharacterClass::other);
  EXPECT_EQ(class_of(0x1F600), CharacterClass::other);
  EXPECT_EQ(class_of(0x10FFFF), CharacterClass::other);
}

}  // namespace
}  // namespace tollgate::policy
