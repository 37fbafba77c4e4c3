// Tenants as their callers meet them: keys in every spelling, rights, limits and their header fields, credentials of
// their own, and what a reload does to all of it.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;

const std::string key = "acme-key-of-more-than-20-bytes", other_key = "other-key-of-more-than-20-bytes";
const std::string usage_answer =
    R"({"id":"x","object":"chat.completion","choices":[{"index":0}],"usage":{"prompt_tokens":10,"completion_tokens":20}})";

std::string bearer(const std::string& text) { return "Authorization: Bearer " + text + "\r\n"; }

std::string error_code(const Answer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  return json.is_object() && json.contains("error") ? json["error"].value("code", "") : "";
}

/// A gateway with tenants in front of an upstream that the test plays.
class Tenants : public testing::Test {
 protected:
  std::string config(const std::string& tenants) const { return config_for(upstream_.port()) + tenants; }
  void start(const std::string& tenants, const std::string& server_keys = {}) {
    gateway_ = std::make_unique<GatewayUnderTest>(config(tenants), server_keys);
  }
  /// Sends a chat request and answers it upstream, where it comes to that.
  Answer ask(const std::string& fields, const std::string& answer = json_answer(usage_answer),
             const std::string& body = chat_body("m")) {
    RawClient client(gateway_->address());
    client.send(post("/v1/chat/completions", body, fields + "Connection: close\r\n"));
    const KeepAliveUpstream::Call call = upstream_.next();
    last_ = call.request;
    upstream_.connection(call.connection).send(answer);
    return client.read_answer();
  }
  /// The same for a request that must not reach the upstream.
  Answer refused(const std::string& fields, const std::string& body = chat_body("m"),
                 const std::string& path = "/v1/chat/completions") {
    RawClient client(gateway_->address());
    client.send(post(path, body, fields + "Connection: close\r\n"));
    return client.read_answer();
  }
  Answer fetch(const std::string& path, const std::string& fields) {
    RawClient client(gateway_->address());
    client.send(get(path, fields + "Connection: close\r\n"));
    return client.read_answer();
  }

  KeepAliveUpstream upstream_;
  UpstreamRequest last_;
  std::unique_ptr<GatewayUnderTest> gateway_;
};

std::string tenant(const std::string& keys_of_the_key = {}, const std::string& keys_of_the_tenant = {}) {
  return "tenants:\n  acme:\n    keys: [{name: ci, secret: " + key + keys_of_the_key + "}]\n" + keys_of_the_tenant;
}

