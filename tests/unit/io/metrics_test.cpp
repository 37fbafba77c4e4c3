// Metrics are read back from the text that Prometheus would read, by a small strict parser of that format: what counts
// is what a scrape sees.
#include "tollgate/io/metrics.hpp"

#include "scrape.hpp"
#include "support/paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <thread>

namespace {

using namespace tollgate;
using io::Metrics;
using pipeline::Outcome;
using pipeline::RequestRecord;
using test::answered;
using test::Scrape;
using HealthNames = pipeline::HealthFigures::Names;
using namespace std::chrono_literals;

TEST(Metrics, counts_a_finished_request_under_its_names) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  worker.request_started();
  worker.finished(answered());
  const Scrape scrape(metrics.text());
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="default",route="default",task="chat",model="small",outcome="ok",stream="false"})"),
      1);
  EXPECT_EQ(scrape.at(R"(tollgate_attempts_total{target="openai/gpt-small",credential="main",outcome="ok"})"), 1);
  EXPECT_EQ(scrape.series_of("tollgate_requests_total"), 1u);
  EXPECT_EQ(scrape.series_of("tollgate_tokens_total"), 0u) << "no usage was reported";
  EXPECT_EQ(scrape.series_of("tollgate_time_to_first_token_seconds_bucket"), 0u) << "not a stream";
}

TEST(Metrics, empty_names_are_none) {
  Metrics metrics;
  RequestRecord refused;
  refused.outcome = Outcome::client_error;
  refused.attempts.emplace_back();
  metrics.add_worker().finished(refused);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="none",route="none",task="none",model="none",outcome="client_error",stream="false"})"),
      1);
  EXPECT_EQ(scrape.at(R"(tollgate_attempts_total{target="none",credential="none",outcome="ok"})"), 1);
}

TEST(Metrics, every_outcome_is_its_own_series) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  std::set<std::string> names;
  for (int index = 0; index < 8; ++index) {
    auto record = answered();
    record.outcome = static_cast<Outcome>(index);
    names.emplace(pipeline::name_of(record.outcome));
    for (int times = 0; times <= index; ++times) worker.finished(record);
  }
  EXPECT_EQ(names.size(), 8u);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.series_of("tollgate_requests_total"), 8u);
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="default",route="default",task="chat",model="small",outcome="internal",stream="false"})"),
      8);
}

TEST(Metrics, further_attempts_are_repeats_or_fallbacks_by_what_they_follow) {
  Metrics metrics;
  auto record = answered();
  const auto follow = [&record](std::string_view target, Outcome failed_by, policy::Reason reason) {
    record.attempts.back().outcome = failed_by;
    auto& attempt = record.attempts.emplace_back();
    attempt.target = target;
    attempt.reason = reason;
  };
  follow("openai/gpt-small", Outcome::upstream_error, policy::Reason::retry_exhausted);
  follow("openai/gpt-small", Outcome::upstream_error, policy::Reason::credential_refused);
  follow("local/small", Outcome::timeout, policy::Reason::retry_exhausted);
  auto& worker = metrics.add_worker();
  worker.finished(record);
  worker.finished(record);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.at(R"(tollgate_retries_total{target="openai/gpt-small",reason="upstream_error"})"), 2);
  EXPECT_EQ(scrape.at(R"(tollgate_retries_total{target="openai/gpt-small",reason="credential_refused"})"), 2);
  EXPECT_EQ(scrape.at(R"(tollgate_fallbacks_total{from="openai/gpt-small",to="local/small",reason="timeout"})"), 2);
  EXPECT_EQ(scrape.series_of("tollgate_retries_total"), 2u);
  EXPECT_EQ(scrape.series_of("tollgate_fallbacks_total"), 1u);
}

TEST(Metrics, one_attempt_is_neither_repeat_nor_fallback) {
  Metrics metrics;
  auto record = answered();
  record.attempts.front().reason = policy::Reason::circuit_open;  // somebody else's, which was not asked
  metrics.add_worker().finished(record);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.series_of("tollgate_retries_total"), 0u);
  EXPECT_EQ(scrape.series_of("tollgate_fallbacks_total"), 0u);
}

TEST(Metrics, show_how_targets_and_credentials_fare_at_the_scrape) {
  pipeline::HealthFigures health;
  health.circuits[HealthNames{"a/one", "x"}] = {policy::CircuitState::open, true};
  health.circuits[HealthNames{"a/one", "y"}] = {policy::CircuitState::half_open, false};
  health.circuits[HealthNames{"b/two", ""}] = {policy::CircuitState::closed, false};
  health.transitions[HealthNames{"b/two", "", "half_open"}] = 3;
  health.repeats_denied[HealthNames{"a/one"}] = 5;
  health.set_aside[HealthNames{"a", "x"}] = true;
  health.set_aside[HealthNames{"a", "y"}] = false;
  Metrics metrics({.health = [&health] { return health; }});
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_state{target="a/one",credential="x"})"), 2);
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_state{target="a/one",credential="y"})"), 1);
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_state{target="b/two",credential="none"})"), 0);
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_forced{target="a/one",credential="x"})"), 1);
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_forced{target="a/one",credential="y"})"), 0);
  EXPECT_EQ(scrape.at(R"(tollgate_circuit_transitions_total{target="b/two",credential="none",to="half_open"})"), 3);
  EXPECT_EQ(scrape.at(R"(tollgate_retry_denied_total{target="a/one"})"), 5);
  EXPECT_EQ(scrape.at(R"(tollgate_credentials_set_aside{provider="a",credential="x"})"), 1);
  EXPECT_EQ(scrape.at(R"(tollgate_credentials_set_aside{provider="a",credential="y"})"), 0);
  health.circuits.clear();
  EXPECT_EQ(Scrape(metrics.text()).series_of("tollgate_circuit_state"), 0u);
}

