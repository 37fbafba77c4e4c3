// Money as clients and operators meet it: what an answer says that it has cost, what a budget lets through, what stands
// in the ledger afterwards.
#include "tollgate/base/money.hpp"

#include "tollgate/simulator/server.hpp"

#include "app/budget_alerts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;

const std::string key = "acme-key-of-more-than-20-bytes";
const std::string bearer = "Authorization: Bearer " + key + "\r\n";
// 1,000 tokens in and 500 out at 2 and 10 USD per million: 0.002 + 0.005.
const std::string price = "price: {input: 2, output: 10, source: test}";
const std::string answer_of_seven_thousandths =
    R"({"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],)"
    R"("usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}})";

std::string error_of(const Answer& answer, const std::string& member = "code") {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"][member].is_string()) return "";
  return json["error"][member];
}

std::string body_for(const std::string& model, int max_tokens, bool stream = false) {
  Json body{{"model", model}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  if (max_tokens > 0) body["max_tokens"] = max_tokens;
  if (stream) body["stream"] = true;
  return body.dump();
}

std::string stream_answer(const std::string& events) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(events.size()) +
         "\r\n\r\n" + events;
}

/// A gateway in front of an upstream that the test plays.
class Money : public testing::Test {
 protected:
  /// `models`, each a line; `tenant` are further keys of the one there is.
  void start(const std::string& models, const std::string& tenant = {}, const std::string& more = {}) {
    gateway_ = std::make_unique<GatewayUnderTest>(
        "providers:\n  up:\n    base_url: http://127.0.0.1:" + std::to_string(upstream_.port()) +
        "/v1\n    circuit: {failures: 1000, min_requests: 1000000}\n  down: {base_url: "
        "\"http://127.0.0.1:9/v1\"}\nmodels:\n" +
        models + "tenants:\n  acme:\n    keys: [{name: ci, secret: " + key + "}]\n" + tenant + more);
  }
  Answer ask(const std::string& fields = {}, const std::string& body = body_for("m", 500),
             const std::string& answer = json_answer(answer_of_seven_thousandths)) {
    RawClient client(gateway_->address());
    client.send(post("/v1/chat/completions", body, bearer + fields + "Connection: close\r\n"));
    const KeepAliveUpstream::Call call = upstream_.next();
    last_ = call.request;
    upstream_.connection(call.connection).send(answer);
    return client.read_answer();
  }
  Answer refused(const std::string& fields = {}, const std::string& body = body_for("m", 500)) {
    RawClient client(gateway_->address());
    client.send(post("/v1/chat/completions", body, bearer + fields + "Connection: close\r\n"));
    return client.read_answer();
  }
  Json admin(const std::string& path) {
    RawClient client(gateway_->admin_address());
    client.send(get(path, "Connection: close\r\n"));
    return Json::parse(client.read_answer().body, nullptr, false);
  }

  KeepAliveUpstream upstream_;
  UpstreamRequest last_;
  std::unique_ptr<GatewayUnderTest> gateway_;
};

TEST_F(Money, IsToldToTheClientOfAnAnswer) {
  start("  m: {provider: up, " + price + "}\n");
  const Answer answer = ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("x-tollgate-cost-usd"), "0.007");
  EXPECT_EQ(answer.body, answer_of_seven_thousandths);
  EXPECT_FALSE(answer.fields.contains("x-tollgate-budget-remaining-usd"));
  EXPECT_TRUE(gateway_->wait_for_metric(R"(tollgate_cost_usd_total{tenant="acme",task="none",model="m"})", 0.007));
}

TEST_F(Money, IsNothingThatIsKnownWhereThereIsNoPrice) {
  start("  m: {provider: up}\n");
  EXPECT_FALSE(ask().fields.contains("x-tollgate-cost-usd"));
  EXPECT_TRUE(gateway_->wait_for_metric(R"(tollgate_unpriced_requests_total{model="m"})", 1));
}

TEST_F(Money, OfAnErrorIsNothing) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: b, amount: 1 USD, window: total}]\n",
        "defaults: {retry: {attempts: 1}}\n");
  ask("", body_for("m", 500), json_answer(R"({"error":{"message":"no"}})", 400));
  EXPECT_EQ(ask().fields.at("x-tollgate-budget-remaining-usd"), "0.993");
}

