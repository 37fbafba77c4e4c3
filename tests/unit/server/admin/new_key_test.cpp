// What is wrong with the body of a new key is told by its member, and nothing has happened then. A row for each way
// that somebody has got it wrong elsewhere.
#include "harness.hpp"

namespace tollgate::server::admin {
namespace {

const std::string plain_key = R"({"tenant":"acme","name":"build"})";

struct Bad {
  std::string body, param;
};

// size: exempt, a table
std::vector<Bad> bad_bodies() {
  const auto with = [](const std::string& members) { return R"({"tenant":"acme","name":"n",)" + members + "}"; };
  return {
      {"", ""},
      {"null", ""},
      {"[]", ""},
      {"\"acme\"", ""},
      {plain_key + plain_key, ""},
      {"{\"tenant\":\"acme\",\"name\":\"n\"", ""},
      {"{}", "tenant"},
      {R"({"name":"n"})", "tenant"},
      {R"({"tenant":"nobody","name":"n"})", "tenant"},
      {R"({"tenant":"ACME","name":"n"})", "tenant"},
      {R"({"tenant":7,"name":"n"})", "tenant"},
      {R"({"tenant":null,"name":"n"})", "tenant"},
      {R"({"tenant":"acme"})", "name"},
      {R"({"tenant":"acme","name":""})", "name"},
      {R"({"tenant":"acme","name":"a/b"})", "name"},
      {R"({"tenant":"acme","name":"a\nb"})", "name"},
      {R"({"tenant":"acme","name":"a\u0000b"})", "name"},
      {R"({"tenant":"acme","name":")" + std::string(129, 'a') + "\"}", "name"},
      {R"({"tenant":"acme","name":["n"]})", "name"},
      {with(R"("name":"m")"), "name"},
      {with(R"("Name":"m")"), "Name"},
      {with(R"("secret":"sk-canary")"), "secret"},
      {with(R"("budgets":[])"), "budgets"},
      {with(R"("expires_at":"yesterday")"), "expires_at"},
      {with(R"("expires_at":"2020-01-01")"), "expires_at"},
      {with(R"("expires_at":"2100-02-30")"), "expires_at"},
      {with(R"("expires_at":"2100-01-01T00:00:00+01:00")"), "expires_at"},
      {with(R"("expires_at":4102444800)"), "expires_at"},
      {with(R"("expires":"2100-01-01")"), "expires"},
      {with(R"("addresses":"10.0.0.1")"), "addresses"},
      {with(R"("addresses":["10.0.0.1","10.0.0.0/33"])"), "addresses[1]"},
      {with(R"("addresses":["localhost"])"), "addresses[0]"},
      {with(R"("addresses":[7])"), "addresses[0]"},
      {with(R"("addresses":null)"), "addresses"},
      {with(R"("allow":[])"), "allow"},
      {with(R"("allow":{"routes":"r"})"), "allow.routes"},
      {with(R"("allow":{"routes":["nope"]})"), "allow.routes[0]"},
      {with(R"("allow":{"models":["m","nope"]})"), "allow.models[1]"},
      {with(R"("allow":{"model":["m"]})"), "allow.model"},
      {with(R"("deny":{"routes":["a*b"]})"), "deny.routes[0]"},
      {with(R"("deny":{"models":["gpt"]})"), "deny.models[0]"},
      {with(R"("deny":null)"), "deny"},
      {with(R"("limits":7)"), "limits"},
      {with(R"("limits":{"requests_per_minute":0})"), "limits.requests_per_minute"},
      {with(R"("limits":{"requests_per_minute":-1})"), "limits.requests_per_minute"},
      {with(R"("limits":{"requests_per_minute":1.5})"), "limits.requests_per_minute"},
      {with(R"("limits":{"requests_per_minute":6e2})"), "limits.requests_per_minute"},
      {with(R"("limits":{"requests_per_minute":"600"})"), "limits.requests_per_minute"},
      {with(R"("limits":{"tokens_per_minute":1000000001})"), "limits.tokens_per_minute"},
      {with(R"("limits":{"tokens_per_minute":18446744073709551616})"), "limits.tokens_per_minute"},
      {with(R"("limits":{"concurrency":true})"), "limits.concurrency"},
      {with(R"("limits":{"count":"tokens"})"), "limits.count"},
      {with(R"("limits":{"count_cached":1})"), "limits.count_cached"},
      {with(R"("limits":{"burst":60})"), "limits.burst"},
      {with(R"("limits":{"burst":"61m"})"), "limits.burst"},
      {with(R"("limits":{"rpm":60})"), "limits.rpm"},
      {with(R"("limits":{"burst":"1s","burst":"2s"})"), "burst"},
      {with(R"("may_delegate":"true")"), "may_delegate"},
      {with(R"("max_priority":"urgent")"), "max_priority"},
      {with(R"("max_priority":1)"), "max_priority"},
      {with(R"("cache":"off")"), "cache"},
      {with(R"("max_timeout":"0s")"), "max_timeout"},
      {with(R"("max_timeout":"2d")"), "max_timeout"},
      {with(R"("sha256":"abc")"), "sha256"},
      {with(R"("sha256":")" + std::string(64, 'g') + "\""), "sha256"},
      {with(R"("sha256":7)"), "sha256"},
      {with("\"x\":" + std::string(20, '[') + std::string(20, ']')), ""},
      {"{\"tenant\":\"acme\",\"name\":\"\xFF\"}", ""},
  };
}

TEST(NewKeys, with_a_body_that_is_wrong_are_refused_by_the_member_and_change_nothing) {
  auto api = std::make_unique<Harness>();
  ASSERT_GE(bad_bodies().size(), 40u);
  for (const Bad& bad : bad_bodies()) {
    const AdminReply reply = api->ask("POST", "/admin/v1/keys", bad.body);
    ASSERT_EQ(reply.status, 400) << bad.body << " " << reply.body;
    const json error = Harness::error(reply);
    EXPECT_EQ(error.at("param"), bad.param.empty() ? json() : json(bad.param)) << bad.body;
    EXPECT_EQ(error.at("type"), "invalid_request_error");
    EXPECT_NE(error.at("message"), "");
    EXPECT_EQ(reply.body.find("canary"), std::string::npos);
  }
  EXPECT_TRUE(api->added.empty());
}

TEST(NewKeys, take_null_for_what_is_not_set) {
  Harness api;
  const json made =
      api.create(R"({"tenant":"acme","name":"n","expires_at":null,"allow":null,"max_timeout":null,"sha256":null,)"
                 R"("limits":{"requests_per_minute":null,"tokens_per_minute":null,"concurrency":null}})");
  EXPECT_TRUE(made.at("settings").at("allow").is_null());
  EXPECT_TRUE(made.at("key").is_string());
}

}  // namespace
}  // namespace tollgate::server::admin
