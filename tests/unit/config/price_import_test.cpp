#include "tollgate/config/price_import.hpp"

#include "tollgate/config/prices.hpp"

#include "config/exact_number.hpp"
#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// LiteLLM's price map. tests/data/litellm_prices.json is of our own making and has a field of each kind that theirs
// has; what comes out of it is read by the very loader that a gateway uses.

namespace tollgate::config {
namespace {

using policy::PriceRow;

constexpr std::int64_t dollar = Money::nanos_per_dollar;

ImportedPrices sample(const std::vector<std::string>& providers = {}) {
  const auto text = test::disk_sources().read_file(tollgate::test::in_project("tests/data/litellm_prices.json"));
  const auto imported = import_litellm_prices(*text, providers);
  EXPECT_TRUE(imported);
  return *imported;
}

std::shared_ptr<const policy::PriceBook> book_of(const ImportedPrices& imported) {
  test::Memory memory;
  memory.files["/prices.yaml"] = imported.yaml;
  const LoadedPrices loaded = load_prices("/prices.yaml", memory.sources());
  for (const Fault& fault : loaded.faults) ADD_FAILURE() << to_text(fault) << "\n" << imported.yaml;
  return loaded.book;
}

ImportedPrices import_model(const std::string& fields) {
  const auto imported = import_litellm_prices(R"({"m": {"litellm_provider": "p", )" + fields + "}}", {});
  EXPECT_TRUE(imported);
  return *imported;
}

TEST(ExactNumber, is_a_whole_number_after_its_shift_or_nothing) {
  EXPECT_EQ(exactly("5e-06", 15), 5 * dollar);
  EXPECT_EQ(exactly("5E-6", 15), 5 * dollar);
  EXPECT_EQ(exactly("0.000005", 15), 5 * dollar);
  EXPECT_EQ(exactly("0.0000050", 15), 5 * dollar);
  EXPECT_EQ(exactly("1.25e+2", 0), 125);
  EXPECT_EQ(exactly("0.0", 0), 0);
  EXPECT_EQ(exactly("256000.0", 0), 256'000);
  EXPECT_EQ(exactly("3.0000000000000001e-07", 15), std::nullopt);
  EXPECT_EQ(exactly("123456789012345678", 0), 123'456'789'012'345'678);
  for (const char* bad :
       {"", "-1", "+1", "1e", "e5", "1.2.3", "1e5x", "nan", ".", "1e99999999999", "1e400", "1234567890123456789", " 1"})
    EXPECT_EQ(exactly(bad, 0), std::nullopt) << bad;
}

TEST(ExactNumber, stays_text_on_its_way_out_of_json) {
  const Json json =
      parse_with_exact_numbers(R"({"a": [1e-07, 0.10, -3, "x", null, true, {"b": 18446744073709551615}]})");
  EXPECT_EQ(json.dump(), R"({"a":["1e-07","0.10","-3","x",null,true,{"b":"18446744073709551615"}]})");
  EXPECT_TRUE(parse_with_exact_numbers("{").is_discarded());
  EXPECT_TRUE(parse_with_exact_numbers(std::string(10'000, '[')).is_discarded());
}

TEST(LitellmImport, carries_rates_tiers_and_service_tiers_over) {
  const auto book = book_of(sample());
  ASSERT_TRUE(book);
  const PriceRow& gpt = book->find("openai", "gpt-5.5")->rows()[0];
  EXPECT_EQ(gpt.rates, (policy::Rates{.input = 5 * dollar, .cached_input = dollar / 2, .output = 30 * dollar}));
  ASSERT_EQ(gpt.tiers.size(), 1u);
  EXPECT_EQ(gpt.tiers[0],
            (policy::PriceTier{.threshold = 272'000,
                               .inclusive = false,
                               .rates = {.input = 10 * dollar, .cached_input = dollar, .output = 45 * dollar}}));
  EXPECT_EQ(gpt.service_tiers, (policy::ServiceFactors{1'000'000, 500'000, 1'000'000, 2'000'000, 1'000'000}));
  EXPECT_EQ(gpt.per_search, 10'000 * dollar);
  EXPECT_EQ(gpt.source, "LiteLLM: https://openai.com/pricing");
  const PriceRow& claude = book->find("anthropic", "claude-opus-4-7")->rows()[0];
  EXPECT_EQ(claude.rates.cache_write_long, 10 * dollar);
  EXPECT_EQ(claude.tiers[0].rates.cache_write_long, 20 * dollar);
  EXPECT_EQ(claude.service_tiers[4], 6'000'000);
}

TEST(LitellmImport, takes_the_prefix_off_and_knows_whose_boundary_is_inclusive) {
  const auto book = book_of(sample());
  ASSERT_TRUE(book);
  const PriceRow& grok = book->find("xai", "grok-4.6")->rows()[0];
  EXPECT_TRUE(grok.tiers[0].inclusive);
  EXPECT_EQ(grok.tiers[0].threshold, 200'000u);
}

TEST(LitellmImport, sorts_lists_of_ranges) {
  const auto book = book_of(sample());
  ASSERT_TRUE(book);
  const PriceRow& qwen = book->find("dashscope", "qwen-plus")->rows()[0];
  EXPECT_EQ(qwen.rates, (policy::Rates{.input = 400'000'000, .cached_input = 40'000'000, .output = 1'200'000'000}));
  ASSERT_EQ(qwen.tiers.size(), 1u);
  EXPECT_EQ(qwen.tiers[0].threshold, 256'000u);
  EXPECT_EQ(qwen.tiers[0].rates, (policy::Rates{.input = 1'200'000'000, .output = 3'600'000'000}));
}

TEST(LitellmImport, tells_free_from_unknown) {
  const auto book = book_of(sample());
  ASSERT_TRUE(book);
  EXPECT_TRUE(book->find("openai", "omni-moderation-latest")->rows()[0].free);
  EXPECT_EQ(book->find("openai", "text-embedding-3-small")->rows()[0].rates.output, 0);
  EXPECT_EQ(book->find("cohere", "rerank-v3.5")->rows()[0].per_call, 2'000'000);
  EXPECT_TRUE(book->find("openai", "ft:gpt-4o-2024-08-06:acme::abc"));
  for (const char* name : {"whisper-1", "half-a-price", "too-fine", "negative", "1024-x-1024/dall-e-3"})
    EXPECT_EQ(book->find("openai", name), nullptr) << name;
}

TEST(LitellmImport, tells_all_that_it_could_not_carry_over) {
  const ImportedPrices imported = sample();
  EXPECT_EQ(imported.models, 9u);
  EXPECT_EQ(imported.findings,
            (std::vector<std::string>{
                "anthropic/claude-opus-4-7: provider_specific_entry.us: a row has no such factor",
                "anthropic/claude-opus-4-7: regional_processing_uplift_multiplier_eu: a row cannot name regions",
                "xai/grok-4.6: its flex prices are not one share of its list prices",
                "openai/whisper-1: input_cost_per_second is in a unit that a row does not have",
                "openai/whisper-1: output_cost_per_second is in a unit that a row does not have",
                "openai/whisper-1: it has no price by tokens or by call; left out",
                "openai/1024-x-1024/dall-e-3: input_cost_per_pixel is in a unit that a row does not have",
                "openai/1024-x-1024/dall-e-3: it has no price by tokens or by call; left out",
                "openai/half-a-price: it has a price for input or for output only; left out",
                "openai/too-fine: input_cost_per_token is no amount that a row can hold exactly: '1.00000000001e-06'; "
                "left out",
                "openai/negative: input_cost_per_token is no amount that a row can hold exactly: '-1e-06'; left out",
                "deepseek/peaks: off_peak_pricing: a row cannot name hours of the day",
                "openai/a name with blanks: a name that prices cannot have; left out",
                "/nobody's: a name that prices cannot have; left out"}));
}

TEST(LitellmImport, takes_the_providers_that_were_asked_for) {
  const ImportedPrices imported = sample({"xai", "cohere"});
  EXPECT_EQ(imported.models, 2u);
  EXPECT_EQ(imported.findings.size(), 1u);
  const auto book = book_of(imported);
  ASSERT_TRUE(book);
  EXPECT_EQ(book->find("openai", "gpt-5.5"), nullptr);
  EXPECT_TRUE(book_of(sample({"unheard-of"})));
}

TEST(LitellmImport, takes_the_dearest_search) {
  const ImportedPrices imported = import_model(
      R"("input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
         "search_context_cost_per_query": {"search_context_size_low": 0.03, "search_context_size_high": "0.05"})");
  EXPECT_EQ(imported.findings.size(), 1u);
  EXPECT_EQ(book_of(imported)->find("p", "m")->rows()[0].per_search, 50'000 * dollar);
}

TEST(LitellmImport, lets_no_text_of_the_file_become_yaml) {
  const auto imported = import_litellm_prices(
      R"({"a\": {free: true}, \"b": {"litellm_provider": "p", "input_cost_per_token": 1, "output_cost_per_token": 1},
          "c": {"litellm_provider": "p", "source": "\"}, d: {free: true} #", "input_cost_per_token": 1e-6,
                "output_cost_per_token": 1e-6}})",
      {});
  ASSERT_TRUE(imported);
  const auto book = book_of(*imported);
  ASSERT_TRUE(book);
  EXPECT_EQ(imported->models, 1u);
  EXPECT_EQ(book->find("p", "c")->rows()[0].source, "LiteLLM: \"}, d: {free: true} #");
  EXPECT_EQ(book->find("p", "d"), nullptr);
}

TEST(LitellmImport, refuses_what_is_no_such_file) {
  for (const char* text : {"", "[]", "1", "{", "{\"a\": 1e999}"}) EXPECT_FALSE(import_litellm_prices(text, {})) << text;
}

}  // namespace
}  // namespace tollgate::config
