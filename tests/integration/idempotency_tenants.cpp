// Idempotency-Keys where there are tenants and a store: whose they are, what they cost, and what a restart leaves of
// them.
#include "idempotency_parts.hpp"
#include "support/paths.hpp"
#include "support/tollgate_process.hpp"

#include <csignal>
#include <filesystem>

namespace tollgate::test {
namespace {

std::string bearer(const std::string& name) {
  return "Authorization: Bearer " + name + "-key-of-more-than-20-bytes\r\n";
}

std::string tenant(const std::string& name, const std::string& more = {}) {
  return "  " + name + ":\n    keys:\n      - {name: ci, secret: " + name + "-key-of-more-than-20-bytes}\n" +
         "      - {name: narrow, secret: narrow-" + name + "-key-of-more-than-20-bytes, allow: {models: []}}\n" + more;
}

TEST_F(Idempotency, KeepsTenantsApart) {
  start("tenants:\n" + tenant("acme") + tenant("other"));
  EXPECT_FALSE(is_replayed(ask_and_answer(with_key("k", bearer("acme")), json_answer(R"({"for":"acme"})"))));
  const Answer other = ask_and_answer(with_key("k", bearer("other")), json_answer(R"({"for":"other"})"));
  EXPECT_EQ(other.body, R"({"for":"other"})");
  EXPECT_EQ(ask(with_key("k", bearer("acme"))).body, R"({"for":"acme"})");
  EXPECT_EQ(ask_and_answer(with_key("k2", bearer("other")), json_answer(hello), chat_body("up/x")).status, 200);
  EXPECT_EQ(ask_and_answer(with_key("k2", bearer("acme"))).status, 200) << "another body, but of another tenant";
}

TEST_F(Idempotency, JudgesTheRightsOfEveryRequest) {
  start("tenants:\n" + tenant("acme"));
  ask_and_answer(with_key("k", bearer("acme")));
  EXPECT_EQ(ask(with_key("k", bearer("narrow-acme"))).status, 403);
  EXPECT_EQ(ask(with_key("k", bearer("unknown"))).status, 401);
  EXPECT_TRUE(is_replayed(ask(with_key("k", bearer("acme")))));
}

TEST_F(Idempotency, TakesNothingOfALimitForAnAnswerThatIsGivenAgain) {
  start("tenants:\n" + tenant("acme", "    limits: {requests_per_minute: 2, tokens_per_minute: 100000}\n"));
  const Answer first = ask_and_answer(with_key("k", bearer("acme")));
  EXPECT_EQ(first.fields.at("x-ratelimit-remaining-requests"), "1");
  for (int i = 0; i < 5; ++i) {
    const Answer again = ask(with_key("k", bearer("acme")));
    EXPECT_EQ(again.status, 200);
    EXPECT_FALSE(again.fields.contains("x-ratelimit-remaining-requests")) << "what was left then is not what is left";
  }
  EXPECT_EQ(ask_and_answer(with_key("k2", bearer("acme"))).status, 200);
  EXPECT_EQ(ask(with_key("k3", bearer("acme"))).status, 429);
  EXPECT_TRUE(is_replayed(ask(with_key("k", bearer("acme")))));
  // The same where the body comes after its head.
  RawClient late(gateway_->address());
  const std::string request = post("/v1/chat/completions", chat_body("m"), with_key("k", bearer("acme")));
  const std::size_t head = request.find("\r\n\r\n") + 4;
  late.send(request.substr(0, head));
  ASSERT_TRUE(wait_for_requests(1));
  late.send(request.substr(head));
  EXPECT_TRUE(is_replayed(late.read_answer()));
}

TEST_F(Idempotency, LetsThoseThatWaitKeepNobodyOut) {
  start("tenants:\n" + tenant("acme", "    limits: {concurrency: 2}\n"));
  RawClient first = send(with_key("k", bearer("acme")));
  const KeepAliveUpstream::Call call = upstream_.next();
  std::vector<RawClient> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(send(with_key("k", bearer("acme"))));
  ASSERT_TRUE(wait_for_requests(6));
  EXPECT_EQ(ask_and_answer(bearer("acme")).status, 200);
  upstream_.connection(call.connection).send(json_answer(hello));
  for (RawClient& client : waiting) EXPECT_EQ(client.read_answer().status, 200);
}

// --- the store ---

class StoredIdempotency : public Idempotency {
 protected:
  std::filesystem::path file() const { return folder_.path() / "answers.db"; }
  std::string storage() const { return "storage: {path: " + file().string() + "}\n"; }

