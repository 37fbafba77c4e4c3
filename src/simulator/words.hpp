#pragma once
#include "tollgate/base/random.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tollgate::simulator {

/// An endless text, always the same for the same seed. One word is one token. Words hold nothing that JSON escapes.
class Words {
 public:
  explicit Words(std::uint64_t seed) : random_(seed) {}
  /// The next word, without a space; the view is good for ever.
  std::string_view next();

 private:
  Random random_;
};

/// A text that is handed out token by token, and always whole in the end: words of a seed with single spaces between,
/// or a given text in pieces of a word at most, a few bytes each, whole characters.
class TokenText {
 public:
  explicit TokenText(std::uint64_t seed) : words_(seed) {}
  explicit TokenText(std::string fixed) : words_(0), fixed_(std::move(fixed)) {}
  /// Appends the next token; nothing at a given text's end.
  void next(std::string& out);

 private:
  Words words_;
  std::optional<std::string> fixed_;
  std::size_t at_ = 0;
  bool begun_ = false;
};

/// How many tokens a given text has.
std::size_t count_pieces(const std::string& text);

/// The first `count` words with single spaces between.
std::string text_of(std::uint64_t seed, std::size_t count);

/// How many runs of non-space there are: how this provider counts the tokens of a prompt.
std::size_t count_words(std::string_view text);

/// FNV-1a over `text`, going on from `state`: what makes an answer depend on its question.
std::uint64_t mix(std::uint64_t state, std::string_view text);

}  // namespace tollgate::simulator
