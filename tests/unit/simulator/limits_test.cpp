// Credentials and their limits as a client meets them: the 401, the 429 in OpenAI's words, and the fields that tell how
// much is left.
#include "tollgate/base/digest.hpp"
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

std::string bearer(const std::string& key) { return "Authorization: Bearer " + key + "\r\n"; }

config::SimulatorSettings limited(std::optional<std::uint64_t> requests, std::optional<std::uint64_t> tokens) {
  config::SimulatorSettings settings = fast();
  settings.limits.requests_per_minute = requests;
  settings.limits.tokens_per_minute = tokens;
  return settings;
}

class Limits : public ::testing::Test {
 protected:
  Reply ask(Server& server, const std::string& model, const std::string& key, const std::string& more = "") {
    Client client(server.port());
    client.post("/v1/chat/completions", chat(model, more), bearer(key));
    return client.read();
  }
};

TEST_F(Limits, answer_429_as_openai_does_when_the_requests_are_used_up) {
  Server server(limited(2, {}));
  server.start();
  const Reply first = ask(server, "sim", "k1");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.fields.at("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(first.fields.at("x-ratelimit-remaining-requests"), "1");
  EXPECT_EQ(first.fields.at("x-ratelimit-reset-requests"), "30s");
  EXPECT_EQ(first.fields.count("x-ratelimit-limit-tokens"), 0u);
  EXPECT_EQ(ask(server, "sim", "k1", R"(,"stream":true)").fields.count("x-ratelimit-limit-requests"), 1u);

  const Reply refused = ask(server, "sim,tokens=3", "k1");
  ASSERT_EQ(refused.status, 429);
  const json error = refused.json()["error"];
  EXPECT_EQ(error["type"], "requests");
  EXPECT_EQ(error["code"], "rate_limit_exceeded");
  EXPECT_TRUE(error["param"].is_null());
  const std::string message = error["message"];
  EXPECT_TRUE(
      message.starts_with("Rate limit reached for sim in organization org-simulator on requests per min (RPM): "
                          "Limit 2, Used 2, Requested 1. Please try again in "))
      << message;
  const int wait = std::stoi(refused.fields.at("retry-after"));
  EXPECT_GT(wait, 0);
  EXPECT_LE(wait, 30);
  EXPECT_EQ((std::stoi(refused.fields.at("retry-after-ms")) + 999) / 1000, wait);
  EXPECT_EQ(refused.fields.at("x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(ask(server, "sim", "k2").status, 200) << "each credential has its own";

  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 4; }));
  EXPECT_EQ(server.truth()[2].ended, "over_limit");
  EXPECT_EQ(server.truth()[2].status, 429u);
}

TEST_F(Limits, count_the_prompt_and_the_answer_against_the_tokens) {
  Server server(limited({}, 100));
  server.start();
  // "two words" and an answer of 60.
  EXPECT_EQ(ask(server, "sim,tokens=60", "k").fields.at("x-ratelimit-remaining-tokens"), "38");
  const Reply refused = ask(server, "sim,tokens=60", "k", R"(,"max_tokens":50)");
  ASSERT_EQ(refused.status, 429);
  const json error = refused.json()["error"];
  EXPECT_EQ(error["type"], "tokens");
  EXPECT_NE(error["message"].get<std::string>().find("on tokens per min (TPM): Limit 100, Used "), std::string::npos);
  EXPECT_NE(error["message"].get<std::string>().find("Requested 52. Please try again in "), std::string::npos);
  EXPECT_EQ(ask(server, "sim,tokens=60", "k", R"(,"max_tokens":10)").status, 200);
}

TEST_F(Limits, tell_no_wait_to_a_request_that_is_larger_than_the_limit) {
  Server server(limited({}, 100));
  server.start();
  const Reply refused = ask(server, "sim,tokens=101", "k");
  ASSERT_EQ(refused.status, 429);
  EXPECT_EQ(refused.fields.count("retry-after"), 0u);
  EXPECT_TRUE(refused.json()["error"]["message"].get<std::string>().starts_with("Request too large for sim"));
}

TEST_F(Limits, take_from_requests_that_fail_by_chance_too) {
  config::SimulatorSettings settings = limited(1, {});
  settings.failure_rate = 1;
  settings.faults = {{"error_503", 1}};
  Server server(settings);
  server.start();
  EXPECT_EQ(ask(server, "sim", "k").status, 503);
  EXPECT_EQ(ask(server, "sim", "k").status, 429);
}

TEST(Accepts, only_the_keys_it_was_given) {
  config::SimulatorSettings settings = fast();
  settings.accepts = {config::Secret("right-1"), config::Secret("right-2")};
  Server server(settings);
  Client client(server.start());
  client.get("/v1/models", bearer("right-2"));
  EXPECT_EQ(client.read().status, 200);
  client.post("/v1/chat/completions", chat("sim"), "authorization: bearer right-1\r\n");
  EXPECT_EQ(client.read().status, 200) << "the scheme's case does not matter";

  client.post("/v1/chat/completions", chat("sim,fault=error_500"), bearer("wrong"));
  const Reply wrong = client.read();
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.json()["error"]["code"], "invalid_api_key");
  EXPECT_EQ(wrong.body.find("wrong"), std::string::npos) << "a key is never said back";
  client.get("/v1/models");
  const Reply none = client.read();
  EXPECT_EQ(none.status, 401);
  EXPECT_TRUE(none.json()["error"]["code"].is_null());
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 4; }));
  EXPECT_EQ(server.truth()[2].ended, "wrong_credential");
}

}  // namespace
}  // namespace tollgate::simulator