TEST(Metrics, token_kinds_are_disjoint_and_add_up_to_what_was_reported) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  auto record = answered();
  record.usage = {.input = 1000, .cached_input = 600, .output = 50, .reasoning = 20};
  worker.finished(record);
  record.usage = {.input = 10,
                  .cached_input = 25,
                  .output = 5,
                  .reasoning = 9};  // parts larger than their wholes are what was counted
  worker.finished(record);
  const Scrape scrape(metrics.text());
  const auto tokens = [&](const std::string& kind) {
    return scrape.at("tollgate_tokens_total{tenant=\"default\",task=\"chat\",model=\"small\",kind=\"" + kind + "\"}");
  };
  EXPECT_EQ(tokens("input_uncached"), 400);
  EXPECT_EQ(tokens("cache_read"), 625);
  EXPECT_EQ(tokens("output_visible"), 30);
  EXPECT_EQ(tokens("reasoning"), 29);
}

TEST(Metrics, histograms_are_cumulative_with_the_bound_included) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  auto record = answered();
  record.stream = true;
  record.first_token = 250ms;
  for (const auto duration : {Micros(250'000), Micros(250'001), Micros(599s), Micros(2h)}) {
    record.duration = duration;
    worker.finished(record);
  }
  const Scrape scrape(metrics.text());
  const auto bucket = [&](const std::string& bound) {
    return scrape.at(
        "tollgate_request_duration_seconds_bucket{route=\"default\",model=\"small\",stream=\"true\",le=\"" + bound +
        "\"}");
  };
  EXPECT_EQ(bucket("0.1"), 0);
  EXPECT_EQ(bucket("0.25"), 1);
  EXPECT_EQ(bucket("0.5"), 2);
  EXPECT_EQ(bucket("300"), 2);
  EXPECT_EQ(bucket("600"), 3);
  EXPECT_EQ(bucket("+Inf"), 4);
  EXPECT_EQ(scrape.at(R"(tollgate_request_duration_seconds_count{route="default",model="small",stream="true"})"), 4);
  EXPECT_NEAR(scrape.at(R"(tollgate_request_duration_seconds_sum{route="default",model="small",stream="true"})"),
              7799.500001, 1e-6);
  EXPECT_EQ(scrape.at(R"(tollgate_time_to_first_token_seconds_count{route="default",model="small"})"), 4);
}

TEST(Metrics, overhead_is_duration_less_the_wait_for_the_upstream) {
  Metrics metrics;
  metrics.add_worker().finished(answered());
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.at(R"(tollgate_overhead_seconds_bucket{le="5e-05"})"), 0);
  EXPECT_EQ(scrape.at(R"(tollgate_overhead_seconds_bucket{le="0.0001"})"), 1);
  EXPECT_NEAR(scrape.at("tollgate_overhead_seconds_sum"), 0.0001, 1e-12);
}

TEST(Metrics, workers_add_up) {
  Metrics metrics;
  auto& one = metrics.add_worker();
  auto& two = metrics.add_worker();
  one.finished(answered());
  two.finished(answered());
  two.finished(answered());
  one.upstream_connections("openai", 2, 1);
  two.upstream_connections("openai", -1, 3);
  one.stream_opened();
  two.stream_opened();
  one.stream_closed();
  const Scrape scrape(metrics.text());
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="default",route="default",task="chat",model="small",outcome="ok",stream="false"})"),
      3);
  EXPECT_EQ(scrape.at(R"(tollgate_upstream_connections{provider="openai",state="active"})"), 1);
  EXPECT_EQ(scrape.at(R"(tollgate_upstream_connections{provider="openai",state="idle"})"), 4);
  EXPECT_EQ(scrape.at("tollgate_streams_active"), 1);
}

TEST(Metrics, in_flight_falls_back_to_zero) {
  Metrics metrics;
  auto& worker = metrics.add_worker();
  worker.request_started();
  worker.request_started();
  EXPECT_EQ(Scrape(metrics.text()).at("tollgate_in_flight_requests"), 2);
  worker.finished(answered());
  worker.finished(RequestRecord{});
  EXPECT_EQ(Scrape(metrics.text()).at("tollgate_in_flight_requests"), 0);
}