  TemporaryFolder folder_;
};

TEST_F(StoredIdempotency, GivesAnswersAgainAfterARestart) {
  start(storage());
  const std::string events =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n";
  const Answer json = ask_and_answer(with_key("k"));
  const Answer stream = ask_and_answer(with_key("k2"), stream_head + chunk(events) + last_chunk, chat_body("m", true));
  const std::string too_long = "\"" + std::string(1024 * 1024, 'x') + "\"";
  ask_and_answer(with_key("k3"), json_answer(too_long));
  ask_and_answer(with_key("k4"), json_answer("{}", 500));
  gateway_.reset();

  start(storage());
  const Answer json_again = ask(with_key("k")), stream_again = ask(with_key("k2"), chat_body("m", true));
  EXPECT_TRUE(is_replayed(json_again));
  EXPECT_EQ(json_again.body, json.body);
  EXPECT_EQ(json_again.fields.at("content-type"), "application/json");
  EXPECT_TRUE(is_replayed(stream_again));
  EXPECT_EQ(stream_again.body, stream.body);
  EXPECT_EQ(stream_again.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(ask(with_key("k"), chat_body("up/x")).status, 409);
  EXPECT_EQ(error_code(ask(with_key("k3"))), "idempotency_answer_not_kept");
  EXPECT_EQ(ask_and_answer(with_key("k4")).status, 200) << "what failed may be tried again";
}

TEST_F(StoredIdempotency, MayBeTriedAgainAfterAGatewayThatStoppedInGoodOrder) {
  start(storage(), "drain: {limit: 100ms}");
  RawClient first = send(with_key("k"));
  upstream_.next();
  gateway_->gateway().request_stop();
  EXPECT_EQ(first.read_answer().status, 503);
  EXPECT_EQ(gateway_->join(), 0);
  gateway_.reset();

  start(storage());
  EXPECT_EQ(ask_and_answer(with_key("k")).status, 200);
}

TEST_F(StoredIdempotency, RefusesWhatACrashLeftUnanswered) {
  {
    TollgateProcess killed(test::tollgate_binary(), config_for(upstream_.port()) + storage());
    RawClient client(killed.address());
    client.send(post("/v1/chat/completions", chat_body("m"), with_key("k")));
    upstream_.next();
    killed.signal(SIGKILL);
    EXPECT_TRUE(client.socket().wait_closed());
    EXPECT_EQ(killed.exit_code(), std::nullopt);
  }
  start(storage());
  const Answer answer = ask(with_key("k"));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(error_code(answer), "idempotency_interrupted");
  EXPECT_EQ(answer.fields.at("x-should-retry"), "false");
  EXPECT_EQ(ask_and_answer(with_key("k-again")).status, 200);
}

TEST_F(StoredIdempotency, CallsNoUpstreamWhileTheStoreIsAway) {
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream_.port()) + storage());
  const auto ask_at = [&](const std::string& fields) {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m"), fields + "Connection: close\r\n"));
    return client;
  };
  RawClient before = ask_at(with_key("k"));
  answer_next(json_answer(hello));
  EXPECT_EQ(before.read_answer().status, 200);
  const std::filesystem::path away = folder_.path() / "away.db";
  std::filesystem::rename(file(), away);
  ASSERT_TRUE(gateway.wait_for_log("store_unreachable"));
  const Answer refused = ask_at(with_key("k2")).read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(error_code(refused), "overloaded");
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  RawClient without = ask_at("");
  answer_next(json_answer(hello));
  EXPECT_EQ(without.read_answer().status, 200) << "who asks for no promise gets an answer";
  std::filesystem::rename(away, file());
  ASSERT_TRUE(gateway.wait_for_log("store_back"));
  RawClient after = ask_at(with_key("k2"));
  answer_next(json_answer(hello));
  EXPECT_EQ(after.read_answer().status, 200);
}

}  // namespace
}  // namespace tollgate::test