TEST_F(Money, StandsInTheUsageChunkWhereItIsAskedFor) {
  start("  m: {provider: up, " + price + "}\n");
  const std::string content =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n";
  const std::string usage =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500,\"total_tokens\":1500}}\n\n";
  const std::string stream = stream_answer(content + usage + "data: [DONE]\n\n");
  EXPECT_EQ(ask("", body_for("m", 500, true), stream).body, content + "data: [DONE]\n\n");
  EXPECT_NE(ask("x-tollgate-include: cost\r\n", body_for("m", 500, true), stream)
                .body.find(R"("total_tokens":1500,"cost_usd":0.007}})"),
            std::string::npos);
}

TEST_F(Money, ThatOneRequestMayCostCanBeLimited) {
  start("  m: {provider: up, " + price + "}\n");
  const Answer answer = refused("x-tollgate-max-cost: 0.005\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(error_of(answer), "max_cost_exceeded");
  EXPECT_EQ(ask("x-tollgate-max-cost: 0.01\r\n").status, 200);
  const Answer broken = refused("x-tollgate-max-cost: five\r\n");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(error_of(broken, "param"), "x-tollgate-max-cost");
}

TEST_F(Money, IsPutDownToTagsThatMayBeUsed) {
  start("  m: {provider: up, " + price + "}\n", "    tags: {team: blue}\n", "request_tags: [project]\n");
  EXPECT_EQ(ask("x-tollgate-tags: project=apollo\r\n").status, 200);
  EXPECT_EQ(error_of(refused("x-tollgate-tags: other=x\r\n"), "param"), "x-tollgate-tags");
  EXPECT_EQ(error_of(refused("x-tollgate-tags: team=red\r\n"), "param"), "x-tollgate-tags");
}

// --- budgets ---

TEST_F(Money, OfABudgetIsSpentAndThenNobodyIsAsked) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: pot, amount: 0.0135 USD, window: total}]\n");
  EXPECT_EQ(ask().fields.at("x-tollgate-budget-remaining-usd"), "0.0065");
  EXPECT_EQ(ask().fields.at("x-tollgate-budget-remaining-usd"), "0");
  const Answer answer = refused();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(error_of(answer), "insufficient_quota");
  EXPECT_EQ(error_of(answer, "type"), "insufficient_quota");
  EXPECT_EQ(error_of(answer, "param"), "pot");
  EXPECT_EQ(answer.fields.at("x-should-retry"), "false");
  EXPECT_FALSE(answer.fields.contains("retry-after"));
}

TEST_F(Money, MayBeRefusedAsPaymentRequired) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: pot, amount: 0.001 USD, window: total}]\n",
        "errors: {budget_status: 402}\n");
  EXPECT_EQ(refused().status, 402);
}

TEST_F(Money, HeldByRequestsInFlightIsToldApart) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: pot, amount: 0.0075 USD, window: total}]\n");
  RawClient first(gateway_->address());
  first.send(post("/v1/chat/completions", body_for("m", 500), bearer));
  const KeepAliveUpstream::Call call = upstream_.next();
  const Answer answer = refused();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(error_of(answer), "rate_limit_exceeded");
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
  EXPECT_FALSE(answer.fields.contains("x-should-retry"));
  upstream_.connection(call.connection)
      .send(json_answer(R"({"choices":[{}],"usage":{"prompt_tokens":1,"completion_tokens":1}})"));
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_EQ(ask().status, 200);
}

TEST_F(Money, LimitsTheAnswerOfWhoGaveNoLimit) {
  start("  m: {provider: up, default_max_output: 77, " + price + "}\n",
        "    budgets: [{name: pot, amount: 1 USD, window: total}]\n");
  const Answer answer = ask("", body_for("m", 0));
  EXPECT_EQ(answer.fields.at("x-tollgate-max-output"), "77");
  EXPECT_EQ(Json::parse(last_.body)["max_completion_tokens"], 77);
  const Answer own = ask("", body_for("m", 500));
  EXPECT_FALSE(own.fields.contains("x-tollgate-max-output"));
  EXPECT_FALSE(Json::parse(last_.body).contains("max_completion_tokens"));
}

