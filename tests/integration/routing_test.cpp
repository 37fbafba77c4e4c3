// Who is asked when somebody fails: fallbacks, repeats, credentials, circuits and tasks, each against providers that
// the test plays by hand, so that it sees every request that they get.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tollgate::test {
namespace {

const std::string good = R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]})";
const std::string failure = R"({"error":{"message":"down","type":"server_error","code":null,"param":null}})";

std::string event(const std::string& delta, const std::string& finish = "null") {
  return chunk("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":" + finish +
               "}]}\n\n");
}

std::string opening() { return event(R"({"role":"assistant","content":""})"); }
std::string whole_stream() {
  return stream_head + opening() + event(R"({"content":"hello"})") + event("{}", "\"stop\"") +
         chunk("data: [DONE]\n\n") + last_chunk;
}

std::string with_fields(const std::string& answer, const std::string& fields) {
  return std::string(answer).insert(answer.find("\r\n") + 2, fields);
}

/// A provider with two models of its own on it.
struct Played {
  KeepAliveUpstream upstream;

  UpstreamRequest answers(const std::string& bytes) {
    const auto call = upstream.next();
    upstream.connection(call.connection).send(bytes);
    return call.request;
  }
  void closes_after(const std::string& bytes) {
    const auto call = upstream.next();
    upstream.connection(call.connection).send(bytes);
    upstream.connection(call.connection).close();
  }
};

class Routing : public testing::Test {
 protected:
  /// `route`: keys of the route auto; `first`: of the provider that its primary is at.
  void start(const std::string& route = "fallbacks: [two]", const std::string& first = {},
             const std::string& retry = "attempts: 3, backoff: {base: 1ms, max: 1ms}", const std::string& model = {}) {
    gateway_ = std::make_unique<GatewayUnderTest>(
        "defaults: {retry: {" + retry + "}}\nproviders:\n  a: {base_url: \"" + url(one_) + "\"" + first +
        "}\n  b: {base_url: \"" + url(two_) + "\"}\nmodels:\n  one: {provider: a" + model +
        "}\n  two: {provider: b, context: 200000}\nroutes:\n  auto: {primary: one, " + route + "}\n");
    client_ = std::make_unique<RawClient>(gateway_->address());
  }

  void ask(const std::string& fields = {}, bool stream = false, const std::string& model = "auto") {
    client_->send(post("/v1/chat/completions", chat_body(model, stream), fields));
  }
  Answer answer() { return client_->read_answer(); }
  void expect_by(const Answer& got, const std::string& provider, const std::string& attempts,
                 const std::string& reason) {
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.fields.at("x-tollgate-provider"), provider);
    EXPECT_EQ(got.fields.at("x-tollgate-attempts"), attempts);
    EXPECT_EQ(got.fields.at("x-tollgate-reason"), reason);
  }

  Played one_, two_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::unique_ptr<RawClient> client_;

 private:
  static std::string url(const Played& played) {
    return "http://127.0.0.1:" + std::to_string(played.upstream.port()) + "/v1";
  }
};

TEST_F(Routing, RepeatsAtTheTargetThatFailedAndThenFallsBack) {
  start();
  ask();
  one_.answers(json_answer(failure, 500));
  one_.answers(json_answer(failure, 503));
  EXPECT_NE(two_.answers(json_answer(good)).body.find("\"model\":\"two\""), std::string::npos);
  const Answer got = answer();
  expect_by(got, "b", "3", "retry_exhausted");
  EXPECT_EQ(got.body, good);
  EXPECT_TRUE(gateway_->wait_for_log("\"target\":\"b/two\""));
}

TEST_F(Routing, FallsBackFromAStreamThatHasSaidNothingYet) {
  start();
  ask({}, true);
  one_.closes_after(stream_head + opening());
  one_.closes_after(stream_head);
  two_.answers(whole_stream());
  const Answer got = answer();
  expect_by(got, "b", "3", "retry_exhausted");
  EXPECT_EQ(got.body.find("assistant"), got.body.rfind("assistant")) << "one opening, that of who answers";
  EXPECT_NE(got.body.find("hello"), std::string::npos);
}