TEST_F(Tenants, AreKnownByTheirKeyAndNobodyElseIsLetIn) {
  start(tenant());
  EXPECT_EQ(ask(bearer(key)).status, 200);
  EXPECT_EQ(ask("x-api-key: " + key + "\r\n").status, 200);
  EXPECT_EQ(ask("api-key: " + key + "\r\n" + bearer(key)).status, 200);
  const Answer none = refused("");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(error_code(none), "invalid_api_key");
  EXPECT_EQ(none.fields.at("www-authenticate"), "Bearer");
  const Answer wrong = refused(bearer("wrong"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body.find("wrong"), std::string::npos);
  EXPECT_EQ(refused(bearer(key) + "x-api-key: " + other_key + "\r\n").status, 400);
  EXPECT_EQ(refused(bearer(std::string(20'000, 'k'))).status, 401);
}

TEST_F(Tenants, KeepTheirConnectionWhenTheyAreTurnedAway) {
  start(tenant());
  RawClient client(gateway_->address());
  // Pipelined: what follows a refused body is the next request, to the byte.
  client.send(post("/v1/chat/completions", chat_body("m"), bearer("wrong")) +
              post("/v1/nothing-of-the-kind", chat_body("m"), bearer("wrong")) + get("/v1/models", bearer(key)));
  for (const int status : {401, 401, 200}) {
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, status);
    EXPECT_FALSE(answer.fields.contains("connection")) << status;
  }
}

TEST_F(Tenants, AreJudgedByEachRequestsOwnKey) {
  start(tenant());
  RawClient client(gateway_->address());
  std::string near = key;
  near.back() ^= 1;
  for (const auto& [given, status] : {std::pair(key, 200), {near, 401}, {key, 200}, {key + "x", 401}, {key, 200}}) {
    client.send(get("/v1/models", bearer(given)));
    EXPECT_EQ(client.read_answer().status, status) << given;
  }
}

TEST_F(Tenants, LoseTheirConnectionWithABodyThatHasNotCome) {
  start(tenant());
  RawClient client(gateway_->address());
  std::string request = post("/v1/chat/completions", chat_body("m"), bearer("wrong"));
  request.pop_back();
  client.send(request);
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.fields.at("connection"), "close");
}

TEST_F(Tenants, NeverHandTheirKeyOn) {
  start(tenant());
  ask(bearer(key) + "x-api-key: " + key + "\r\nCookie: a=b\r\n");
  EXPECT_EQ(last_.head.find(key), std::string::npos);
  EXPECT_EQ(last_.field("authorization"), "");
  EXPECT_EQ(last_.field("cookie"), "");
}

TEST_F(Tenants, MayComeByAnyHostNameSinceTheyHaveKeys) {
  start(tenant());
  RawClient client(gateway_->address());
  client.send("GET /v1/models HTTP/1.1\r\nHost: llm.example.com\r\n" + bearer(key) + "Connection: close\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(Tenants, StandInLogAndMetricsByTheirNames) {
  start(tenant());
  ask(bearer(key));
  refused(bearer("wrong"));
  EXPECT_TRUE(gateway_->wait_for_log(R"("tenant":"acme","key":"ci")"));
  EXPECT_TRUE(gateway_->wait_for_metric(
      R"(tollgate_requests_total{tenant="acme",route="none",task="none",model="m",outcome="ok",stream="false"})", 1));
  EXPECT_TRUE(gateway_->wait_for_metric(
      R"(tollgate_requests_total{tenant="none",route="none",task="none",model="none",outcome="client_error",stream="false"})",
      1));
  EXPECT_TRUE(gateway_->wait_for_metric(
      R"(tollgate_tokens_total{tenant="acme",task="none",model="m",kind="output_visible"})", 20));
  EXPECT_EQ(gateway_->access_log().find(key), std::string::npos);
}

TEST_F(Tenants, MayCallWhatTheyAreAllowedAndSeeNothingElse) {
  start("routes: {auto: {primary: m}, far: {primary: up/far}}\n" + tenant({}, "    allow: {routes: [auto]}\n"));
  EXPECT_EQ(ask(bearer(key), json_answer(usage_answer), chat_body("auto")).status, 200);
  for (const char* name : {"m", "up/x", "far"}) {
    const Answer answer = refused(bearer(key), chat_body(name));
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_EQ(error_code(answer), "model_not_allowed") << name;
  }
  EXPECT_EQ(refused(bearer(key), chat_body("aut")).body.find("'far'"), std::string::npos);
  const Json list = Json::parse(fetch("/v1/models", bearer(key)).body);
  ASSERT_EQ(list["data"].size(), 1u);
  EXPECT_EQ(list["data"][0]["id"], "auto");
  EXPECT_EQ(fetch("/v1/models/auto", bearer(key)).status, 200);
  EXPECT_EQ(fetch("/v1/models/m", bearer(key)).status, 404);
  EXPECT_EQ(fetch("/v1/models", "").status, 401);
}

TEST_F(Tenants, AreNarrowedByAKeyAndNeverWidened) {
  start(tenant(", allow: {routes: [], models: [m]}", "    deny: {models: [m]}\n"));
  EXPECT_EQ(refused(bearer(key)).status, 403);
  EXPECT_EQ(refused(bearer(key), chat_body("up/x")).status, 403);
}

TEST_F(Tenants, AreTurnedAwayWhenTheKeyHasExpired) {
  start(tenant(", expires: 2020-01-01"));
  const Answer expired = refused(bearer(key)), unknown = refused(bearer("wrong"));
  EXPECT_EQ(expired.status, 401);
  EXPECT_EQ(expired.body, unknown.body);
}

TEST_F(Tenants, AreHeldToTheAddressesOfTheirKey) {
  start(tenant(", addresses: [10.0.0.0/8]"));
  const Answer answer = refused(bearer(key) + "X-Forwarded-For: 10.0.0.1\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(error_code(answer), "address_not_allowed");
  start(tenant(", addresses: [127.0.0.1]"));
  EXPECT_EQ(ask(bearer(key)).status, 200);
}

TEST_F(Tenants, AreKnownByTheAddressThatATrustedProxyTells) {
  start(tenant(", addresses: [10.0.0.0/8]"), "trusted_proxies: [127.0.0.1, 192.0.2.0/24]\n");
  EXPECT_EQ(ask(bearer(key) + "X-Forwarded-For: 10.1.2.3\r\n").status, 200);
  EXPECT_EQ(ask(bearer(key) + "X-Forwarded-For: 203.0.113.9, 10.1.2.3, 192.0.2.7\r\n").status, 200);
  EXPECT_EQ(refused(bearer(key) + "X-Forwarded-For: 10.1.2.3, 203.0.113.9\r\n").status, 403);
  EXPECT_EQ(refused(bearer(key) + "X-Forwarded-For: 10.1.2.3, nonsense\r\n").status, 403);
  EXPECT_EQ(refused(bearer(key)).status, 403);
}

TEST_F(Tenants, SpendTheirOwnCredentialWhereTheyHaveOne) {
  start(tenant({}, "    credentials: {up: [{name: own, key: acme-provider-key}]}\n"));
  const Answer answer = ask(bearer(key), json_answer(R"({"error":{"message":"key acme-provider-key is wrong"}})", 400));
  EXPECT_EQ(last_.field("authorization"), "Bearer acme-provider-key");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body.find("acme-provider-key"), std::string::npos);
  EXPECT_TRUE(gateway_->wait_for_log(R"("credential":"own")"));
  EXPECT_EQ(ask(bearer(key), json_answer("{}", 401)).status, 502);
}

TEST_F(Tenants, MayPassTheirCallersCredentialOn) {
  start(tenant({}, "    credentials: client\n"));
  const std::string both = "x-tollgate-key: " + key + "\r\n" + bearer("callers-own-key");
  EXPECT_EQ(ask(both).status, 200);
  EXPECT_EQ(last_.field("authorization"), "Bearer callers-own-key");
  EXPECT_EQ(last_.field("x-tollgate-key"), "");
  EXPECT_EQ(ask(both, json_answer(R"({"error":{"message":"no"}})", 401)).status, 401);  // it is about the caller's key
  const Answer alone = refused("x-tollgate-key: " + key + "\r\n");
  EXPECT_EQ(alone.status, 401);
  EXPECT_EQ(error_code(alone), "provider_credential_missing");
  EXPECT_EQ(fetch("/v1/models", "x-tollgate-key: " + key + "\r\n").status, 200);
}

TEST_F(Tenants, MayNotSmuggleACredentialThatIsNotTheirs) {
  start(tenant());
  EXPECT_EQ(refused("x-tollgate-key: " + key + "\r\n" + bearer("callers-own-key")).status, 400);
}

TEST_F(Tenants, AreToldWhatIsLeftAndWhichLimitStopsThem) {
  start(tenant({}, "    limits: {requests_per_minute: 2}\n"));
  const Answer first = ask(bearer(key));
  EXPECT_EQ(first.fields.at("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(first.fields.at("x-ratelimit-remaining-requests"), "1");
  EXPECT_TRUE(first.fields.contains("x-ratelimit-reset-requests"));
  EXPECT_FALSE(first.fields.contains("x-ratelimit-limit-tokens"));
  ask(bearer(key));
  const Answer third = refused(bearer(key));
  EXPECT_EQ(third.status, 429);
  const Json error = Json::parse(third.body)["error"];
  EXPECT_EQ(error["code"], "rate_limit_exceeded");
  EXPECT_EQ(error["type"], "requests");
  EXPECT_EQ(error["param"], "tenant_requests");
  EXPECT_NE(error["message"].get<std::string>().find("the tenant 'acme' has a limit of 2 requests per minute"),
            std::string::npos);
  EXPECT_GE(std::stoi(third.fields.at("retry-after")), 1);
  EXPECT_EQ(third.fields.at("x-ratelimit-remaining-requests"), "0");
  EXPECT_TRUE(
      gateway_->wait_for_metric(R"(tollgate_rate_limited_requests_total{tenant="acme",limit="tenant_requests"})", 1));
  EXPECT_TRUE(gateway_->wait_for_log(R"("limit":"tenant_requests")"));
}

TEST_F(Tenants, AreTurnedAwayBeforeALargeBodyIsRead) {
  start(tenant({}, "    limits: {requests_per_minute: 1}\n"));
  ask(bearer(key));
  RawClient client(gateway_->address());
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n" + bearer(key) +
              "\r\n");
  EXPECT_EQ(client.read_answer().status, 429);  // though no byte of it has come
}

TEST_F(Tenants, DoNotSeeWhatIsLeftOfTheGatewaysOwnLimits) {
  start(tenant());
  std::string answer = json_answer(usage_answer);
  answer.insert(answer.find("\r\n") + 2, "X-Ratelimit-Remaining-Requests: 7\r\n");
  EXPECT_FALSE(ask(bearer(key), answer).fields.contains("x-ratelimit-remaining-requests"));
}

TEST_F(Tenants, AreChargedTheTokensThatTheProviderReports) {
  start(tenant({}, "    limits: {tokens_per_minute: 100000}\n"));
  const std::string body = R"({"model":"m","max_tokens":5000,"messages":[]})";
  const Answer first = ask(bearer(key), json_answer(usage_answer), body);
  const int during = std::stoi(first.fields.at("x-ratelimit-remaining-tokens"));
  EXPECT_LT(during, 95'000);  // the reservation
  EXPECT_GT(during, 94'000);
  // A moment refills: 100,000 a minute are 1.7 a millisecond.
  EXPECT_GE(std::stoi(ask(bearer(key), json_answer(usage_answer), body).fields.at("x-ratelimit-remaining-tokens")),
            during - 30);
}

TEST_F(Tenants, CannotAskForMoreThanTheWholeLimit) {
  start(tenant({}, "    limits: {tokens_per_minute: 1000}\n"));
  const Answer answer = refused(bearer(key), R"({"model":"m","max_tokens":5000,"messages":[]})");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.fields.at("x-should-retry"), "false");
  EXPECT_FALSE(answer.fields.contains("retry-after"));
  EXPECT_EQ(Json::parse(answer.body)["error"]["type"], "tokens");
  // Without a limit of its own the default is cut to what there is.
  EXPECT_EQ(ask(bearer(key)).status, 200);
}

TEST_F(Tenants, LoseNothingByWhatIsTurnedAway) {
  start("groups: {retail: {limits: {requests_per_minute: 100}}}\n" +
        tenant(", limits: {requests_per_minute: 1}", "    group: retail\n    limits: {requests_per_minute: 50}\n"));
  ask(bearer(key));
  for (int i = 0; i < 20; ++i) {
    const Answer answer = refused(bearer(key));
    ASSERT_EQ(answer.status, 429);
    EXPECT_EQ(Json::parse(answer.body)["error"]["param"], "key_requests");
  }
  // The key's bucket is the emptiest, so it is what is told; a new key of the tenant sees the tenant's.
  gateway_->rewrite_config(config("groups: {retail: {limits: {requests_per_minute: 100}}}\n" +
                                  tenant({}, "    group: retail\n    limits: {requests_per_minute: 50}\n")));
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 2));
  const Answer answer = ask(bearer(key));
  EXPECT_EQ(answer.fields.at("x-ratelimit-limit-requests"), "50");
  EXPECT_GE(std::stoi(answer.fields.at("x-ratelimit-remaining-requests")), 48);
}

TEST_F(Tenants, KeepWhatTheyHaveUsedOverAReload) {
  start(tenant({}, "    limits: {requests_per_minute: 2}\n"));
  ask(bearer(key));
  ask(bearer(key));
  gateway_->rewrite_config(config("x-note: 1\n" + tenant({}, "    limits: {requests_per_minute: 2}\n")));
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 2));
  EXPECT_EQ(refused(bearer(key)).status, 429);
  gateway_->rewrite_config(config(tenant()));
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 3));
  EXPECT_EQ(ask(bearer(key)).status, 200);
}

