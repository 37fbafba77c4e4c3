// Requests with an Idempotency-Key through the real gateway: one call of the upstream, one answer for all that are
// equal, and what happens where there is none.
#include "idempotency_parts.hpp"
#include "stream_parts.hpp"

namespace tollgate::test {
namespace {

std::string streamed(const std::string& events) { return stream_head + chunk(events) + last_chunk; }

// --- one call, one answer ---

class HundredEqualRequests : public Idempotency, public testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(OfBothKinds, HundredEqualRequests, testing::Bool(),
                         [](const auto& info) { return info.param ? "Streams" : "Json"; });

TEST_P(HundredEqualRequests, ReachTheUpstreamOnceAndGetOneAnswer) {
  start();
  const std::string events = role_event + token("a") + token("b") + finish_event + usage_event + done_event;
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(send(with_key("k"), chat_body("m", GetParam())));
  ASSERT_TRUE(wait_for_requests(100));
  answer_next(GetParam() ? streamed(events) : json_answer(hello));
  std::vector<std::string> bodies, ids;
  int replayed = 0;
  for (RawClient& client : clients) {
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.fields.at("content-type"), GetParam() ? "text/event-stream" : "application/json");
    replayed += is_replayed(answer) ? 1 : 0;
    bodies.push_back(answer.body);
    ids.push_back(answer.fields.at("x-request-id"));
  }
  EXPECT_EQ(replayed, 99);
  EXPECT_NE(bodies[0].find(GetParam() ? "[DONE]" : "chat.completion"), std::string::npos);
  EXPECT_EQ(std::count(bodies.begin(), bodies.end(), bodies[0]), 100);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end()) << "each request has an id of its own";
  EXPECT_EQ(attempts_of(100), 1);
  EXPECT_EQ(count(gateway_->access_log(), R"("outcome":"ok")"), 100);
  EXPECT_EQ(count(gateway_->access_log(), R"("output_tokens":)"), 1) << "tokens that were used once count once";
}

TEST_F(Idempotency, GivesTheAnswerAgainToWhoComesLater) {
  start();
  const Answer first = ask_and_answer(with_key("k"));
  EXPECT_EQ(last_.field("idempotency-key"), "k");
  const Answer again = ask(with_key("k"));
  EXPECT_FALSE(is_replayed(first));
  EXPECT_EQ(again.fields.at("x-tollgate-idempotent-replayed"), "true");
  EXPECT_EQ(again.status, first.status);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.fields.at("x-tollgate-attempts"), "0");
  EXPECT_NE(again.fields.at("x-request-id"), first.fields.at("x-request-id"));
}

TEST_F(Idempotency, IsNothingToRequestsWithoutAKeyOrWithAnother) {
  start();
  ask_and_answer(with_key("k"));
  EXPECT_FALSE(is_replayed(ask_and_answer("")));
  EXPECT_FALSE(is_replayed(ask_and_answer(with_key("K"))));
  EXPECT_EQ(attempts_of(3), 3);
}

TEST_F(Idempotency, RefusesAKeyThatStandsForAnotherRequest) {
  start();
  ask_and_answer(with_key("k"));
  const Answer other_body = ask(with_key("k"), chat_body("up/x"));
  EXPECT_EQ(other_body.status, 409);
  EXPECT_EQ(error_code(other_body), "idempotency_key_reused");
  EXPECT_EQ(other_body.fields.at("x-should-retry"), "false");
  EXPECT_EQ(ask(with_key("k"), chat_body("m"), "/v1/chat/completions?a=b").status, 409);
  EXPECT_EQ(ask(with_key("k"), chat_body("m"), "/v1/completions").status, 409);
  EXPECT_TRUE(is_replayed(ask(with_key("k"))));
}

TEST_F(Idempotency, RefusesAnotherRequestWhileTheFirstIsUnderWay) {
  start();
  RawClient first = send(with_key("k"));
  const KeepAliveUpstream::Call call = upstream_.next();
  EXPECT_EQ(ask(with_key("k"), chat_body("up/x")).status, 409);
  upstream_.connection(call.connection).send(json_answer(hello));
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST_F(Idempotency, RefusesAKeyThatIsNone) {
  start();
  const std::string longest(255, 'k');
  for (const std::string& fields : {with_key(""), with_key(longest + "k"), with_key("a b")}) {
    const Answer answer = ask(fields);
    EXPECT_EQ(answer.status, 400) << fields;
    EXPECT_NE(answer.body.find(R"("param":"Idempotency-Key")"), std::string::npos) << answer.body;
  }
  // Of these two the guard of HTTP thinks the same, for every field.
  EXPECT_EQ(error_code(ask(with_key("\xC3\xA9"))), "bad_http_request");
  EXPECT_EQ(error_code(ask(with_key("k") + with_key("k"))), "bad_http_request");
  EXPECT_EQ(ask_and_answer(with_key(longest)).status, 200);
  RawClient models(gateway_->address());
  models.send(get("/v1/models", with_key("a b")));
  EXPECT_EQ(models.read_answer().status, 200) << "what is not passed on needs no key";
}

// --- no answer ---

TEST_F(Idempotency, TriesAgainAfterAFailure) {
  start();
  EXPECT_EQ(ask_and_answer(with_key("k"), json_answer("{}", 500)).status, 500);
  EXPECT_EQ(ask_and_answer(with_key("k"), json_answer("{}", 429)).status, 429);
  EXPECT_EQ(ask_and_answer(with_key("k"), "nonsense\r\n\r\n").status, 502);
  EXPECT_EQ(ask_and_answer(with_key("k"), stream_head + chunk(token("a")) + last_chunk, chat_body("m", true)).status,
            200);
  EXPECT_EQ(ask_and_answer(with_key("k")).status, 200);
  EXPECT_TRUE(is_replayed(ask(with_key("k"))));
}

TEST_F(Idempotency, GivesARefusalOfTheProviderAgain) {
  start();
  const std::string refusal = R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":"bad"}})";
  EXPECT_EQ(ask_and_answer(with_key("k"), json_answer(refusal, 400)).status, 400);
  const Answer again = ask(with_key("k"));
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body, refusal);
}

