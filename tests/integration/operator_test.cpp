// What an operator sees of routing and can do about it, on the real gateway: metrics, alarms, circuits by hand, and
// answers to "what would happen", held against what does.
#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/raw_client.hpp"
#include "support/tollgate_process.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>

namespace tollgate::test {
namespace {

using nlohmann::json;

std::string simulator(const std::string& more = {}) {
  return "simulator: {first_token: 0ms, tokens_per_second: 1000000, answer_tokens: 1" + more + "}";
}

/// A route whose primary always fails, and its fallback.
const std::string outage =
    "defaults: {retry: {attempts: 3, backoff: {base: 1ms, max: 1ms}}}\n"
    "providers:\n  a: {circuit: {failures: 100}, " +
    simulator(", failure_rate: 100%, faults: {error_503: 1}") + "}\n  b: {" + simulator() +
    "}\nmodels:\n  one: {provider: a}\n  two: {provider: b}\nroutes:\n  auto: {primary: one, fallbacks: [two]}\n";

class Operator : public testing::Test {
 protected:
  void start(const std::string& config) { gateway_ = std::make_unique<GatewayUnderTest>(config); }
  Answer ask(const std::string& model = "auto") {
    RawClient client(gateway_->address());
    client.send(post("/v1/chat/completions", chat_body(model, false)));
    return client.read_answer();
  }
  json order(const std::string& path, const std::string& body) {
    RawClient client(gateway_->admin_address());
    client.send(post(path, body));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  void force(const std::string& target, const std::string& state) {
    order("/admin/v1/targets/circuit", R"({"target":")" + target + R"(","state":")" + state + R"(","reason":"drill"})");
  }

  std::unique_ptr<GatewayUnderTest> gateway_;
};

TEST_F(Operator, SeesRepeatsAndFallbacksAndWhatTheyFollowed) {
  start(outage);
  EXPECT_EQ(ask().fields.at("x-tollgate-provider"), "b");
  EXPECT_TRUE(gateway_->wait_for_metric(R"(tollgate_retries_total{target="a/one",reason="upstream_error"})", 1));
  EXPECT_EQ(gateway_->metric(R"(tollgate_fallbacks_total{from="a/one",to="b/two",reason="upstream_error"})"), 1);
  EXPECT_EQ(gateway_->metric(R"(tollgate_retry_denied_total{target="a/one"})"), 0);
}

TEST_F(Operator, HoldsACircuitOpenOverReloadsUntilLettingItGo) {
  start(outage);
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_state{target="a/one",credential="none"})"), 0);
  force("a/one", "open");
  EXPECT_EQ(ask().fields.at("x-tollgate-reason"), "circuit_open");
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 2));
  const Answer passed = ask();
  EXPECT_EQ(passed.fields.at("x-tollgate-reason"), "circuit_open");
  EXPECT_EQ(passed.fields.at("x-tollgate-attempts"), "1");
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_state{target="a/one",credential="none"})"), 2);
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_forced{target="a/one",credential="none"})"), 1);
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_transitions_total{target="a/one",credential="none",to="open"})"), 1);

  force("a/one", "auto");
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_state{target="a/one",credential="none"})"), 1);
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_forced{target="a/one",credential="none"})"), 0);
  EXPECT_EQ(ask().fields.at("x-tollgate-attempts"), "2") << "its probe fails";
}

TEST_F(Operator, HoldsACircuitClosedWhateverFails) {
  start(std::string(outage).replace(outage.find("failures: 100"), 13, "failures: 1"));
  force("a/one", "closed");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask().fields.at("x-tollgate-attempts"), "3");
  EXPECT_EQ(gateway_->metric(R"(tollgate_circuit_state{target="a/one",credential="none"})"), 0);
}

TEST_F(Operator, IsToldBeforehandWhatThenHappens) {
  start(outage);
  for (const char* state : {"closed", "open"}) {
    force("b/two", state);
    const json told = order("/admin/v1/route", R"({"request":{"model":"two","messages":[]}})");
    const Answer got = ask("two");
    if (told.at("first").is_null()) {
      EXPECT_EQ(told.at("error").at("status"), got.status);
      EXPECT_EQ(told.at("error").at("error").at("code"), json::parse(got.body).at("error").at("code"));
    } else {
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(told.at("first").at("target"),
                got.fields.at("x-tollgate-provider") + "/" + got.fields.at("x-tollgate-model"));
      EXPECT_EQ(told.at("first").at("reason"), got.fields.at("x-tollgate-reason"));
    }
    EXPECT_EQ(told.at("first").is_null(), std::string(state) == "open");
  }
}

TEST(CredentialAlarm, IsOneLineForARefusalAndOneForItsEnd) {
  const auto config = [](const std::string& accepted) {
    return "providers: {p: {credentials: [{name: main, key: canary-credential-1}], " +
           simulator(", accepts: [" + accepted + "]") + "}}\nmodels: {m: {provider: p}}\n";
  };
  TollgateProcess gateway(test::tollgate_binary(), config("another-credential-2"));
  const auto ask = [&gateway] {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m", false)));
    return client.read_answer().status;
  };
  EXPECT_EQ(ask(), 502);
  EXPECT_EQ(ask(), 502);
  EXPECT_TRUE(
      gateway.wait_for_log(R"("event":"credential_set_aside","provider":"p","credential":"main","status":"401")"))
      << gateway.log();
  gateway.rewrite_config(config("canary-credential-1"));
  gateway.signal(SIGHUP);
  ASSERT_TRUE(gateway.wait_for_log("\"event\":\"config_loaded\",\"generation\":\"2\"")) << gateway.log();
  EXPECT_EQ(ask(), 200);
  EXPECT_TRUE(gateway.wait_for_log(R"("event":"credential_accepted","provider":"p","credential":"main")"))
      << gateway.log();
  const std::string log = gateway.log();
  EXPECT_EQ(log.find("credential_set_aside"), log.rfind("credential_set_aside")) << log;
  EXPECT_EQ(log.find("canary"), std::string::npos) << log;
}

}  // namespace
}  // namespace tollgate::test
