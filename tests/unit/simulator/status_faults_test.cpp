// The faults that are an HTTP answer of their own, streamed or not. Status, type and code are a contract with those who
// test how failures are classified.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace tollgate::simulator {
namespace {

using namespace test;

struct Expected {
  const char* fault;
  int status;
  const char* type;
  const char* code;  ///< "null" for none
};

class StatusFault : public ::testing::TestWithParam<std::tuple<Expected, bool>> {};

TEST_P(StatusFault, answers_its_status_and_keeps_the_connection) {
  const auto [expected, stream] = GetParam();
  Server server(fast());
  Client client(server.start());
  const std::string model = std::string("sim,fault=") + expected.fault;
  for (int i = 0; i < 2; ++i) {
    client.post("/v1/chat/completions", chat(model, stream ? R"(,"stream":true)" : ""));
    const Reply reply = client.read();
    ASSERT_EQ(reply.end, Reply::End::whole);
    ASSERT_EQ(reply.status, expected.status);
    EXPECT_EQ(reply.fields.at("content-type"), "application/json");
    const nlohmann::json error = reply.json()["error"];
    EXPECT_EQ(error["type"], expected.type);
    EXPECT_EQ(error["code"].is_null() ? "null" : error["code"].get<std::string>(), expected.code);
    EXPECT_TRUE(error.contains("param") && error["message"].is_string());
  }
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 2; }));
  EXPECT_EQ(server.truth()[1].ended, expected.fault);
  EXPECT_EQ(server.truth()[1].completion_tokens, 0u);
  EXPECT_EQ(server.gauges().connections_accepted, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, StatusFault,
    ::testing::Combine(
        ::testing::Values(Expected{"rate_limit", 429, "requests", "rate_limit_exceeded"},
                          Expected{"rate_limit_date", 429, "requests", "rate_limit_exceeded"},
                          Expected{"rate_limit_ms", 429, "requests", "rate_limit_exceeded"},
                          Expected{"rate_limit_plain", 429, "requests", "rate_limit_exceeded"},
                          Expected{"quota", 429, "insufficient_quota", "insufficient_quota"},
                          Expected{"error_500", 500, "server_error", "null"},
                          Expected{"error_503", 503, "service_unavailable_error", "server_is_overloaded"},
                          Expected{"error_529", 529, "overloaded_error", "overloaded"},
                          Expected{"unauthorized", 401, "invalid_request_error", "invalid_api_key"},
                          Expected{"payment_required", 402, "invalid_request_error", "billing_hard_limit_reached"},
                          Expected{"forbidden", 403, "permission_error", "permission_denied"},
                          Expected{"bad_request", 400, "invalid_request_error", "context_length_exceeded"}),
        ::testing::Bool()),
    [](const auto& instance) {
      return std::string(std::get<0>(instance.param).fault) + (std::get<1>(instance.param) ? "_stream" : "_whole");
    });

Reply faulty(const std::string& model) {
  Server server(fast());
  Client client(server.start());
  client.post("/v1/chat/completions", chat(model));
  return client.read();
}

TEST(RateLimit, announces_seconds_a_date_milliseconds_or_nothing) {
  EXPECT_EQ(faulty("sim,fault=rate_limit").fields.at("retry-after"), "1");
  EXPECT_EQ(faulty("sim,fault=rate_limit,retry_after=2500ms").fields.at("retry-after"), "2.5");
  EXPECT_EQ(faulty("sim,fault=rate_limit_ms,retry_after=30ms").fields.at("retry-after-ms"), "30");
  const Reply plain = faulty("sim,fault=rate_limit_plain");
  EXPECT_EQ(plain.fields.count("retry-after") + plain.fields.count("retry-after-ms"), 0u);
}

TEST(RateLimit, dates_its_retry_after_from_now) {
  const std::time_t before = std::time(nullptr);
  const std::string date = faulty("sim,fault=rate_limit_date,retry_after=60s").fields.at("retry-after");
  std::tm utc{};
  const char* const end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  ASSERT_TRUE(end && *end == '\0') << date;
  const std::time_t announced = timegm(&utc);
  EXPECT_GE(announced, before + 60);
  EXPECT_LE(announced, std::time(nullptr) + 61);
}

TEST(Error502, is_the_page_of_an_edge) {
  const Reply reply = faulty("sim,fault=error_502");
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.fields.at("content-type"), "text/html");
  EXPECT_NE(reply.body.find("<h1>502 Bad Gateway</h1>"), std::string::npos);
}

TEST(FailureRate, makes_requests_fail_by_chance_and_no_get) {
  config::SimulatorSettings settings = fast();
  settings.failure_rate = 1;
  settings.faults = {{"error_503", 1}};
  Server server(settings);
  Client client(server.start());
  client.post("/v1/embeddings", R"({"model":"m","input":"x"})");
  EXPECT_EQ(client.read().status, 503);
  client.get("/v1/models");
  EXPECT_EQ(client.read().status, 200);
  client.get("/v1/models", "x-simulator: fault=error_500\r\n");
  EXPECT_EQ(client.read().status, 500);
}

}  // namespace
}  // namespace tollgate::simulator
