// What a provider's error may give away, in every spelling that errors were seen in, and what must be left alone. No
// key in here is anyone's: they are put together from parts.
#include "tollgate/protocol/redactor.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace tollgate::protocol {
namespace {

using nlohmann::json;

/// "+", "/" and "=" have escaped spellings.
const std::string key = std::string("test") + "+key/of=the-provider";

std::string redacted(const std::string& text, const std::vector<std::string_view>& secrets = {key}) {
  return Redactor(secrets).redact(text).value_or("(unchanged)");
}

/// `text` with every character that `which` holds spelled by `spell`.
template <class Spell>
std::string spelled(const std::string& text, const std::string& which, Spell spell) {
  std::string out;
  for (const char byte : text) out += which.find(byte) == std::string::npos ? std::string(1, byte) : spell(byte);
  return out;
}
std::string hex(const char* format, char byte) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned char>(byte));
  return buffer;
}

TEST(Redactor, takes_a_known_secret_out_in_every_spelling) {
  const std::string signs = "+/=", all = key;
  const std::string spellings[] = {
      key,
      spelled(key, "/", [](char byte) { return std::string("\\") + byte; }),
      spelled(key, "/", [](char byte) { return std::string("\\\\\\") + byte; }),
      spelled(key, signs, [](char byte) { return hex("\\u%04x", byte); }),
      spelled(key, all, [](char byte) { return hex("\\u%04X", byte); }),
      spelled(key, signs, [](char byte) { return hex("\\\\u%04x", byte); }),
      spelled(key, signs, [](char byte) { return hex("%%%02x", byte); }),
      spelled(key, all, [](char byte) { return hex("%%%02X", byte); }),
      spelled(key, signs, [](char byte) { return hex("%%25%02X", byte); }),
      spelled(key, signs, [](char byte) { return hex("%%2525%02X", byte); }),
      spelled(key, signs, [](char byte) { return hex("\\u0025%02X", byte); }),
  };
  for (const std::string& written : spellings) {
    EXPECT_EQ(redacted("the key " + written + " is wrong"), "the key [redacted] is wrong");
    EXPECT_EQ(redacted(written), "[redacted]") << written;
    EXPECT_EQ(redacted("Bearer " + written), "Bearer [redacted]") << written;
    EXPECT_EQ(redacted(R"({"error":{"message":"\"Bearer )" + written + R"(\"\n","code":1e2}})"),
              R"({"error":{"message":"\"Bearer [redacted]\"\n","code":1e2}})");
  }
}

TEST(Redactor, takes_every_occurrence_out) {
  EXPECT_EQ(redacted(key + key + "," + key), "[redacted][redacted],[redacted]");
  EXPECT_EQ(redacted("abababababab abab abababab", {"abababab"}), "[redacted] abab [redacted]");
  EXPECT_EQ(redacted("x-first-secret-second-y", {"first-secret", "secret-second"}), "x-[redacted]-y");
  EXPECT_EQ(redacted("aaaaaaab aaaaaaaab", {"aaaaaaab"}), "[redacted] a[redacted]");
  EXPECT_EQ(redacted("12345678-abcd", {"12345678", "5678-abcd"}), "[redacted]") << "not its digits only";
  EXPECT_EQ(redacted("%4Gbcdefghi", {"Gbcdefghi"}), "%4[redacted]") << "no encoding";
  EXPECT_EQ(redacted("\\u0041\\u0041abcdefgh", {"41abcdefgh"}), "\\u0041[redacted]") << "whole escapes only";
}

TEST(Redactor, leaves_text_without_a_secret_alone) {
  for (const std::string text :
       {"",
        " ",
        "{}",
        "null",
        R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota"}})",
        "test+key/of=the-provide",
        "Use Bearer authentication.",
        "an Authorization header using Bearer auth",
        "(i.e. Authorization: Bearer YOUR_KEY)",
        "bearerabcdefg12",
        "an API key like abcdefg1 here",
        "a task-force of sk-learners",
        "risk-0123456789012345678901",
        "the model gpt-5.5-2026-01-01",
        "hf_hub",
        "see https://platform.example.com/account/api-keys for your API keys",
        "API key: missing",
        "the api key is wrong",
        "\"api_key\": null, \"n\": 12345678",
        "%",
        "%2",
        "\\",
        "\\u00",
        "\\u12G4"})
    EXPECT_EQ(Redactor({key}).redact(text), std::nullopt) << text;
}

TEST(Redactor, knows_keys_by_their_shape) {
  const std::string tail = "0123456789abcdefABCDEF0123456789_x-y";
  for (const std::string begin : {"sk-", "sk-ant-", "sk-proj-", "AIza", "gsk_", "xai-", "hf_", "nvapi-", "pplx-"}) {
    const std::string shaped = begin + tail;
    EXPECT_EQ(redacted("key " + shaped + "."), "key [redacted].") << shaped;
    EXPECT_EQ(redacted("[\"\\n" + shaped + "\"]"), "[\"\\n[redacted]\"]") << shaped;
    EXPECT_EQ(redacted("?key=" + shaped + "&x=y"), "?key=[redacted]&x=y") << shaped;
  }
  EXPECT_EQ(redacted("provided: sk-" + std::string("proj-") + std::string(30, '*') + "wxyz. See"),
            "provided: [redacted]. See")
      << "what is left of a masked key";
}