TEST_F(Routing, NeverAsksAnybodyElseOnceContentHasGoneOut) {
  start();
  ask({}, true);
  one_.closes_after(stream_head + opening() + event(R"({"content":"half"})"));
  const Answer got = answer();
  EXPECT_NE(got.body.find("half"), std::string::npos);
  EXPECT_NE(got.body.find("\"error\""), std::string::npos);
  EXPECT_TRUE(gateway_->wait_for_log("\"outcome\":\"truncated\""));
  EXPECT_EQ(two_.upstream.accepted(), 0u);
}

TEST_F(Routing, TakesARefusalOfTheRequestForTheAnswer) {
  start();
  for (const int status : {400, 422}) {
    ask();
    one_.answers(json_answer(R"({"error":{"message":"no","type":"invalid_request_error"}})", status));
    const Answer got = answer();
    EXPECT_EQ(got.status, status);
    EXPECT_FALSE(got.fields.contains("x-should-retry"));
    EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "1");
  }
  EXPECT_EQ(two_.upstream.accepted(), 0u);
}

TEST_F(Routing, AsksSomebodyElseAboutRefusedContentWhereTheRouteSaysSo) {
  const std::string refusal = json_answer(
      R"({"error":{"message":"no","type":"invalid_request_error","code":"content_policy_violation"}})", 400);
  start();
  ask();
  one_.answers(refusal);
  EXPECT_EQ(answer().status, 400);
  start("fallbacks: [two], on_content_policy: fallback");
  ask();
  one_.answers(refusal);
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "2", "retry_exhausted");
}

TEST_F(Routing, GivesTheLastAnswerAsItCameOnceThePlanIsOverAndAsksForNoRetry) {
  start("fallbacks: []");
  ask();
  for (int i = 0; i < 3; ++i) one_.answers(with_fields(json_answer(failure, 500), "Retry-After: 0\r\n"));
  const Answer got = answer();
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.body, failure);
  EXPECT_EQ(got.fields.at("x-should-retry"), "false");
  EXPECT_EQ(got.fields.at("retry-after"), "0");
  EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "3");
}

TEST_F(Routing, HasNoMoreAttemptsThanItIsGiven) {
  start("fallbacks: [two], retry: {attempts: 1}");
  ask();
  one_.answers(json_answer(failure, 500));
  EXPECT_EQ(answer().status, 500);
  EXPECT_EQ(two_.upstream.accepted(), 0u);
}

TEST_F(Routing, LeavesOutWhatHoldsTooLittle) {
  start("fallbacks: [two]", {}, "attempts: 3", ", context: 8000");
  ask();
  one_.answers(json_answer(
      R"({"error":{"message":"This model's maximum context length is 8000 tokens","code":"context_length_exceeded"}})",
      400));
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "2", "context_window");
}

const std::string two_keys = ", credentials: [{name: x, key: test-key-1}, {name: y, key: test-key-2}]";

TEST_F(Routing, SparesACredentialThatIsRefusedAndMovesOn) {
  for (const int status : {401, 402, 403}) {
    start("fallbacks: [two]", two_keys);
    ask();
    const std::string refused = one_.answers(json_answer(failure, status)).field("authorization");
    const std::string taken = one_.answers(json_answer(good)).field("authorization");
    EXPECT_NE(refused, taken);
    expect_by(answer(), "a", "2", "credential_refused");
    for (int i = 0; i < 10; ++i) {
      ask();
      EXPECT_EQ(one_.answers(json_answer(good)).field("authorization"), taken);
      EXPECT_EQ(answer().status, 200);
    }
  }
}

TEST_F(Routing, LetsACredentialCoolThatHasUsedUpItsRate) {
  start("fallbacks: [two]", ", credentials: [{name: x, key: test-key-1}]");
  ask();
  one_.answers(with_fields(json_answer(failure, 429), "Retry-After: 100\r\n"));
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "2", "rate_limited");
  ask();
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "1", "rate_limited");
}

TEST_F(Routing, SaysWhenItCanBeTriedWhereEverythingCools) {
  start("fallbacks: []", ", credentials: [{name: x, key: test-key-1}]", "attempts: 1");
  ask();
  one_.answers(with_fields(json_answer(failure, 429), "Retry-After: 100\r\n"));
  EXPECT_EQ(answer().status, 429);
  ask();
  const Answer got = answer();
  EXPECT_EQ(got.status, 429);
  const int wait = std::stoi(got.fields.at("retry-after"));
  EXPECT_GT(wait, 90);
  EXPECT_LE(wait, 100);
}

