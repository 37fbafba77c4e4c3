// What providers say they counted, form by form, with the exact classes that it must come to: a class read wrongly is
// an invoice that is wrong by a factor, and nobody sees it happen.
#include "tollgate/protocol/openai/reply.hpp"

#include "unit/protocol/usage_printer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::protocol::openai {
namespace {

std::optional<Usage> reported(const std::string& usage) { return read_usage(R"({"usage":)" + usage + "}"); }

struct Row {
  const char* report;
  Usage expected;
};

template <std::size_t size>
void expect_reports(const Row (&rows)[size]) {
  for (const auto& [report, expected] : rows) {
    const auto usage = reported(report);
    ASSERT_TRUE(usage) << report;
    EXPECT_EQ(*usage, expected) << report;
  }
}

TEST(UsageClasses, are_read_from_openai_s_namings) {
  const Row rows[] = {
      {R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
           "prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":20,"audio_tokens":7,"text_tokens":93,"image_tokens":3},
           "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":9,"image_tokens":4,"text_tokens":1,
           "accepted_prediction_tokens":5,"rejected_prediction_tokens":6}})",
       {.input = 100,
        .cached_input = 40,
        .cache_write = 20,
        .audio_input = 7,
        .image_input = 3,
        .output = 50,
        .reasoning = 20,
        .audio_output = 9,
        .image_output = 4}},
      // /v1/responses
      {R"({"input_tokens":100,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":30,
           "cache_write_tokens_details":{"ttl_30m_tokens":10,"ttl_12h_tokens":20}},
           "output_tokens":50,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":150})",
       {.input = 100, .cached_input = 40, .cache_write = 10, .cache_write_long = 20, .output = 50, .reasoning = 20}},
      // /v1/images
      {R"({"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":1056,
           "output_tokens_details":{"text_tokens":0,"image_tokens":1056},"total_tokens":1106})",
       {.input = 50, .image_input = 40, .output = 1056, .image_output = 1056}},
      // /v1/audio/transcriptions
      {R"({"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":101,"total_tokens":115})",
       {.input = 14, .audio_input = 14, .output = 101}},
      // /v1/embeddings
      {R"({"prompt_tokens":8,"total_tokens":8})", {.input = 8}},
  };
  expect_reports(rows);
}

TEST(UsageClasses, leave_audio_and_images_out_that_were_cached) {
  const Row rows[] = {
      {R"({"input_tokens":100,"output_tokens":1,"input_token_details":{"cached_tokens":60,"audio_tokens":60,"image_tokens":12,
           "cached_tokens_details":{"text_tokens":20,"audio_tokens":38,"image_tokens":2}}})",
       {.input = 100, .cached_input = 60, .audio_input = 22, .image_input = 10, .output = 1}},
      // Nobody says how much of the audio was cached: what is left beside the cache is not.
      {R"({"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":60,"audio_tokens":70}})",
       {.input = 100, .cached_input = 60, .audio_input = 40, .output = 1}},
  };
  expect_reports(rows);
}