TEST(Metrics, new_names_past_the_limit_are_other_and_known_ones_go_on) {
  Metrics metrics({.series_limit = 3});
  auto& worker = metrics.add_worker();
  auto record = answered();
  for (int i = 0; i < 100'000; ++i) {
    const std::string model = "model-" + std::to_string(i);
    record.model = record.attempts.front().target = model;
    worker.finished(record);
  }
  record.model = record.attempts.front().target = "model-1";
  worker.finished(record);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(scrape.series_of("tollgate_requests_total"), 4u);
  EXPECT_EQ(scrape.series_of("tollgate_attempts_total"), 4u);
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="default",route="default",task="chat",model="model-1",outcome="ok",stream="false"})"),
      2);
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="other",route="other",task="other",model="other",outcome="ok",stream="false"})"),
      99'997);
}

TEST(Metrics, label_values_are_escaped) {
  Metrics metrics;
  auto record = answered();
  record.model = "a\"b\\c\nd";
  metrics.add_worker().finished(record);
  const Scrape scrape(metrics.text());
  EXPECT_EQ(
      scrape.at(
          R"(tollgate_requests_total{tenant="default",route="default",task="chat",model="a\"b\\c\nd",outcome="ok",stream="false"})"),
      1);
}

TEST(Metrics, the_configuration_read_at_the_start_is_no_reload) {
  Metrics metrics;
  metrics.config_loaded(1, SystemTime(1'700'000'000s));
  const Scrape first(metrics.text());
  EXPECT_EQ(first.at("tollgate_config_generation"), 1);
  EXPECT_EQ(first.at(R"(tollgate_config_reloads_total{result="success"})"), 0);
  EXPECT_EQ(first.at("tollgate_config_last_reload_successful"), 1);
  metrics.config_loaded(2, SystemTime(1'700'000'060s));
  metrics.config_rejected();
  const Scrape later(metrics.text());
  EXPECT_EQ(later.at("tollgate_config_generation"), 2);
  EXPECT_EQ(later.at(R"(tollgate_config_reloads_total{result="success"})"), 1);
  EXPECT_EQ(later.at(R"(tollgate_config_reloads_total{result="failure"})"), 1);
  EXPECT_EQ(later.at("tollgate_config_last_reload_successful"), 0);
  EXPECT_EQ(later.at("tollgate_config_last_reload_success_timestamp_seconds"), 1'700'000'060);
}

TEST(Metrics, counters_never_fall_while_workers_count_and_reloads_come) {
  Metrics metrics;
  auto& one = metrics.add_worker();
  auto& two = metrics.add_worker();
  constexpr int rounds = 20'000;
  const auto count = [](io::WorkerMetrics& worker) {
    auto record = answered();
    for (int i = 0; i < rounds; ++i) {
      const std::string model = "model-" + std::to_string(i / 100);
      record.model = model;
      worker.finished(record);
    }
  };
  std::atomic<bool> done = false;
  std::thread scraper([&] {
    std::map<std::string, double> before;
    for (std::uint64_t generation = 1; !done; ++generation) {
      metrics.config_loaded(generation, SystemTime{});
      const Scrape now(metrics.text());
      for (const auto& [series, value] : before) {
        if (!series.starts_with("tollgate_requests_total")) continue;
        ASSERT_GE(now.at(series), value) << series;
      }
      before = now.samples;
    }
  });
  std::thread first([&] { count(one); });
  std::thread second([&] { count(two); });
  first.join();
  second.join();
  done = true;
  scraper.join();
  const Scrape scrape(metrics.text());
  double sum = 0;
  for (const auto& [series, value] : scrape.samples) {
    if (series.starts_with("tollgate_requests_total")) sum += value;
  }
  EXPECT_EQ(sum, 2 * rounds);
}

TEST(Metrics, tells_of_the_process_and_the_build) {
  Metrics metrics({.version = "1.2.3", .revision = "abc", .access_log_dropped = [] { return std::uint64_t{7}; }});
  const std::string text = metrics.text();
  const Scrape scrape(text);
  EXPECT_THAT(text, testing::HasSubstr(R"(tollgate_build_info{version="1.2.3",revision="abc",compiler=")"));
  EXPECT_EQ(scrape.at("tollgate_access_log_dropped_total"), 7);
  EXPECT_GT(scrape.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(scrape.at("process_virtual_memory_bytes"), scrape.at("process_resident_memory_bytes"));
  EXPECT_GE(scrape.at("process_threads"), 1);
  EXPECT_GE(scrape.at("process_open_fds"), 3);
  EXPECT_GT(scrape.at("process_max_fds"), scrape.at("process_open_fds"));
  EXPECT_GT(scrape.at("process_cpu_seconds_total"), 0);
  EXPECT_NEAR(scrape.at("process_start_time_seconds"), static_cast<double>(time(nullptr)), 300);
}

TEST(Metrics, are_the_ones_in_the_documentation) {
  std::ifstream file(test::in_project("docs/metrics.md"));
  ASSERT_TRUE(file);
  std::map<std::string, std::string> documented;  // name to type
  const std::regex row(R"(\| `(\w+)` \| (counter|gauge|histogram) \|.*)");
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, row)) documented[match[1]] = match[2];
  }
  EXPECT_EQ(Scrape(Metrics().text()).types, documented);
}

}  // namespace