TEST(Redactor, knows_keys_by_what_stands_before_them) {
  EXPECT_EQ(redacted("authorization: bearer abc.def-123."), "authorization: bearer [redacted].");
  EXPECT_EQ(redacted("BEARER  " + std::string(24, 'q')), "BEARER  [redacted]");
  EXPECT_EQ(redacted("Bearer%20abcdefg1"), "Bearer%20[redacted]");
  EXPECT_EQ(redacted(R"({"headers":{"X-Api-Key":"abcdefg1","a":"b"}})"),
            R"({"headers":{"X-Api-Key":"[redacted]","a":"b"}})");
  EXPECT_EQ(redacted(R"({"m":"{\"api_key\": \"abcdefg1\"}"})"), R"({"m":"{\"api_key\": \"[redacted]\"}"})");
  EXPECT_EQ(redacted("api-key: abcdefg1, apiKey=abcdefg2"), "api-key: [redacted], apiKey=[redacted]");
  EXPECT_EQ(redacted("Incorrect API key provided: abcd****wx12."), "Incorrect API key provided: [redacted].");
}

TEST(Redactor, keeps_json_valid_where_a_secret_looks_like_a_number) {
  EXPECT_EQ(redacted(R"({"a":12345678,"b":"x12345678"})", {"12345678"}), R"({"a":99999999,"b":"x99999999"})");
  EXPECT_EQ(redacted(R"({"a":99999999.5})", {"99999999"}), R"({"a":88888888.5})");
  EXPECT_EQ(redacted(R"({"a":[12345,67890]})", {"12345,67890"}), R"({"a":[11111,11111]})");
  EXPECT_EQ(redacted(R"({"api_key":1234567890})"), R"({"api_key":1111111111})");
}

TEST(Redactor, keeps_json_valid_beside_escapes) {
  const std::string cases[][2] = {
      {R"(["\nabcdefgh"])", "nabcdefgh"},
      {R"(["abcdefg\\"])", "abcdefg\\"},
      {R"(["\\u0041bcdefgh"])", "Abcdefgh"},
      {R"(["\u0041\u0041abcdefgh"])", "41abcdefgh"},
      {R"(["abcdefg\\\""])", "abcdefg\\\""},
      {R"(["abc\"defg","x"])", "abc\"defg"},
      {R"(["abcdefgh","ijkl"])", "efgh\",\"ijkl"},
      {R"(["%41bcdefghi"])", "41bcdefghi"},
      {R"(["\ud83d\ude00abcdefgh"])", "00abcdefgh"},
  };
  for (const auto& [text, secret] : cases) {
    const std::string after = Redactor({secret}).redact(text).value_or(text);
    EXPECT_TRUE(json::accept(after)) << text << " became " << after;
    EXPECT_EQ(after != text, secret.find(',') == std::string::npos) << text << " without " << secret;
  }
}

TEST(Redactor, does_not_look_for_what_is_no_secret) {
  EXPECT_EQ(redacted("none of it: [redacted], -------- and test-ke",
                     {"none", "test-ke", "[redacted]", "redacted", "--------", ""}),
            "(unchanged)");
}

TEST(Redactor, leaves_nothing_to_find) {
  const Redactor redactor({key, "another-secret"});
  const auto once = redactor.redact("a " + key + " b another-secret c");
  ASSERT_EQ(once, "a [redacted] b [redacted] c");
  EXPECT_EQ(redactor.redact(*once), std::nullopt);
}

/// A search that begins anew at every byte would take minutes.
TEST(Redactor, is_linear_on_hostile_text) {
  const std::string almost = std::string(50'000, 'a') + "b";
  const Redactor redactor({almost});
  for (const std::string part :
       {"a", "\\", "%25", "bearer ", "api key ", "sk-", "api_key=", "\\u0061", "%", "\"", "aaaaaaab"}) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    const auto began = std::chrono::steady_clock::now();
    (void)redactor.redact(text);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20)) << part;
  }
}

TEST(Redactor, finds_a_secret_that_holds_an_escape_when_all_of_it_is_escaped_again) {
  const Redactor redactor({"secret%7Eof%7Emine"});
  std::string escaped;
  for (const char byte : std::string("secret%7Eof%7Emine")) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02x", static_cast<unsigned>(byte));
    escaped += text;
  }
  for (const std::string& written : {std::string("secret%7Eof%7Emine"), std::string("secret~of~mine"),
                                     std::string("secret%257Eof%257Emine"), escaped})
    EXPECT_EQ(redactor.redact("key " + written + "!"), "key [redacted]!") << written;
}

}  // namespace
}  // namespace tollgate::protocol