TEST_F(Tenants, LoseAKeyThatTheFileNoLongerHas) {
  start(tenant());
  RawClient kept(gateway_->address());
  kept.send(get("/v1/models", bearer(key)));
  EXPECT_EQ(kept.read_answer().status, 200);
  gateway_->rewrite_config(config("tenants: {acme: {keys: [{name: ci, secret: " + other_key + "}]}}\n"));
  gateway_->gateway().request_reload();
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_config_generation", 2));
  EXPECT_TRUE(eventually([&] {
    RawClient fresh(gateway_->address());
    fresh.send(get("/v1/models", bearer(other_key) + "Connection: close\r\n"));
    return fresh.read_answer().status == 200;
  }));
  kept.send(get("/v1/models", bearer(key)));
  EXPECT_EQ(kept.read_answer().status, 401);
}

TEST_F(Tenants, HaveSoManyRequestsAtOneTimeAndNoMore) {
  start(tenant({}, "    limits: {concurrency: 2}\n"));
  std::vector<RawClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(gateway_->address()).send(post("/v1/chat/completions", chat_body("m"), bearer(key)));
    upstream_.next();
  }
  const Answer third = refused(bearer(key));
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(Json::parse(third.body)["error"]["param"], "tenant_concurrency");
  EXPECT_EQ(third.fields.at("retry-after"), "1");
  upstream_.connection(0).send(json_answer(usage_answer));
  EXPECT_EQ(clients[0].read_answer().status, 200);
  clients[1].socket().close();  // a client that leaves gives its place back too
  ASSERT_TRUE(gateway_->wait_for_metric("tollgate_in_flight_requests", 0));
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(gateway_->address()).send(post("/v1/chat/completions", chat_body("m"), bearer(key)));
    upstream_.next();
  }
  EXPECT_EQ(refused(bearer(key)).status, 429);
}

