// Money on the metrics page: every amount is compared digit by digit, since that is how it is compared with the ledger.
// Beside it what hangs on money: tokens of all kinds, budgets, the ledger's state, OpenTelemetry's names.
#include "tollgate/io/metrics.hpp"

#include "io/telemetry/cells.hpp"
#include "scrape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace {

using namespace tollgate;
using io::Metrics;
using pipeline::AttemptRecord;
using pipeline::RequestRecord;
using pipeline::Waste;
using test::answered;
using test::Scrape;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

AttemptRecord attempt_at(std::string_view model, std::int64_t nanos, Waste waste = Waste::none) {
  AttemptRecord attempt;
  attempt.target = "openai/x";
  attempt.model = model;
  attempt.cost = Money{nanos};
  attempt.waste = waste;
  return attempt;
}

RequestRecord costing(std::vector<AttemptRecord> attempts) {
  auto record = answered();
  record.attempts = std::move(attempts);
  return record;
}

std::string text_after(const RequestRecord& record) {
  Metrics metrics;
  metrics.add_worker().finished(record);
  return metrics.text();
}

TEST(MoneyMetrics, amounts_are_printed_with_all_their_digits) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  worker.finished(costing({attempt_at("small", 9'007'199'254'740'992)}));
  worker.finished(costing({attempt_at("small", 1)}));  // 2^53 + 1: no double holds it
  EXPECT_THAT(
      metrics.text(),
      HasSubstr("tollgate_cost_usd_total{tenant=\"default\",task=\"chat\",model=\"small\"} 9007199.254740993\n"));
}

TEST(MoneyMetrics, random_amounts_over_workers_add_up_to_the_nano_dollar) {
  Metrics metrics;
  auto &one = metrics.add_worker(), &two = metrics.add_worker();
  std::mt19937_64 random(7);
  Money sum, wasted;
  for (int i = 0; i < 10'000; ++i) {
    const auto nanos = static_cast<std::int64_t>(random() % 700'000'001);
    const auto waste = static_cast<Waste>(random() % 6);
    sum += Money{nanos};
    if (waste == Waste::hedge) wasted += Money{nanos};
    (random() % 2 ? one : two).finished(costing({attempt_at("small", nanos, waste)}));
  }
  const std::string text = metrics.text();
  const auto line = [](const std::string& series, Money amount) {
    return series + " " + std::string(MoneyText(amount).text()) + "\n";
  };
  EXPECT_THAT(text, HasSubstr(line(R"(tollgate_cost_usd_total{tenant="default",task="chat",model="small"})", sum)));
  EXPECT_THAT(text, HasSubstr(line(R"(tollgate_wasted_cost_usd_total{tenant="default",model="small",reason="hedge"})",
                                   wasted)));
}

TEST(MoneyMetrics, each_attempt_is_paid_under_the_model_that_it_asked) {
  const std::string text =
      text_after(costing({attempt_at("large", 250'000'000, Waste::fallback), attempt_at("small", 75'000'000)}));
  EXPECT_THAT(text, HasSubstr("tollgate_cost_usd_total{tenant=\"default\",task=\"chat\",model=\"large\"} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_cost_usd_total{tenant=\"default\",task=\"chat\",model=\"small\"} 0.075\n"));
  EXPECT_THAT(
      text, HasSubstr("tollgate_wasted_cost_usd_total{tenant=\"default\",model=\"large\",reason=\"fallback\"} 0.25\n"));
  EXPECT_EQ(Scrape(text).series_of("tollgate_wasted_cost_usd_total"), 1u);
}

TEST(MoneyMetrics, what_cost_nothing_or_has_no_price_is_no_series) {
  auto record = costing({attempt_at("small", 0)});
  record.attempts.emplace_back();
  EXPECT_EQ(Scrape(text_after(record)).series_of("tollgate_cost_usd_total"), 0u);
}

TEST(MoneyMetrics, a_model_without_a_price_is_counted_once_a_request) {
  auto record = costing({attempt_at("priced", 5), attempt_at("a", 0), attempt_at("a", 0), attempt_at("b", 0)});
  for (std::size_t i = 1; i < record.attempts.size(); ++i) record.attempts[i].cost.reset();
  record.unpriced = true;
  const Scrape scrape(text_after(record));
  EXPECT_EQ(scrape.at(R"(tollgate_unpriced_requests_total{model="a"})"), 1);
  EXPECT_EQ(scrape.at(R"(tollgate_unpriced_requests_total{model="b"})"), 1);
  EXPECT_EQ(scrape.series_of("tollgate_unpriced_requests_total"), 2u);
  EXPECT_EQ(scrape.series_of("tollgate_estimated_requests_total"), 0u);
}

TEST(MoneyMetrics, an_estimate_is_counted_under_the_model_that_told_nothing) {
  auto record = costing({attempt_at("silent", 5), attempt_at("small", 5)});
  record.attempts.front().estimated = record.estimated = true;
  const Scrape scrape(text_after(record));
  EXPECT_EQ(scrape.at(R"(tollgate_estimated_requests_total{model="silent"})"), 1);
  EXPECT_EQ(scrape.series_of("tollgate_estimated_requests_total"), 1u);
}

TEST(MoneyMetrics, tokens_of_attempts_come_in_all_kinds_and_are_not_counted_again_with_the_request) {
  auto record = costing({attempt_at("small", 1)});
  record.attempts.front().usage = protocol::Usage{.input = 1000,
                                                  .cached_input = 100,
                                                  .cache_write = 20,
                                                  .cache_write_long = 3,
                                                  .audio_input = 7,
                                                  .image_input = 50,
                                                  .output = 400,
                                                  .reasoning = 300,
                                                  .audio_output = 11};
  record.usage = record.attempts.front().usage;
  const Scrape scrape(text_after(record));
  const auto tokens = [&](const std::string& kind) {
    return scrape.at("tollgate_tokens_total{tenant=\"default\",task=\"chat\",model=\"small\",kind=\"" + kind + "\"}");
  };
  EXPECT_EQ(tokens("cache_read"), 100);
  EXPECT_EQ(tokens("cache_write"), 23);
  EXPECT_EQ(tokens("audio_input"), 7);
  EXPECT_EQ(tokens("input_uncached"), 870);
  EXPECT_EQ(tokens("reasoning"), 300);
  EXPECT_EQ(tokens("audio_output"), 11);
  EXPECT_EQ(tokens("output_visible"), 89);
}

TEST(MoneyMetrics, budgets_are_asked_at_each_scrape) {
  std::vector<pipeline::BudgetFigures> budgets;
  Metrics metrics({.budgets = [&budgets] { return budgets; }});
  EXPECT_EQ(Scrape(metrics.text()).series_of("tollgate_budget_limit_usd"), 0u);
  budgets = {{"acme", "monthly", Money{500'000'000'000}, Money{499'999'999'999}, Money{1}, Money{2'500'000'000}},
             {"", "route \"auto\"", Money{10}, Money{}, Money{}, Money{}}};
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("tollgate_budget_limit_usd{tenant=\"acme\",budget=\"monthly\"} 500\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_budget_spent_usd{tenant=\"acme\",budget=\"monthly\"} 499.999999999\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_budget_reserved_usd{tenant=\"acme\",budget=\"monthly\"} 0.000000001\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_budget_overshoot_usd_total{tenant=\"acme\",budget=\"monthly\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_budget_limit_usd{tenant=\"none\",budget=\"route \\\"auto\\\"\"} 0.00000001\n"));
}

TEST(MoneyMetrics, two_budgets_of_one_name_do_not_break_the_page) {
  const pipeline::BudgetFigures budget{"acme", "monthly", Money{5}, Money{1}, Money{}, Money{}};
  Metrics metrics({.budgets = [&budget] { return std::vector{budget, budget}; }});
  const std::string text = metrics.text();
  EXPECT_EQ(Scrape(text).series_of("tollgate_budget_limit_usd"), 1u);
  EXPECT_THAT(text, HasSubstr("tollgate_budget_limit_usd{tenant=\"acme\",budget=\"monthly\"} 0.00000001\n"));
}

TEST(MoneyMetrics, the_ledger_is_told_only_where_there_is_one) {
  EXPECT_THAT(Metrics().text(), Not(HasSubstr("\ntollgate_ledger_writable ")));
  pipeline::LedgerFigures ledger{.lag = 1500ms, .journal_bytes = 8 << 20, .writable = false};
  Metrics metrics({.ledger = [&ledger] { return ledger; }});
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.at("tollgate_ledger_lag_seconds"), 1.5);
  EXPECT_EQ(scrape.at("tollgate_ledger_journal_bytes"), 8 << 20);
  EXPECT_EQ(scrape.at("tollgate_ledger_writable"), 0);
}

TEST(MoneyMetrics, certificates_are_those_of_the_last_configuration) {
  Metrics metrics;
  metrics.certificates_loaded({{"old.pem", SystemTime(1s)}});
  metrics.certificates_loaded({{"new.pem", SystemTime(1'900'000'000s)}});
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.at(R"(tollgate_certificate_expiry_timestamp_seconds{file="new.pem"})"), 1'900'000'000);
  EXPECT_EQ(scrape.series_of("tollgate_certificate_expiry_timestamp_seconds"), 1u);
}

TEST(MoneyMetrics, the_names_of_opentelemetry_have_its_buckets) {
  auto record = answered();
  record.target = "openai/gpt-small";
  record.endpoint = "/v1/chat/completions";
  record.duration = 20ms;
  record.first_token = 20ms;
  record.usage = protocol::Usage{.input = 64, .output = 65};
  const Scrape scrape(text_after(record));
  const std::string labels =
      R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="small")";
  const auto bounds = [&](const std::string& name, const std::string& more) {
    const std::string begin = name + "_bucket{" + labels + more + ",le=\"";
    std::map<double, double> found;
    for (const auto& [series, value] : scrape.samples) {
      if (!series.starts_with(begin)) continue;
      const std::string bound = series.substr(begin.size(), series.size() - begin.size() - 2);
      found[bound == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(bound)] = value;
    }
    return found;
  };
  const double none = std::numeric_limits<double>::infinity();
  using Bounds = std::map<double, double>;
  EXPECT_EQ(bounds("gen_ai_client_token_usage", R"(,gen_ai_token_type="input")"), (Bounds{{1, 0},
                                                                                          {4, 0},
                                                                                          {16, 0},
                                                                                          {64, 1},
                                                                                          {256, 1},
                                                                                          {1024, 1},
                                                                                          {4096, 1},
                                                                                          {16384, 1},
                                                                                          {65536, 1},
                                                                                          {262144, 1},
                                                                                          {1048576, 1},
                                                                                          {4194304, 1},
                                                                                          {16777216, 1},
                                                                                          {67108864, 1},
                                                                                          {none, 1}}));
  EXPECT_EQ(bounds("gen_ai_client_token_usage", R"(,gen_ai_token_type="output")").at(64), 0);
  EXPECT_EQ(bounds("gen_ai_client_operation_duration_seconds", ""), (Bounds{{0.01, 0},
                                                                            {0.02, 1},
                                                                            {0.04, 1},
                                                                            {0.08, 1},
                                                                            {0.16, 1},
                                                                            {0.32, 1},
                                                                            {0.64, 1},
                                                                            {1.28, 1},
                                                                            {2.56, 1},
                                                                            {5.12, 1},
                                                                            {10.24, 1},
                                                                            {20.48, 1},
                                                                            {40.96, 1},
                                                                            {81.92, 1},
                                                                            {none, 1}}));
  EXPECT_EQ(bounds("gen_ai_server_time_to_first_token_seconds", ""), (Bounds{{0.001, 0},
                                                                             {0.005, 0},
                                                                             {0.01, 0},
                                                                             {0.02, 1},
                                                                             {0.04, 1},
                                                                             {0.06, 1},
                                                                             {0.08, 1},
                                                                             {0.1, 1},
                                                                             {0.25, 1},
                                                                             {0.5, 1},
                                                                             {0.75, 1},
                                                                             {1, 1},
                                                                             {2.5, 1},
                                                                             {5, 1},
                                                                             {7.5, 1},
                                                                             {10, 1},
                                                                             {none, 1}}));
  EXPECT_EQ(scrape.at("gen_ai_client_token_usage_sum{" + labels + R"(,gen_ai_token_type="output"})"), 65);
}

TEST(MoneyMetrics, opentelemetry_hears_of_no_usage_that_no_provider_told_and_of_no_request_that_asked_none) {
  auto record = answered();
  record.usage = protocol::Usage{.input = 64, .output = 65};
  record.estimated = true;
  const Scrape estimated(text_after(record));
  EXPECT_EQ(estimated.series_of("gen_ai_client_token_usage_count"), 0u);
  EXPECT_EQ(estimated.series_of("gen_ai_client_operation_duration_seconds_count"), 1u);
  record.attempts.clear();
  EXPECT_EQ(Scrape(text_after(record)).series_of("gen_ai_client_operation_duration_seconds_count"), 0u);
}

TEST(MoneyMetrics, buckets_that_are_computed_are_those_that_a_search_finds) {
  std::mt19937_64 random(11);
  const auto agree = []<const auto & Bounds>(std::int64_t value) {
    const auto found = std::lower_bound(Bounds.begin(), Bounds.end(), value) - Bounds.begin();
    return io::telemetry::bucket_of<Bounds>(value) == static_cast<std::size_t>(found);
  };
  const auto check = [&](std::int64_t value) {
    EXPECT_TRUE(agree.operator()<io::telemetry::token_bounds>(value)) << value;
    EXPECT_TRUE(agree.operator()<io::telemetry::operation_bounds>(value)) << value;
  };
  for (int i = 0; i < 100'000; ++i) check(static_cast<std::int64_t>(random() >> (random() % 63 + 1)));
  for (const std::int64_t bound : io::telemetry::token_bounds)
    for (const int step : {-1, 0, 1}) check(bound + step);
  for (const std::int64_t bound : io::telemetry::operation_bounds)
    for (const int step : {-1, 0, 1}) check(bound + step);
  check(0);
  check(-5);
  check(std::numeric_limits<std::int64_t>::max());
}

TEST(MoneyMetrics, requests_of_one_model_at_two_providers_are_told_apart_however_they_alternate) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  for (int i = 0; i < 30; ++i) {
    auto record = answered();
    record.target = i % 3 == 0 ? "azure/gpt-small" : "openai/gpt-small";
    record.endpoint = i % 2 == 0 ? "/v1/embeddings" : "/v1/chat/completions";
    worker.finished(record);
  }
  const Scrape scrape(metrics.text());
  const auto count = [&](const std::string& operation, const std::string& provider) {
    return scrape.at("gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"" + operation +
                     "\",gen_ai_provider_name=\"" + provider + "\",gen_ai_request_model=\"small\"}");
  };
  EXPECT_EQ(count("embeddings", "azure"), 5);
  EXPECT_EQ(count("chat", "azure"), 5);
  EXPECT_EQ(count("embeddings", "openai"), 10);
  EXPECT_EQ(count("chat", "openai"), 10);
}

TEST(MoneyMetrics, past_the_limit_of_requests_money_still_goes_to_whose_it_is) {
  Metrics metrics({.series_limit = 2});
  auto& worker = metrics.add_worker();
  // Of four label sets of requests two are "other"; of spending there are two only, since routes do not count there.
  for (const char* route : {"one", "two", "three", "four"}) {
    for (const char* model : {"a", "b"}) {
      auto record = costing({attempt_at(model, 1'000'000'000)});
      record.route = route;
      record.model = model;
      worker.finished(record);
    }
  }
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("tollgate_cost_usd_total{tenant=\"default\",task=\"chat\",model=\"a\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_cost_usd_total{tenant=\"default\",task=\"chat\",model=\"b\"} 4\n"));
}

TEST(MoneyMetrics, names_past_the_limit_are_other_and_no_money_is_lost) {
  Metrics metrics({.series_limit = 3});
  auto& worker = metrics.add_worker();
  for (int i = 0; i < 100'000; ++i) {
    const std::string model = "model-" + std::to_string(i);
    auto record = costing({attempt_at(model, 1'000'000)});
    record.model = record.tenant = model;
    record.unpriced = true;
    record.attempts.emplace_back(attempt_at(model, 0)).cost.reset();
    worker.finished(record);
  }
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("tollgate_cost_usd_total{tenant=\"other\",task=\"other\",model=\"other\"} 99.997\n"));
  const Scrape scrape(text);
  EXPECT_EQ(scrape.series_of("tollgate_cost_usd_total"), 4u);
  EXPECT_EQ(scrape.series_of("tollgate_unpriced_requests_total"), 4u);
  EXPECT_EQ(scrape.series_of("gen_ai_client_operation_duration_seconds_count"), 4u);
}

}  // namespace