TEST_F(Money, ThatIsSpentMayBuyACheaperModel) {
  start("  m: {provider: up, " + price + "}\n  small: {provider: up, price: {input: 0.2, output: 1, source: test}}\n",
        "    budgets: [{name: pot, amount: 0.001 USD, window: total, when_spent: {downgrade_to: small}, stop_at: 0.002 "
        "USD}]\n");
  const Answer answer = ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("x-tollgate-model"), "small");
  EXPECT_EQ(answer.fields.at("x-tollgate-reason"), "budget_downgrade");
  EXPECT_EQ(answer.fields.at("x-tollgate-cost-usd"), "0.0007");
  EXPECT_EQ(Json::parse(last_.body)["model"], "small");
  ask();
  EXPECT_EQ(error_of(refused("", body_for("m", 700))), "insufficient_quota");
}

TEST_F(Money, ThatOnlyWarnsLetsAllThrough) {
  start("  m: {provider: up, " + price + "}\n",
        "    budgets: [{name: a, amount: 0.001 USD, window: total, when_spent: alert}, {name: s, amount: 0.001 USD, "
        "window: total, when_spent: shadow}]\n");
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(ask().status, 200);
}

TEST_F(Money, ThatIsGuessedIsNeverMoreThanWasHeld) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: pot, amount: 1 USD, window: total}]\n",
        "defaults: {retry: {attempts: 1}}\n");
  // It promises more than comes.
  const std::string part = R"({"choices":[{"message":{"content":")" + std::string(4000, 'x');
  RawClient client(gateway_->address());
  client.send(post("/v1/chat/completions", body_for("m", 1), bearer + "Connection: close\r\n"));
  const KeepAliveUpstream::Call call = upstream_.next();
  upstream_.connection(call.connection)
      .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n" + part);
  upstream_.connection(call.connection).close();
  EXPECT_EQ(client.read_answer().status, 502);
  EXPECT_TRUE(
      eventually([&] { return gateway_->metric(R"(tollgate_budget_spent_usd{tenant="acme",budget="pot"})") > 0; }));
  EXPECT_EQ(gateway_->metric(R"(tollgate_budget_overshoot_usd_total{tenant="acme",budget="pot"})"), 0);
}

TEST_F(Money, OfAModelWithoutAPriceIsRefusedWhereABudgetApplies) {
  start("  m: {provider: up}\n", "    budgets: [{name: pot, amount: 1 USD, window: total}]\n");
  EXPECT_EQ(error_of(refused()), "model_unpriced");
}

TEST_F(Money, OfAModelWithoutAPriceMayBeTakenToBeThatOfAnother) {
  start("  m: {provider: up}\n", "    budgets: [{name: pot, amount: 1 USD, window: total}]\n",
        "on_unpriced: fallback\nfallback_price: {input: 2, output: 10, source: test}\n");
  EXPECT_EQ(ask().fields.at("x-tollgate-budget-remaining-usd"), "0.993");
}

TEST_F(Money, IsNotHeldByWhoNeverReachesTheProvider) {
  // Nobody listens at port 9 of loopback.
  start("  m: {provider: up, " + price + "}\n  gone: {provider: down, " + price + "}\n",
        "    budgets: [{name: pot, amount: 1 USD, window: total}]\n", "defaults: {retry: {attempts: 1}}\n");
  EXPECT_EQ(refused("", body_for("gone", 500)).status, 502);
  EXPECT_EQ(ask().fields.at("x-tollgate-budget-remaining-usd"), "0.993");
}

TEST_F(Money, OfAStreamThatRunsOverIsSavedByEndingIt) {
  start("  m: {provider: up, " + price + "}\n", "    budgets: [{name: pot, amount: 1 USD, window: total}]\n",
        "routes:\n  auto: {primary: m, on_overrun: end}\n");
  std::string events;
  for (int i = 0; i < 10; ++i)
    events +=
        "data: "
        "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"},\"finish_reason\":null}"
        "]}\n\n";
  const Answer answer = ask("", body_for("auto", 3, true), stream_answer(events));
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body.ends_with("data: [DONE]\n\n"));
  EXPECT_NE(answer.body.find(R"("finish_reason":"length")"), std::string::npos);
  EXPECT_NE(answer.body.find("{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},"),
            std::string::npos);
}

