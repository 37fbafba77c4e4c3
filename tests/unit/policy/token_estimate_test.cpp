// How the names of models are told, and that each thing in a request costs what its rule says.
#include "tollgate/policy/token_estimate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::policy {
namespace {

constexpr auto o200k = TokenEncoding::o200k_base, cl100k = TokenEncoding::cl100k_base;

const TokenRules gpt_4o = token_rules("gpt-4o");

std::uint64_t tokens(std::string_view text) { return count_tokens(text, o200k); }

std::uint64_t estimate(const std::string& body) { return estimate_prompt_tokens(body, gpt_4o); }

std::string chat(const std::string& messages, const std::string& more = "") {
  return R"({"model":"gpt-4o","messages":[)" + messages + "]" + more + "}";
}

TEST(TokenRules, know_the_encoding_by_the_beginning_of_the_name) {
  for (const char* name :
       {"gpt-4", "gpt-4-turbo-2024-04-09", "gpt-4-0613", "gpt-3.5-turbo", "gpt-35-turbo-16k", "text-embedding-3-large",
        "text-embedding-ada-002", "davinci-002", "openai/gpt-4", "ft:gpt-3.5-turbo:acme::x1"})
    EXPECT_EQ(token_rules(name).encoding, cl100k) << name;
  for (const char* name :
       {"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.5-preview", "gpt-5", "gpt-5.1-codex", "o1", "o3-pro", "o4-mini",
        "chatgpt-4o-latest", "azure/eu/gpt-4o", "ft:gpt-4o-mini:acme", "llama-3.3-70b", ""})
    EXPECT_EQ(token_rules(name).encoding, o200k) << name;
}

TEST(TokenRules, put_something_on_top_where_the_tokenizer_is_not_published) {
  EXPECT_EQ(token_rules("gpt-4o").percent, 100u);
  EXPECT_EQ(token_rules("claude-opus-4-20250514").percent, 120u);
  EXPECT_EQ(token_rules("anthropic/claude-opus-4-7").percent, 150u);
  EXPECT_EQ(estimate_text_tokens("Hello world, once more", token_rules("claude-opus-4-7")),
            (tokens("Hello world, once more") * 3 + 1) / 2);
}

TEST(TokenRules, take_the_most_that_a_picture_can_be) {
  EXPECT_EQ(token_rules("gpt-4o").picture, 85u + 8 * 170);
  EXPECT_EQ(token_rules("gpt-4o").low_picture, 85u);
  EXPECT_EQ(token_rules("gpt-5-mini").picture, 2489u);  // 1,536 patches, times 1.62
  EXPECT_EQ(token_rules("gpt-5.5").picture, 3000u);
  EXPECT_EQ(token_rules("who-knows").picture, 1500u);
}

TEST(TokenEstimate, counts_a_chat_by_the_published_rule) {
  EXPECT_EQ(estimate(chat(R"({"role":"user","content":"Hello, how are you?"})")),
            3 + 3 + tokens("user") + tokens("Hello, how are you?"));
  EXPECT_EQ(estimate(chat(R"({"role":"system","content":"Be brief."},{"role":"user","name":"ada","content":"Hi"})")),
            3 + 2 * 3 + tokens("system") + tokens("Be brief.") + tokens("user") + tokens("ada") + 1 + tokens("Hi"));
}

TEST(TokenEstimate, decodes_escapes_before_it_counts) {
  EXPECT_EQ(estimate(chat(R"({"role":"user","content":"Gr\u00fc\u00dfe\n\n\ud83d\ude00 \"x\""})")),
            3 + 3 + 1 + tokens("Gr\u00fc\u00dfe\n\n\U0001F600 \"x\""));
}

TEST(TokenEstimate, counts_pictures_by_the_piece_and_never_their_bytes) {
  const std::string data = "data:image/png;base64," + std::string(100'000, 'A');
  const std::uint64_t around = 3 + 3 + 1 + tokens("What is it?");
  const auto with = [&](const std::string& part) {
    return chat(R"({"role":"user","content":[{"type":"text","text":"What is it?"},)" + part + "]}");
  };
  EXPECT_EQ(estimate(with(R"({"type":"image_url","image_url":{"url":")" + data + R"("}})")), around + 1445);
  EXPECT_EQ(estimate(with(R"({"type":"image_url","image_url":{"detail":"low","url":")" + data + R"("}})")),
            around + 85);
  EXPECT_EQ(estimate(with(R"({"type":"input_image","image_url":")" + data + R"("})")), around + 1445);
  EXPECT_EQ(estimate(with(R"({"type":"file","file":{"file_data":")" + data + R"("}})")), around + 3000);
}

TEST(TokenEstimate, counts_tools_by_function_and_property) {
  const std::string tool =
      R"(,"tools":[{"type":"function","function":{"name":"weather","description":"Now.",)"
      R"("parameters":{"type":"object","properties":{"city":{"type":"string","description":"Where"},)"
      R"("unit":{"type":"string","enum":["celsius","kelvin"]}}}}}])";
  const std::uint64_t plain = estimate(chat(R"({"role":"user","content":"Hi"})"));
  EXPECT_EQ(estimate(chat(R"({"role":"user","content":"Hi"})", tool)),
            plain + 12 + 8 + 2 * 3 + tokens("weather") + tokens("Now.") + tokens("city") + tokens("Where") +
                tokens("unit") + tokens("celsius") + tokens("kelvin"));
}

TEST(TokenEstimate, counts_texts_and_token_ids_without_a_chat_around_them) {
  EXPECT_EQ(estimate(R"({"model":"m","input":"Hello world"})"), tokens("Hello world"));
  EXPECT_EQ(estimate(R"({"model":"m","input":["Hello"," world"]})"), tokens("Hello") + tokens(" world"));
  EXPECT_EQ(estimate(R"({"model":"m","prompt":[1,2,3]})"), 3u);
  EXPECT_EQ(estimate(R"({"model":"m","prompt":[[1,2,3],[4]]})"), 4u);
}

TEST(TokenEstimate, is_nothing_for_a_body_that_says_nothing) {
  EXPECT_EQ(estimate("{}"), 0u);
  EXPECT_EQ(estimate(""), 0u);
  EXPECT_EQ(estimate(R"({"messages":null,"tools":[],"input":{}})"), 0u);
}

}  // namespace
}  // namespace tollgate::policy
