#pragma once
#include "tollgate/base/random.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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

/// The first `count` words with single spaces between.
std::string text_of(std::uint64_t seed, std::size_t count);

/// How many runs of non-space there are: how this provider counts the tokens of a prompt.
std::size_t count_words(std::string_view text);

/// FNV-1a over `text`, going on from `state`: what makes an answer depend on its question.
std::uint64_t mix(std::uint64_t state, std::string_view text);

}  // namespace tollgate::simulator