TEST_F(Idempotency, LetsOneOfThoseThatWaitTryAfterEachFailure) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(send(with_key("k")));
  ASSERT_TRUE(wait_for_requests(6));
  answer_next(json_answer("{}", 500));
  ASSERT_TRUE(wait_for_requests(5));
  answer_next(json_answer("{}", 503));
  ASSERT_TRUE(wait_for_requests(4));
  answer_next(json_answer(hello));
  std::vector<int> statuses;
  for (RawClient& client : clients) statuses.push_back(client.read_answer().status);
  std::sort(statuses.begin(), statuses.end());
  EXPECT_EQ(statuses, (std::vector{200, 200, 200, 200, 500, 503}));
  EXPECT_EQ(attempts_of(6), 3);
}

TEST_F(Idempotency, LetsTheNextOneLeadWhenTheClientOfTheFirstLeaves) {
  start();
  RawClient first = send(with_key("k"));
  const KeepAliveUpstream::Call call = upstream_.next();
  RawClient second = send(with_key("k"));
  ASSERT_TRUE(wait_for_requests(2));
  first.socket().close();
  EXPECT_TRUE(upstream_.connection(call.connection).wait_closed()) << "nobody wants that answer";
  answer_next(json_answer(hello));
  const Answer answer = second.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(is_replayed(answer));
}

TEST_F(Idempotency, ForgetsWhoLeavesWhileItWaits) {
  start();
  RawClient first = send(with_key("k"));
  const KeepAliveUpstream::Call call = upstream_.next();
  RawClient second = send(with_key("k")), third = send(with_key("k"));
  ASSERT_TRUE(wait_for_requests(3));
  second.socket().close();
  ASSERT_TRUE(wait_for_requests(2));
  upstream_.connection(call.connection).send(json_answer(hello));
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_TRUE(is_replayed(third.read_answer()));
  EXPECT_TRUE(gateway_->wait_for_log(R"("outcome":"cancelled")"));
  EXPECT_EQ(attempts_of(3), 1);
}

TEST_F(Idempotency, WaitsNoLongerThanARequestMayTake) {
  start();
  RawClient first = send(with_key("k"));
  const KeepAliveUpstream::Call call = upstream_.next();
  const Answer late = ask(with_key("k", "x-tollgate-timeout-ms: 50\r\n"));
  EXPECT_EQ(late.status, 504);
  EXPECT_NE(late.body.find("same Idempotency-Key"), std::string::npos) << late.body;
  upstream_.connection(call.connection).send(json_answer(hello));
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST_F(Idempotency, EndsTheWaitWhenTheGatewayStops) {
  start("", "drain: {limit: 100ms}");
  RawClient first = send(with_key("k"));
  upstream_.next();
  RawClient second = send(with_key("k")), third = send(with_key("k"));
  ASSERT_TRUE(wait_for_requests(3));
  gateway_->gateway().request_stop();
  for (RawClient* client : {&first, &second, &third}) EXPECT_EQ(client->read_answer().status, 503);
  EXPECT_EQ(gateway_->join(), 0);
}

TEST_F(Idempotency, SaysSoWhereAnAnswerWasTooLongToKeep) {
  start();
  const std::string body = "\"" + std::string(1024 * 1024, 'x') + "\"";
  RawClient first = send(with_key("k"));
  const KeepAliveUpstream::Call call = upstream_.next();
  RawClient second = send(with_key("k"));
  ASSERT_TRUE(wait_for_requests(2));
  upstream_.connection(call.connection).send(json_answer(body));
  EXPECT_EQ(first.read_answer().body, body);
  EXPECT_EQ(error_code(second.read_answer()), "idempotency_answer_not_kept");
  EXPECT_EQ(error_code(ask(with_key("k"))), "idempotency_answer_not_kept");
  EXPECT_EQ(attempts_of(3), 1);
}

}  // namespace
}  // namespace tollgate::test