TEST_F(Routing, LeavesATargetAloneWhoseCircuitIsOpen) {
  start("fallbacks: [two]", ", circuit: {failures: 2, open_for: 1h, longest_open: 1h}");
  ask();
  one_.answers(json_answer(failure, 500));
  one_.answers(json_answer(failure, 500));
  two_.answers(json_answer(good));
  EXPECT_EQ(answer().status, 200);
  const std::size_t before = one_.upstream.accepted();
  for (int i = 0; i < 5; ++i) {
    ask();
    two_.answers(json_answer(good));
    expect_by(answer(), "b", "1", "circuit_open");
  }
  EXPECT_EQ(one_.upstream.accepted(), before);
}

TEST_F(Routing, FailsAtOnceWhereACredentialIsRefusedAndItsCircuitIsOpen) {
  start("fallbacks: []",
        ", credentials: [{name: x, key: test-key-1}], circuit: {failures: 1, open_for: 1h, longest_open: 1h}",
        "attempts: 1");
  ask();
  one_.answers(json_answer(failure, 500));
  EXPECT_EQ(answer().status, 500);
  ask();
  EXPECT_EQ(answer().status, 503);

  start("fallbacks: []",
        ", credentials: [{name: x, key: test-key-1}], circuit: {failures: 1, open_for: 1h, longest_open: 1h}",
        "attempts: 1");
  ask();
  one_.answers(json_answer(failure, 401));
  EXPECT_EQ(answer().status, 502);
  ask();
  one_.answers(json_answer(failure, 500));
  EXPECT_EQ(answer().status, 500);
  ask();
  EXPECT_EQ(answer().status, 503);
}

TEST_F(Routing, FailsAtOnceWhereEveryCircuitIsOpen) {
  start("fallbacks: []", ", circuit: {failures: 1, open_for: 1h, longest_open: 1h}", "attempts: 1");
  ask();
  one_.answers(json_answer(failure, 500));
  EXPECT_EQ(answer().status, 500);
  ask();
  const Answer got = answer();
  EXPECT_EQ(got.status, 503);
  EXPECT_NE(got.body.find("no_upstream_available"), std::string::npos) << got.body;
  EXPECT_GT(std::stoi(got.fields.at("retry-after")), 3000);
}

TEST_F(Routing, KeepsAnOpenCircuitOverAReload) {
  start("fallbacks: [two]", ", circuit: {failures: 1, open_for: 1h, longest_open: 1h}", "attempts: 2");
  ask();
  one_.answers(json_answer(failure, 500));
  two_.answers(json_answer(good));
  EXPECT_EQ(answer().status, 200);
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 2));
  ask();
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "1", "circuit_open");
}

TEST_F(Routing, BlamesNobodyForAClientThatLeavesOrHasNoTime) {
  start("fallbacks: []", ", circuit: {failures: 1, open_for: 1h, longest_open: 1h}", "attempts: 1");
  ask("x-tollgate-timeout-ms: 20\r\n");
  one_.upstream.next();
  EXPECT_EQ(answer().status, 504);
  {
    RawClient leaving(gateway_->address());
    leaving.send(post("/v1/chat/completions", chat_body("auto")));
    one_.upstream.next();
  }
  EXPECT_TRUE(gateway_->wait_for_log("\"status\":499"));
  ask();
  one_.answers(json_answer(good));
  expect_by(answer(), "a", "1", "primary");
}

TEST_F(Routing, EndsTheWaitForARepeatWhenTheClientLeaves) {
  start("fallbacks: []", {}, "attempts: 3, backoff: {base: 1ms, max: 1m}");
  {
    RawClient leaving(gateway_->address());
    leaving.send(post("/v1/chat/completions", chat_body("auto")));
    one_.answers(with_fields(json_answer(failure, 503), "Retry-After: 30\r\n"));
    ASSERT_TRUE(gateway_->wait_for_metric("tollgate_in_flight_requests", 1));
  }
  EXPECT_TRUE(gateway_->wait_for_log("\"status\":499"));
}

