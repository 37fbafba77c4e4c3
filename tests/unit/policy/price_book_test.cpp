#include "tollgate/policy/price_book.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

// The arithmetic by itself; what the shipped prices make of it stands in tests/golden/invoices. A rate of one dollar
// per million tokens is a thousand nano-dollars per token.

namespace tollgate::policy {
namespace {

using protocol::ServiceTier;
using protocol::Usage;
using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr std::int64_t dollar = Money::nanos_per_dollar;

PriceRow plain(std::int64_t input, std::int64_t output) {
  PriceRow row;
  row.rates.input = input * dollar;
  row.rates.output = output * dollar;
  return row;
}

TEST(Cost, of_a_class_without_a_rate_is_that_of_what_it_is_a_part_of) {
  const PriceRow row = plain(2, 10);
  const Usage usage{.input = 100,
                    .cached_input = 10,
                    .cache_write = 20,
                    .cache_write_long = 5,
                    .audio_input = 7,
                    .image_input = 3,
                    .output = 50,
                    .reasoning = 30,
                    .audio_output = 4,
                    .image_output = 2};
  EXPECT_EQ(cost_of(row, usage).nanos, 100 * 2000 + 50 * 10'000);
}

TEST(Cost, takes_every_class_at_its_own_rate) {
  PriceRow row = plain(1, 1);
  row.rates = {.input = 1 * dollar,
               .cached_input = 2 * dollar,
               .cache_write = 3 * dollar,
               .cache_write_long = 4 * dollar,
               .audio_input = 5 * dollar,
               .image_input = 6 * dollar,
               .output = 7 * dollar,
               .reasoning = 8 * dollar,
               .audio_output = 9 * dollar,
               .image_output = 10 * dollar};
  row.per_call = 3;
  row.per_search = 10'000 * dollar;
  const Usage usage{.input = 1'111'111,
                    .cached_input = 10,
                    .cache_write = 100,
                    .cache_write_long = 1000,
                    .audio_input = 10'000,
                    .image_input = 100'000,
                    .output = 1111,
                    .reasoning = 10,
                    .audio_output = 100,
                    .image_output = 1000,
                    .searches = 2};
  const std::int64_t input = 1'000'001 * 1 + 10 * 2 + 100 * 3 + 1000 * 4 + 10'000 * 5 + 100'000 * 6;
  const std::int64_t output = 1 * 7 + 10 * 8 + 100 * 9 + 1000 * 10;
  EXPECT_EQ(cost_of(row, usage).nanos, (input + output) * 1000 + 3 + 2 * 10'000'000);
}

TEST(Cost, charges_a_long_cache_write_as_a_short_one_where_it_has_no_rate) {
  PriceRow row = plain(2, 10);
  row.rates.cache_write = 3 * dollar;
  EXPECT_EQ(cost_of(row, {.input = 10, .cache_write_long = 10}).nanos, 30'000);
}

TEST(Cost, charges_the_parts_where_they_are_more_than_the_whole) {
  PriceRow row = plain(2, 10);
  row.rates.cached_input = dollar;
  EXPECT_EQ(cost_of(row, {.input = 5, .cached_input = 8, .cache_write = 3}).nanos, 8 * 1000 + 3 * 2000);
  EXPECT_EQ(cost_of(row, {.output = 5, .reasoning = 8}).nanos, 80'000);
}

TEST(Cost, is_rounded_half_up_and_once) {
  PriceRow row;
  row.rates = {.input = 1, .cached_input = 1, .output = 1};  // a millionth of a nano-dollar per token
  EXPECT_EQ(cost_of(row, {.input = 499'999}).nanos, 0);
  EXPECT_EQ(cost_of(row, {.input = 500'000}).nanos, 1);
  EXPECT_EQ(cost_of(row, {.input = 600'000, .cached_input = 300'000, .output = 899'999}).nanos, 1);
  EXPECT_EQ(cost_of(row, {.input = 600'000, .cached_input = 300'000, .output = 900'000}).nanos, 2);
}

TEST(Cost, rounds_after_its_factors) {
  PriceRow row;
  row.rates.input = 1;
  row.service_tiers[static_cast<std::size_t>(ServiceTier::batch)] = 500'000;
  row.factor = 900'000;
  EXPECT_EQ(cost_of(row, {.input = 1'111'111, .tier = ServiceTier::batch}).nanos, 0);  // 0.49999995
  EXPECT_EQ(cost_of(row, {.input = 1'111'112, .tier = ServiceTier::batch}).nanos, 1);  // 0.5000004
}

TEST(Cost, takes_the_discount_on_all_and_the_service_tier_on_all_but_searches) {
  PriceRow row = plain(1, 0);
  row.per_call = 500'000;
  row.per_search = 10'000 * dollar;
  row.factor = 900'000;
  row.service_tiers[static_cast<std::size_t>(ServiceTier::priority)] = 2'000'000;
  const Usage usage{.input = 1000, .searches = 1, .tier = ServiceTier::priority};
  EXPECT_EQ(cost_of(row, usage).nanos, (2 * (1'000'000 + 500'000) + 10'000'000) * 9 / 10);
}

TEST(Cost, of_a_free_row_is_nothing_whatever_its_rates) {
  PriceRow row = plain(5, 5);
  row.free = true;
  EXPECT_EQ(cost_of(row, {.input = 1'000'000, .output = 1'000'000}), Money{});
  EXPECT_EQ(worst_case(row, 1'000'000, 1'000'000), Money{});
}

TEST(Cost, never_exceeds_its_bound_whatever_a_provider_counts) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  PriceRow row = plain(1'000'000, 1'000'000);
  row.per_call = most_rate;
  row.per_search = 1000 * most_rate;
  const Usage usage{most, most, most, most, most, most, most, most, most, most, most};
  EXPECT_EQ(cost_of(row, usage), most_per_attempt);
  EXPECT_EQ(worst_case(row, most, most, most), most_per_attempt);
  row.service_tiers[0] = most_service_factor;
  EXPECT_EQ(cost_of(row, usage), most_per_attempt);
  row.factor = 1;
  EXPECT_EQ(cost_of(row, usage), most_per_attempt);
  row.tiers = {{.threshold = most, .marginal = true, .rates = row.rates}};
  EXPECT_EQ(cost_of(row, usage), most_per_attempt);
}

TEST(Tier, reprices_the_whole_request_at_its_boundary) {
  PriceRow row = plain(5, 30);
  row.tiers = {{.threshold = 1000, .inclusive = true, .rates = plain(10, 45).rates}};
  const auto cost = [&row](std::uint64_t input) {
    return cost_of(row, {.input = input, .cached_input = 600, .output = 10}).nanos;
  };
  EXPECT_EQ(cost(999), 999 * 5000 + 300'000);
  EXPECT_EQ(cost(1000), 1000 * 10'000 + 450'000);
  row.tiers[0].inclusive = false;
  EXPECT_EQ(cost(1000), 1000 * 5000 + 300'000);
  EXPECT_EQ(cost(1001), 1001 * 10'000 + 450'000);
}

TEST(Tier, goes_by_the_parts_where_they_are_more_than_the_whole) {
  PriceRow row = plain(5, 30);
  row.tiers = {{.threshold = 1000, .rates = plain(10, 45).rates}};
  EXPECT_EQ(cost_of(row, {.input = 10, .cached_input = 1000}).nanos, 10'000'000);
}

TEST(Tier, keeps_the_rows_rate_of_a_class_that_it_does_not_name) {
  PriceRow row = plain(5, 30);
  row.rates.cached_input = dollar;
  row.tiers = {{.threshold = 10, .rates = {.input = 10 * dollar}}};
  EXPECT_EQ(cost_of(row, {.input = 10, .cached_input = 4, .output = 1}).nanos, 6 * 10'000 + 4 * 1000 + 30'000);
}

TEST(Tier, that_is_the_highest_reached_counts) {
  PriceRow row = plain(1, 0);
  row.tiers = {{.threshold = 10, .rates = plain(2, 0).rates}, {.threshold = 20, .rates = plain(3, 0).rates}};
  EXPECT_EQ(cost_of(row, {.input = 9}).nanos, 9 * 1000);
  EXPECT_EQ(cost_of(row, {.input = 19}).nanos, 19 * 2000);
  EXPECT_EQ(cost_of(row, {.input = 20}).nanos, 20 * 3000);
}

TEST(MarginalTier, has_only_what_is_above_it) {
  PriceRow row = plain(1, 7);
  row.tiers = {{.threshold = 10, .inclusive = false, .marginal = true, .rates = plain(2, 9).rates},
               {.threshold = 20, .inclusive = true, .marginal = true, .rates = plain(4, 9).rates}};
  EXPECT_EQ(cost_of(row, {.input = 10, .output = 1}).nanos, 10 * 1000 + 7000);
  EXPECT_EQ(cost_of(row, {.input = 11, .output = 1}).nanos, 10 * 1000 + 2000 + 7000);
  EXPECT_EQ(cost_of(row, {.input = 19}).nanos, 10 * 1000 + 9 * 2000);
  EXPECT_EQ(cost_of(row, {.input = 25}).nanos, 10 * 1000 + 9 * 2000 + 6 * 4000);
}

TEST(MarginalTier, takes_the_cached_part_as_the_beginning_of_the_prompt) {
  PriceRow row = plain(10, 0);
  row.rates.cached_input = 1 * dollar;
  row.tiers = {{.threshold = 100, .inclusive = false, .marginal = true, .rates = {.input = 20 * dollar}}};
  EXPECT_EQ(cost_of(row, {.input = 150, .cached_input = 80}).nanos, 80 * 1000 + 20 * 10'000 + 50 * 20'000);
  EXPECT_EQ(cost_of(row, {.input = 150, .cached_input = 120}).nanos, 120 * 1000 + 30 * 20'000);
}

TEST(WorstCase, takes_the_dearest_class_tier_and_service_tier) {
  PriceRow row = plain(2, 10);
  row.rates.cache_write_long = 4 * dollar;
  row.rates.reasoning = 11 * dollar;
  row.per_call = 5;
  row.per_search = 1000 * dollar;
  EXPECT_EQ(worst_case(row, 100, 10).nanos, 400'000 + 110'000 + 5);
  EXPECT_EQ(worst_case(row, 100, 10, 2).nanos, 400'000 + 110'000 + 5 + 2'000'000);
  row.service_tiers[static_cast<std::size_t>(ServiceTier::fast)] = 3'000'000;
  EXPECT_EQ(worst_case(row, 100, 10, 2).nanos, 3 * (400'000 + 110'000 + 5) + 2'000'000);
  row.tiers = {{.threshold = 100, .rates = {.output = 20 * dollar}}};
  EXPECT_EQ(worst_case(row, 99, 10).nanos, 3 * (99 * 4000 + 110'000 + 5));
  EXPECT_EQ(worst_case(row, 100, 10).nanos, 3 * (100 * 4000 + 200'000 + 5));
}

TEST(WorstCase, knows_that_a_shorter_prompt_may_be_dearer) {
  PriceRow row = plain(10, 10);
  row.tiers = {{.threshold = 100, .rates = plain(1, 1).rates}};
  EXPECT_EQ(worst_case(row, 200, 10).nanos, 99 * 10'000 + 10 * 10'000);
}

TEST(WorstCase, of_a_cheap_service_tier_is_the_standard_one) {
  PriceRow row = plain(1, 1);
  row.service_tiers[static_cast<std::size_t>(ServiceTier::batch)] = 500'000;
  EXPECT_EQ(worst_case(row, 10, 10).nanos, 20'000);
}

/// Rows and usages of every shape, small enough that boundaries are met.
class Chance {
 public:
  PriceRow row() {
    PriceRow row;
    row.rates = rates(true);
    const bool marginal = one_in(3);
    std::uint64_t threshold = 0;
    for (std::uint64_t tiers = below(4); tiers > 0; --tiers) {
      threshold += 1 + below(20);
      row.tiers.push_back({threshold, one_in(2), marginal, rates(false)});
    }
    // An inclusive tier right above an exclusive one would leave it nothing; the loader refuses it.
    for (std::size_t i = 1; i < row.tiers.size(); ++i) row.tiers[i].inclusive = row.tiers[0].inclusive;
    if (one_in(2)) row.per_call = static_cast<std::int64_t>(below(1000));
    if (one_in(2)) row.per_search = static_cast<std::int64_t>(below(1'000'000'000));
    for (auto& factor : row.service_tiers) {
      if (one_in(2)) factor = static_cast<std::int64_t>(below(3'000'000));
    }
    if (one_in(2)) row.factor = static_cast<std::int64_t>(below(1'000'001));
    return row;
  }

  Usage usage() {
    Usage usage{.input = below(80), .output = below(80), .searches = below(4)};
    std::uint64_t left = usage.input;
    for (auto* part :
         {&usage.cached_input, &usage.cache_write, &usage.cache_write_long, &usage.audio_input, &usage.image_input}) {
      if (one_in(2)) left -= * part = below(left + 1);
    }
    left = usage.output;
    for (auto* part : {&usage.reasoning, &usage.audio_output, &usage.image_output}) {
      if (one_in(2)) left -= * part = below(left + 1);
    }
    usage.tier = static_cast<ServiceTier>(below(5));
    return usage;
  }

 private:
  Rates rates(bool whole) {
    Rates rates;
    for (auto* rate :
         {&rates.input, &rates.cached_input, &rates.cache_write, &rates.cache_write_long, &rates.audio_input,
          &rates.image_input, &rates.output, &rates.reasoning, &rates.audio_output, &rates.image_output}) {
      if (one_in(2)) *rate = static_cast<std::int64_t>(below(1'000'000));
    }
    if (whole) rates.input = rates.input.value_or(1000);
    return rates;
  }
  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  std::mt19937_64 engine_{20260923};
};

TEST(WorstCase, is_never_below_what_a_call_within_it_costs) {
  Chance chance;
  std::size_t reached = 0;
  for (int i = 0; i < 100'000; ++i) {
    const PriceRow row = chance.row();
    const Usage usage = chance.usage();
    const Money cost = cost_of(row, usage);
    const Money worst = worst_case(row, usage.input, usage.output, usage.searches);
    ASSERT_LE(cost, worst) << "round " << i;
    ASSERT_LE(worst, worst_case(row, usage.input + 7, usage.output + 3, usage.searches + 1)) << "round " << i;
    reached += cost == worst ? 1 : 0;
  }
  EXPECT_GT(reached, 100u);  // it is no higher than it has to be
}

TEST(WorstCase, is_the_same_of_a_row_that_is_part_of_a_price) {
  Chance chance;
  for (int i = 0; i < 10'000; ++i) {
    PriceRow row = chance.row();
    row.from = row.until = std::nullopt;
    const Usage usage = chance.usage();
    const Price price({row});
    const PriceRow* const held = price.at({});
    ASSERT_TRUE(held && held->dearest);
    ASSERT_EQ(worst_case(*held, usage.input, usage.output, usage.searches),
              worst_case(row, usage.input, usage.output, usage.searches))
        << "round " << i;
  }
}

TEST(WorstCase, is_what_some_call_within_it_costs) {
  Chance chance;
  for (int i = 0; i < 500; ++i) {
    const PriceRow row = chance.row();
    Money dearest;
    for (std::uint64_t input = 0; input <= 40; ++input) {
      for (std::size_t part = 0; part < 6; ++part) {
        for (std::size_t answer = 0; answer < 4; ++answer) {
          Usage usage{.input = input, .output = 9, .searches = 1};
          std::uint64_t unused = 0;
          *std::array{
              &unused,           &usage.cached_input, &usage.cache_write, &usage.cache_write_long, &usage.audio_input,
              &usage.image_input}[part] = input;
          *std::array{&unused, &usage.reasoning, &usage.audio_output, &usage.image_output}[answer] = 9;
          for (std::uint8_t tier = 0; tier < 5; ++tier) {
            usage.tier = static_cast<ServiceTier>(tier);
            dearest = std::max(dearest, cost_of(row, usage));
          }
        }
      }
    }
    // A prompt of several classes may come to more in a marginal tier, never one of a whole tier.
    if (!row.tiers.empty() && row.tiers.front().marginal)
      ASSERT_GE(worst_case(row, 40, 9, 1), dearest);
    else
      ASSERT_EQ(worst_case(row, 40, 9, 1), dearest) << "round " << i;
  }
}

PriceRow dated(std::string id, std::optional<SystemTime> from, std::optional<SystemTime> until) {
  PriceRow row;
  row.id = std::move(id);
  row.from = from;
  row.until = until;
  return row;
}

TEST(Price, is_the_row_that_began_last_and_still_holds) {
  const SystemTime first = sys_days(2026y / 8 / 21), sale = sys_days(2026y / 10 / 1), end = sys_days(2026y / 11 / 1);
  const Price price({dated("sale", sale, end), dated("new", first, {}), dated("old", {}, first)});
  const auto id_at = [&price](SystemTime when) { return price.at(when)->id; };
  EXPECT_EQ(id_at(first - 1ns), "old");
  EXPECT_EQ(id_at(first), "new");
  EXPECT_EQ(id_at(sale), "sale");
  EXPECT_EQ(id_at(end - 1ns), "sale");
  EXPECT_EQ(id_at(end), "new");
}

TEST(Price, is_none_where_no_row_holds) {
  const SystemTime begin = sys_days(2026y / 1 / 1), end = sys_days(2026y / 2 / 1);
  const Price price({dated("january", begin, end)});
  EXPECT_EQ(price.at(begin - 1ns), nullptr);
  EXPECT_EQ(price.at(end), nullptr);
  EXPECT_EQ(Price({}).at(begin), nullptr);
}

TEST(PriceBook, finds_the_name_before_the_longest_star) {
  PriceBook book;
  for (const char* name : {"*", "gpt-5*", "gpt-5", "gpt-5-mini*"})
    book.add("openai", name, Price({dated(name, {}, {})}));
  const auto found = [&book](std::string_view model) { return book.find("openai", model)->rows().front().id; };
  EXPECT_EQ(found("gpt-5"), "gpt-5");
  EXPECT_EQ(found("gpt-5-2025-08-07"), "gpt-5*");
  EXPECT_EQ(found("gpt-5-mini-2025-08-07"), "gpt-5-mini*");
  EXPECT_EQ(found("gpt-5-mini"), "gpt-5-mini*");
  EXPECT_EQ(found("o3"), "*");
}

TEST(PriceBook, knows_nothing_of_another_providers_models) {
  PriceBook book;
  EXPECT_TRUE(book.empty());
  book.add("openai", "gpt-5", Price({}));
  EXPECT_EQ(book.find("azure", "gpt-5"), nullptr);
  EXPECT_EQ(book.find("openai", "gpt"), nullptr);
  EXPECT_FALSE(book.empty());
}

TEST(PriceBook, moves_nothing_that_it_has_handed_out) {
  PriceBook book;
  book.add("openai", "gpt-5", Price({dated("first", {}, {})}));
  book.add("openai", "gpt-4*", Price({dated("star", {}, {})}));
  const Price *name = book.find("openai", "gpt-5"), *star = book.find("openai", "gpt-4o");
  for (int i = 0; i < 100; ++i) {
    book.add("openai", "m" + std::to_string(i), Price({}));
    book.add("openai", "m" + std::to_string(i) + "*", Price({}));
  }
  book.add("openai", "gpt-5", Price({dated("second", {}, {})}));
  EXPECT_EQ(book.find("openai", "gpt-5"), name);
  EXPECT_EQ(name->rows().front().id, "first");
  EXPECT_EQ(book.find("openai", "gpt-4o"), star);
}

}  // namespace
}  // namespace tollgate::policy