TEST_F(Tenants, NameEndUsersOnlyByAKeyThatMay) {
  const std::string limits = "    end_user_limits: {requests_per_minute: 1}\n";
  start(tenant({}, limits));
  for (const char* user : {"a", "a", "b"})
    EXPECT_EQ(ask(bearer(key) + "x-tollgate-user: " + user + "\r\n").status, 200);
  start(tenant(", may_delegate: true", limits));
  EXPECT_EQ(ask(bearer(key) + "x-tollgate-user: a\r\n").status, 200);
  EXPECT_EQ(ask(bearer(key) + "x-tollgate-user: b\r\n").status, 200);
  const Answer again = refused(bearer(key) + "x-tollgate-user: a\r\n");
  EXPECT_EQ(again.status, 429);
  EXPECT_EQ(Json::parse(again.body)["error"]["param"], "end_user_requests");
  EXPECT_EQ(refused(bearer(key), R"({"model":"m","user":"b","messages":[]})").status, 429);
  EXPECT_EQ(ask(bearer(key)).status, 200);  // nobody named, nobody limited
}

TEST_F(Tenants, ShareTheLimitsOfRoutesAndModels) {
  start("routes: {auto: {primary: up/x, limits: {requests_per_minute: 1}}}\n" + tenant());
  EXPECT_EQ(ask(bearer(key), json_answer(usage_answer), chat_body("auto")).status, 200);
  const Answer answer = refused(bearer(key), chat_body("auto"));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(Json::parse(answer.body)["error"]["param"], "route_requests");
  EXPECT_EQ(ask(bearer(key)).status, 200);
}

TEST_F(Tenants, AreGivenLessTimeByTheirKey) {
  start(tenant(", max_timeout: 50ms"));
  RawClient client(gateway_->address());
  client.send(post("/v1/chat/completions", chat_body("m"), bearer(key) + "x-tollgate-timeout-ms: 60000\r\n"));
  upstream_.next();
  EXPECT_EQ(client.read_answer().status, 504);
}

TEST_F(Tenants, AreGivenNoMorePriorityThanTheirKeyMay) {
  start(tenant(", max_priority: normal"));
  EXPECT_EQ(ask(bearer(key) + "x-tollgate-priority: high\r\n").status, 200);
  EXPECT_TRUE(gateway_->wait_for_log(R"("priority":"normal")"));
  EXPECT_EQ(ask(bearer(key) + "x-tollgate-priority: low\r\n").status, 200);
  EXPECT_TRUE(gateway_->wait_for_log(R"("priority":"low")"));
  EXPECT_EQ(refused(bearer(key) + "x-tollgate-priority: urgent\r\n").status, 400);
}

}  // namespace
}  // namespace tollgate::test