// Sharp edge U5: fresh, read and written input add up to the whole, whether the provider's count has them in or not.
TEST(UsageClasses, count_cached_input_once_for_each_provider) {
  const Row rows[] = {
      {R"({"prompt_tokens":1000,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":600}})",
       {.input = 1000, .cached_input = 600, .output = 5}},
      {R"({"prompt_tokens":1000,"completion_tokens":5,"prompt_cache_hit_tokens":600,"prompt_cache_miss_tokens":400})",
       {.input = 1000, .cached_input = 600, .output = 5}},
      {R"({"prompt_tokens":1000,"completion_tokens":5,"cached_tokens":600})",
       {.input = 1000, .cached_input = 600, .output = 5}},
      {R"({"input_tokens":400,"cache_read_input_tokens":600,"cache_creation_input_tokens":0,"output_tokens":5})",
       {.input = 1000, .cached_input = 600, .output = 5}},
      {R"({"input_tokens":300,"cache_read_input_tokens":600,"cache_creation_input_tokens":100,"output_tokens":5})",
       {.input = 1000, .cached_input = 600, .cache_write = 100, .output = 5}},
      {R"({"input_tokens":400,"cache_read_input_tokens":null,"cache_creation_input_tokens":null,"output_tokens":5})",
       {.input = 400, .output = 5}},
      // Anthropic behind a proxy that counts as OpenAI does and names both.
      {R"({"prompt_tokens":1000,"completion_tokens":5,"total_tokens":1005,"prompt_tokens_details":{"cached_tokens":600},
           "cache_read_input_tokens":600,"cache_creation_input_tokens":100})",
       {.input = 1000, .cached_input = 600, .cache_write = 100, .output = 5}},
      {R"({"prompt_tokens":1000,"input_tokens":300,"output_tokens":5,"cache_read_input_tokens":600,"cache_creation_input_tokens":100})",
       {.input = 1000, .cached_input = 600, .cache_write = 100, .output = 5}},
  };
  expect_reports(rows);
}

// Sharp edge U6.
TEST(UsageClasses, split_what_was_written_to_the_cache_by_its_time) {
  const auto written = [](const std::string& members) {
    return reported(R"({"input_tokens":10,"output_tokens":5,)" + members + "}");
  };
  const auto expected = [](std::uint64_t brief, std::uint64_t lasting) {
    return Usage{.input = 10 + brief + lasting, .cache_write = brief, .cache_write_long = lasting, .output = 5};
  };
  EXPECT_EQ(
      written(
          R"("cache_creation_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":90,"ephemeral_1h_input_tokens":0})"),
      expected(90, 0));
  EXPECT_EQ(
      written(
          R"("cache_creation_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":90})"),
      expected(0, 90));
  EXPECT_EQ(
      written(
          R"("cache_creation":{"ephemeral_1h_input_tokens":30,"ephemeral_5m_input_tokens":60},"cache_creation_input_tokens":90)"),
      expected(60, 30));
  EXPECT_EQ(
      written(
          R"("cache_creation_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":30})"),
      expected(60, 30))
      << "more than was listed is of the shorter time";
  EXPECT_EQ(written(R"("cache_creation_input_tokens":90)"), expected(90, 0));
  EXPECT_EQ(written(R"("cache_creation":{"ephemeral_1h_input_tokens":30})"), expected(0, 30));
  EXPECT_FALSE(written(
      R"("cache_creation_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":61,"ephemeral_1h_input_tokens":30})"));
}

// Sharp edge U7: reasoning is in the output once, however the provider counts.
TEST(UsageClasses, count_reasoning_once_for_each_provider) {
  const Usage expected{.input = 100, .output = 350, .reasoning = 300};
  for (
      const char* report : {
          // OpenAI and DeepSeek
          R"({"prompt_tokens":100,"completion_tokens":350,"total_tokens":450,"completion_tokens_details":{"reasoning_tokens":300}})",
          // the same without a total
          R"({"prompt_tokens":100,"completion_tokens":350,"completion_tokens_details":{"reasoning_tokens":300}})",
          // Anthropic
          R"({"input_tokens":100,"output_tokens":350,"output_tokens_details":{"thinking_tokens":300},"cache_read_input_tokens":0})",
          // xAI
          R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":450,"completion_tokens_details":{"reasoning_tokens":300}})",
          // xAI without a total: more than the whole cannot be a part of it
          R"({"prompt_tokens":100,"completion_tokens":50,"completion_tokens_details":{"reasoning_tokens":300}})",
          // Perplexity, whose total leaves it out
          R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"reasoning_tokens":300})",
      })
    EXPECT_EQ(reported(report), expected) << report;
  // xAI where reasoning is less than what is seen: only the total tells.
  EXPECT_EQ(
      reported(
          R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":180,"completion_tokens_details":{"reasoning_tokens":30}})"),
      (Usage{.input = 100, .output = 80, .reasoning = 30}));
  EXPECT_EQ(
      reported(
          R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"completion_tokens_details":{"reasoning_tokens":30}})"),
      (Usage{.input = 100, .output = 50, .reasoning = 30}));
  // Gemini's compatible endpoint names no reasoning, but its total has it.
  EXPECT_EQ(reported(R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":450})"),
            (Usage{.input = 100, .output = 350}));
  EXPECT_EQ(
      reported(
          R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":210,"prompt_tokens_details":{"cached_tokens":60}})"),
      (Usage{.input = 100, .cached_input = 60, .output = 50}))
      << "a total that counts the cache twice is no output";
}

