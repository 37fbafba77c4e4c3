#pragma once
// How many tokens a request's prompt is where no provider has said so: the texts counted, everything else by the
// providers' published rules. Near enough to reserve money by and to charge what was cut off; bills come from usage.
#include "tollgate/policy/token_counter.hpp"

#include <cstdint>
#include <string_view>

namespace tollgate::policy {

/// How a model counts.
struct TokenRules {
  TokenEncoding encoding = TokenEncoding::o200k_base;
  /// What a text is for this model, in percent of its tokens in `encoding`: over 100 where the model's own tokenizer is
  /// not published.
  unsigned percent = 100;
  /// A picture, whose size nobody has looked at: the most that the model's rule gives for any size. By detail `low`,
  /// and by every other.
  std::uint32_t low_picture = 1'500;
  std::uint32_t picture = 1'500;
  bool operator==(const TokenRules&) const = default;
};

/// By the model's name as the provider knows it, with or without its maker's name and a slash before it, or `ft:`.
/// Names that nobody has heard of count as o200k_base.
TokenRules token_rules(std::string_view model);

/// Tokens of a text for a model of these rules.
std::uint64_t estimate_text_tokens(std::string_view text, const TokenRules& rules);

/// Tokens of the prompt in a body that scan_request() accepts (protocol::openai::read_prompt_parts says what of it
/// counts). Chats: 3 tokens a message, 1 a name and 3 for the answer's beginning on top of the texts; tools: 12, 8 a
/// tool and 3 a property, which is right to 10 % or so; a file: 3,000, one page at its dearest, since nobody looks
/// inside. Linear in the body.
std::uint64_t estimate_prompt_tokens(std::string_view body, const TokenRules& rules);

}  // namespace tollgate::policy