TEST_F(Routing, GoesByTheTaskThatTheRequestNames) {
  start("fallbacks: [], tasks: {coding: {primary: two}}");
  ask("x-tollgate-task: coding\r\n");
  two_.answers(json_answer(good));
  Answer got = answer();
  expect_by(got, "b", "1", "task");
  EXPECT_EQ(got.fields.at("x-tollgate-task"), "coding");

  ask({}, false, "auto:coding");
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "1", "task");

  client_->send(post("/v1/chat/completions", R"({"model":"auto","metadata":{"task_type":"coding"},"messages":[]})"));
  EXPECT_EQ(two_.answers(json_answer(good)).body.find("task_type"), std::string::npos);
  expect_by(answer(), "b", "1", "task");

  ask("x-tollgate-task: cooking\r\n");
  one_.answers(json_answer(good));
  got = answer();
  expect_by(got, "a", "1", "primary");
  EXPECT_EQ(got.fields.at("x-tollgate-warning"), "unknown_task");
}

TEST_F(Routing, GoesByTheWordsOfARequestThatNamesNoTask) {
  start("fallbacks: [], classifier: true, tasks: {translate: {primary: two}}");
  const auto say = [this](const std::string& words) {
    client_->send(
        post("/v1/chat/completions", R"({"model":"auto","messages":[{"role":"user","content":")" + words + "\"}]}"));
  };
  say("Please translate this sentence into French: good morning");
  two_.answers(json_answer(good));
  Answer got = answer();
  expect_by(got, "b", "1", "task");
  EXPECT_EQ(got.fields.at("x-tollgate-task"), "translate");
  say("Why does my Python function throw a TypeError?");
  one_.answers(json_answer(good));
  expect_by(answer(), "a", "1", "primary");
}

TEST_F(Routing, RefusesATaskThatItDoesNotHaveWhereItIsToldTo) {
  start("fallbacks: [], unknown_task: reject, tasks: {coding: {primary: two}}");
  ask("x-tollgate-task: cooking\r\n");
  const Answer got = answer();
  EXPECT_EQ(got.status, 400);
  EXPECT_NE(got.body.find("unknown_task"), std::string::npos);
  EXPECT_NE(got.body.find("coding"), std::string::npos);
  ask({}, false, "auto:cooking");
  EXPECT_EQ(answer().status, 404);
}

TEST_F(Routing, AsksAnEquivalentTargetBeforeItRepeats) {
  gateway_ = std::make_unique<GatewayUnderTest>(
      "defaults: {retry: {attempts: 2}}\nproviders:\n  a: {base_url: \"http://127.0.0.1:" +
      std::to_string(one_.upstream.port()) +
      "/v1\"}\n  b: {base_url: \"http://127.0.0.1:" + std::to_string(two_.upstream.port()) +
      "/v1\"}\nmodels:\n  m: {targets: [{provider: a, weight: 1000000}, {provider: b, weight: 0.001}]}\n");
  client_ = std::make_unique<RawClient>(gateway_->address());
  ask({}, false, "m");
  one_.answers(json_answer(failure, 500));
  two_.answers(json_answer(good));
  expect_by(answer(), "b", "2", "retry_exhausted");
}

TEST_F(Routing, ShowsOperatorsHowEveryTargetFares) {
  start("fallbacks: [two]",
        two_keys.substr(0, two_keys.rfind(", {")) + "], circuit: {failures: 1, open_for: 1h, longest_open: 1h}");
  ask();
  one_.answers(json_answer(failure, 500));
  two_.answers(json_answer(good));
  EXPECT_EQ(answer().status, 200);
  RawClient operators(gateway_->admin_address());
  operators.send(get("/admin/v1/targets"));
  const Answer got = operators.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_NE(got.body.find(R"("target":"a/one","credential":"x","circuit":"open","reason":"failures_in_a_row")"),
            std::string::npos)
      << got.body;
  EXPECT_NE(got.body.find(R"("target":"b/two","credential":"","circuit":"closed","reason":"started")"),
            std::string::npos)
      << got.body;
}

}  // namespace
}  // namespace tollgate::test