TEST(UsageClasses, are_read_from_gemini_s_own_report) {
  const auto native = [](const std::string& report) { return read_usage(R"({"usageMetadata":)" + report + "}"); };
  EXPECT_EQ(
      native(R"({"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":50,"thoughtsTokenCount":300,
                       "toolUsePromptTokenCount":7,"totalTokenCount":457,"trafficType":"ON_DEMAND",
                       "promptTokensDetails":[{"modality":"TEXT","tokenCount":60},{"modality":"AUDIO","tokenCount":30},{"modality":"IMAGE","tokenCount":10}],
                       "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20},{"modality":"TEXT","tokenCount":40}],
                       "candidatesTokensDetails":[{"tokenCount":12,"modality":"IMAGE"},{"modality":"TEXT","tokenCount":38}]})"),
      (Usage{.input = 107,
             .cached_input = 60,
             .audio_input = 10,
             .image_input = 10,
             .output = 350,
             .reasoning = 300,
             .image_output = 12}));
  EXPECT_EQ(native(R"({"promptTokenCount":100,"thoughtsTokenCount":300,"totalTokenCount":400})"),
            (Usage{.input = 100, .output = 300, .reasoning = 300}));
  EXPECT_EQ(native(R"({"promptTokenCount":100,"totalTokenCount":100})"), (Usage{.input = 100}));
  EXPECT_EQ(native(R"({"candidatesTokenCount":5,"promptTokensDetails":7,"cacheTokensDetails":[8]})"),
            (Usage{.output = 5}));
  for (
      const char* broken :
      {"{}", "[]", "null", R"({"totalTokenCount":7})", R"({"promptTokenCount":-1})", R"({"promptTokenCount":"7"})",
       R"({"promptTokenCount":7,"cachedContentTokenCount":8})", R"({"promptTokenCount":7,"promptTokenCount":8})",
       R"({"promptTokenCount":7,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":1.5}]})",
       R"({"promptTokenCount":7,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":1},{"modality":"AUDIO","tokenCount":2}]})"})
    EXPECT_FALSE(native(broken)) << broken;
}

TEST(UsageClasses, count_searches_wherever_they_are_named) {
  EXPECT_EQ(
      reported(
          R"({"input_tokens":1,"output_tokens":2,"server_tool_use":{"web_search_requests":3,"web_fetch_requests":9}})")
          ->searches,
      3u);
  EXPECT_EQ(reported(R"({"prompt_tokens":1,"completion_tokens":2,"num_sources_used":4})")->searches, 4u);
  EXPECT_EQ(reported(R"({"prompt_tokens":1,"completion_tokens":2,"num_search_queries":5})")->searches, 5u);
  const std::string response =
      R"({"object":"response","tool_usage":{"image_gen":{"num_requests":9},"web_search":{"x":1,"num_requests":6}},"usage":{"input_tokens":1,"output_tokens":2}})";
  EXPECT_EQ(read_usage(response)->searches, 6u);
  EXPECT_EQ(read_usage(R"({"type":"response.completed","response":)" + response + "}")->searches, 6u);
  for (const char* odd : {"null", "7", "{}", R"({"web_search":null})", R"({"web_search":{"num_requests":-1}})"})
    EXPECT_EQ(read_usage(R"({"usage":{"input_tokens":1},"tool_usage":)" + std::string(odd) + "}"), (Usage{.input = 1}))
        << odd;
}