TEST(MoneyOfAHedge, IsThatOfBothAttempts) {
  simulator::Server slow(quick_simulator(4, Millis(3000))), quick(quick_simulator(4));
  const auto provider = [](const std::string& name, std::uint16_t port) {
    return "  " + name + ": {base_url: \"http://127.0.0.1:" + std::to_string(port) + "/v1\"}\n";
  };
  GatewayUnderTest gateway("providers:\n" + provider("slow", slow.start()) + provider("quick", quick.start()) +
                           "models:\n  m: {targets: [{provider: slow, weight: 1000}, {provider: quick, weight: 1}], " +
                           "price: {input: 1000, output: 1000, source: test}}\n" +
                           "defaults: {hedge: {share: 100%, after: 20ms}}\n");
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", body_for("m", 4), "Connection: close\r\n"));
  const Answer answer = client.read_answer();
  ASSERT_EQ(answer.fields.at("x-tollgate-provider"), "quick");
  // The slow one had read the prompt, and answered nothing, when it was cut off.
  const std::string wasted = R"(tollgate_wasted_cost_usd_total{tenant="default",model="m",reason="hedge"})";
  EXPECT_TRUE(eventually([&] { return gateway.metric(wasted) > 0; }));
  const double cost = gateway.metric(R"(tollgate_cost_usd_total{tenant="default",task="none",model="m"})");
  EXPECT_GT(cost, gateway.metric(wasted));
  EXPECT_NEAR(std::stod(answer.fields.at("x-tollgate-cost-usd")), cost, 1e-9);
}

TEST_F(Money, IsTalkedAboutWhenAThresholdIsReached) {
  policy::BudgetEvent event;
  event.what = policy::BudgetNews::threshold;
  event.kind = policy::ScopeKind::tenant;
  event.owner = "acme";
  auto settings = std::make_shared<policy::BudgetSettings>();
  settings->name = "pot";
  event.settings = settings;
  event.threshold = 800'000;
  event.spent = *parse_money("8");
  event.limit = *parse_money("10");
  const io::AlertEvent alert = app::alert_of(event);
  EXPECT_EQ(alert.kind, io::AlertKind::budget_threshold);
  EXPECT_EQ(alert.threshold, "80%");
  EXPECT_EQ(alert.message, "budget 'pot' of tenant 'acme': 80% reached, 8 USD of 10 USD are spent");
  // The same news twice has the same id, other news another one.
  EXPECT_EQ(app::alert_of(event).id, alert.id);
  event.threshold = 1'000'000;
  EXPECT_NE(app::alert_of(event).id, alert.id);
}

/// Exactly ten calls' worth, asked for by many at one time over both workers: the upstream holds all its answers back
/// until everybody has been judged, so nothing is given back meanwhile.
TEST(MoneyOfManyAtOnce, AdmitsExactlyWhatThereIs) {
  for (const bool stream : {false, true}) {
    for (const int max_tokens : {500, 0}) {
      simulator::Server upstream(quick_simulator(4, Millis(1500)));
      const std::string body = body_for("m", max_tokens, stream);
      // The dearest that it can be: a token for each byte and 16 more, and 500 out.
      const auto most = static_cast<std::int64_t>(body.size()) + 16;
      const std::int64_t nanos = 10 * (most * 2'000 + 500 * 10'000);
      GatewayUnderTest gateway("providers:\n  up:\n    base_url: http://127.0.0.1:" + std::to_string(upstream.start()) +
                               "/v1\nmodels:\n  m: {provider: up, default_max_output: 500, " + price +
                               "}\ntenants:\n  acme:\n    keys: [{name: ci, secret: " + key +
                               "}]\n    budgets: [{name: pot, amount: " +
                               std::string(MoneyText(tollgate::Money{nanos}).text()) + " USD, window: total}]\n");
      std::atomic<int> admitted = 0, refused = 0, other = 0;
      std::vector<RawClient> clients;
      constexpr int callers = 64;
      for (int i = 0; i < callers; ++i) {
        clients.emplace_back(gateway.address());
        clients.back().send(post("/v1/chat/completions", body, bearer + "Connection: close\r\n"));
      }
      for (RawClient& client : clients) {
        const int status = client.read_answer().status;
        ++(status == 200 ? admitted : status == 429 ? refused : other);
      }
      EXPECT_EQ(admitted, 10) << stream << max_tokens;
      EXPECT_EQ(refused, callers - 10) << stream << max_tokens;
      EXPECT_EQ(other, 0);
      EXPECT_EQ(upstream.gauges().requests_received, 10U);
      EXPECT_TRUE(gateway.wait_for_metric(R"(tollgate_budget_reserved_usd{tenant="acme",budget="pot"})", 0));
    }
  }
}

}  // namespace
}  // namespace tollgate::test
