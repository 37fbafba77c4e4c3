#pragma once
#include "tollgate/policy/token_counter.hpp"

#include "policy/token_tables.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::policy::tokens {

/// Cuts a text into the pieces that an encoding's published expression matches, one after the other; tokens never
/// reach from one into the next. The expressions are tiktoken's (tiktoken_ext/openai_public.py, 0.14). Linear: no
/// character is looked at more than a few times.
class Splitter {
 public:
  Splitter(std::string_view text, TokenEncoding encoding)
      : at_(text.data()), end_(at_ + text.size()), encoding_(encoding) {}

  /// The next piece; empty when the text is over.
  std::string_view next();
  /// Characters looked at.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Character {
    CharacterClass is;
    std::uint8_t length;
  };
  Character character(const char* at);
  const char* run_end(const char* from, unsigned classes);

  const char* piece_end();
  const char* word_end(const char* from, Character first);
  const char* cased_word_end(const char* from, Character first);
  const char* contraction_end(const char* from) const;
  const char* number_end(const char* from);
  const char* symbols_end(const char* from);
  const char* blanks_end(const char* from);

  const char* at_;
  const char* const end_;
  const TokenEncoding encoding_;
  std::uint64_t steps_ = 0;
};

}  // namespace tollgate::policy::tokens
