// What is published on how models count, and what is known of those that publish nothing. The table is by the
// beginning of a name, so that dated versions need no line of their own.
#include "tollgate/policy/token_estimate.hpp"

#include "tollgate/protocol/openai/prompt_parts.hpp"

namespace tollgate::policy {
namespace {

struct Named {
  std::string_view begins;
  TokenRules rules;
};

constexpr auto o200k = TokenEncoding::o200k_base;
constexpr auto cl100k = TokenEncoding::cl100k_base;

// A picture in tiles is scaled into 2048 by 2048 and its shorter side to 768: at most 4 by 2 tiles of 512.
constexpr std::uint32_t tiles(std::uint32_t base, std::uint32_t tile) { return base + 8 * tile; }
// In patches of 32 by 32 at most this many count, by a factor in hundredths.
constexpr std::uint32_t patches(std::uint32_t hundredths, std::uint32_t most = 1536) {
  return (most * hundredths + 99) / 100;
}

/// The first that fits counts.
constexpr Named by_name[] = {
    {"gpt-4o-mini", {o200k, 100, 2833, tiles(2833, 5667)}},
    {"gpt-4o", {o200k, 100, 85, tiles(85, 170)}},
    {"chatgpt-4o", {o200k, 100, 85, tiles(85, 170)}},
    {"gpt-4.1-mini", {o200k, 100, patches(162), patches(162)}},
    {"gpt-4.1-nano", {o200k, 100, patches(246), patches(246)}},
    {"gpt-4.1", {o200k, 100, 85, tiles(85, 170)}},
    {"gpt-4.5", {o200k, 100, 85, tiles(85, 170)}},
    {"gpt-4", {cl100k, 100, 85, tiles(85, 170)}},
    {"gpt-3.5", {cl100k}},
    {"gpt-35", {cl100k}},  // as Azure writes it
    {"text-embedding-", {cl100k}},
    {"davinci-002", {cl100k}},
    {"babbage-002", {cl100k}},
    {"gpt-5-mini", {o200k, 100, patches(162), patches(162)}},
    {"gpt-5-nano", {o200k, 100, patches(246), patches(246)}},
    {"gpt-5.4", {o200k, 100, patches(120, 2500), patches(120, 2500)}},
    {"gpt-5.5", {o200k, 100, patches(120, 2500), patches(120, 2500)}},
    {"gpt-5", {o200k, 100, 70, tiles(70, 140)}},
    {"gpt-6", {o200k, 100, 14'400, 14'400}},  // takes pictures as they are
    {"o4-mini", {o200k, 100, patches(172), patches(172)}},
    {"o1", {o200k, 100, 75, tiles(75, 150)}},
    {"o3", {o200k, 100, 75, tiles(75, 150)}},
    {"computer-use", {o200k, 100, 65, tiles(65, 129)}},
    // Nobody has their tokenizers: 1.1 to 1.2 times o200k_base, from Opus 4.7 on 1.3 to 1.5 times.
    {"claude-opus-4-7", {o200k, 150, 4784, 4784}},
    {"claude-opus-4-8", {o200k, 150, 4784, 4784}},
    {"claude-opus-4-9", {o200k, 150, 4784, 4784}},
    {"claude-opus-5", {o200k, 150, 4784, 4784}},
    {"claude-sonnet-5", {o200k, 150, 4784, 4784}},
    {"claude-haiku-5", {o200k, 150, 4784, 4784}},
    {"claude", {o200k, 120, 1600, 1600}},
    {"gemini-2", {o200k, 100, 4 * 258, 4 * 258}},  // 258 a tile of 768 pixels: here four
    {"gemini", {o200k, 100, 1120, 1120}},
};

constexpr std::uint64_t per_message = 3, per_name = 1, for_answer = 3;
constexpr std::uint64_t for_tools = 12, per_tool = 8, per_property = 3;
constexpr std::uint64_t per_file = 3'000;

std::uint64_t scaled(std::uint64_t tokens, const TokenRules& rules) { return (tokens * rules.percent + 99) / 100; }

}  // namespace

TokenRules token_rules(std::string_view model) {
  if (const std::size_t slash = model.rfind('/'); slash != model.npos) model.remove_prefix(slash + 1);
  if (model.starts_with("ft:")) model.remove_prefix(3);
  for (const Named& named : by_name)
    if (model.starts_with(named.begins)) return named.rules;
  return {};
}

std::uint64_t estimate_text_tokens(std::string_view text, const TokenRules& rules) {
  return scaled(count_tokens(text, rules.encoding), rules);
}

std::uint64_t estimate_prompt_tokens(std::string_view body, const TokenRules& rules) {
  std::uint64_t of_texts = 0;
  const auto shape = protocol::openai::read_prompt_parts(
      body, [&](std::string_view text) { of_texts += count_tokens(text, rules.encoding); });
  std::uint64_t tokens = scaled(of_texts, rules) + shape.token_ids;
  tokens += shape.messages * per_message + shape.names * per_name + (shape.messages > 0 ? for_answer : 0);
  tokens += (shape.tools > 0 ? for_tools : 0) + shape.tools * per_tool + shape.properties * per_property;
  tokens += (shape.pictures - shape.low_detail) * rules.picture + shape.low_detail * rules.low_picture;
  return tokens + shape.files * per_file;
}

}  // namespace tollgate::policy