TEST(UsageClasses, name_the_tier_that_was_given) {
  const auto beside = [](const std::string& tier) {
    return read_usage(R"({"service_tier":)" + tier + R"(,"usage":{"prompt_tokens":1}})")->tier;
  };
  EXPECT_EQ(beside(R"("default")"), ServiceTier::standard);
  EXPECT_EQ(beside(R"("flex")"), ServiceTier::flex);
  EXPECT_EQ(beside(R"("priority")"), ServiceTier::priority);
  EXPECT_EQ(beside(R"("batch")"), ServiceTier::batch);
  for (const char* other : {"null", "7", R"("auto")", R"("")", R"("gold")", R"({"flex":1})"})
    EXPECT_EQ(beside(other), ServiceTier::standard) << other;

  const auto within = [](const std::string& members) {
    return reported(R"({"input_tokens":1,)" + members + "}")->tier;
  };
  EXPECT_EQ(within(R"("service_tier":"priority")"), ServiceTier::priority);
  EXPECT_EQ(within(R"("service_tier":"batch","speed":"standard")"), ServiceTier::batch);
  EXPECT_EQ(within(R"("service_tier":"standard","speed":"fast")"), ServiceTier::fast);
  EXPECT_EQ(read_usage(R"({"type":"response.completed","response":{"service_tier":"flex","usage":{"input_tokens":1}}})")
                ->tier,
            ServiceTier::flex);
}

TEST(UsageClasses, of_a_report_that_contradicts_itself_are_none) {
  for (
      const char* report : {
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":6,"cache_write_tokens":5}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":11}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":6,"image_tokens":5}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"audio_tokens":1,"cached_tokens_details":{"audio_tokens":2}}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"image_tokens":1,"cached_tokens_details":{"image_tokens":2}}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"audio_tokens":6}})",
          R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":3,"image_tokens":3}})",
          R"({"prompt_tokens":10,"prompt_tokens":11,"completion_tokens":5})",
          R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens":6})",
          R"({"prompt_tokens":10,"completion_tokens":5,"output_tokens":6})",
          R"({"prompt_tokens":10,"input_tokens":9,"completion_tokens":5})",
          R"({"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":3},"prompt_cache_hit_tokens":4})",
          R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":-15})",
          R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":"15"})",
          R"({"prompt_tokens":10,"completion_tokens":5,"server_tool_use":{"web_search_requests":0.5}})",
          R"({"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":{"n":1}})",
          R"({"input_tokens":9007199254740992,"output_tokens":5,"cache_read_input_tokens":1})",
          R"({"prompt_tokens":1,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":9007199254740992}})",
          R"({"total_tokens":15})",
          R"({"prompt_tokens_details":{"cached_tokens":3}})",
          R"({"type":"duration","seconds":5.5})",
      })
    EXPECT_FALSE(reported(report)) << report;
}

TEST(UsageClasses, bear_a_count_said_twice_alike_or_once_as_zero) {
  const Row rows[] = {
      {R"({"prompt_tokens":10,"prompt_tokens":10,"completion_tokens":5})", {.input = 10, .output = 5}},
      {R"({"prompt_tokens":10,"completion_tokens":5,"input_tokens":10,"output_tokens":5})", {.input = 10, .output = 5}},
      {R"({"prompt_tokens":0,"completion_tokens":0,"input_tokens":10,"output_tokens":5})", {.input = 10, .output = 5}},
  };
  expect_reports(rows);
}

TEST(UsageClasses, of_two_reports_in_one_answer_are_those_of_the_last) {
  EXPECT_FALSE(read_usage(R"({"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":-1}})"));
  EXPECT_EQ(read_usage(R"({"usage":{"prompt_tokens":1},"usage":null})"), (Usage{.input = 1}));
  EXPECT_EQ(read_usage(R"({"x_groq":{"usage":{"prompt_tokens":2}},"usage":{"prompt_tokens":1}})"), (Usage{.input = 1}));
}

}  // namespace
}  // namespace tollgate::protocol::openai
