// A request with an Idempotency-Key on its way through serve(): what it does with each turn that it may get, and which
// of its answers it shares with those that wait for it.
#include "tollgate/pipeline/idempotency.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace tollgate::pipeline::test {
namespace {

using Progress = UpstreamCall::Progress;

/// Answers whose verdict the test gives.
class PlayedAnswers final : public IdempotentAnswers {
 public:
  std::unique_ptr<AnswerClaim> claim(IdempotentRequest request, WaitPoint& point) override {
    requests.push_back(std::move(request));
    point_ = &point;
    return std::make_unique<Claim>(*this);
  }
  void decide(Verdict verdict) {
    verdict_ = std::move(verdict);
    point_->signal(Signal::answered);
  }

  std::vector<IdempotentRequest> requests;
  bool finished = false, gave_up = false;
  std::shared_ptr<const KeptAnswer> answer;

 private:
  class Claim final : public AnswerClaim {
   public:
    explicit Claim(PlayedAnswers& answers) : answers_(answers) {}
    ~Claim() override { answers_.gave_up = !answers_.finished; }
    const Verdict* verdict() const override { return answers_.verdict_ ? &*answers_.verdict_ : nullptr; }
    void finish(std::shared_ptr<const KeptAnswer> answer) override {
      answers_.finished = true;
      answers_.answer = std::move(answer);
    }

   private:
    PlayedAnswers& answers_;
  };
  std::optional<Verdict> verdict_;
  WaitPoint* point_ = nullptr;
};

constexpr const char* chat = R"({"model":"m","messages":[]})";
constexpr const char* streamed_chat = R"({"model":"m","stream":true,"messages":[]})";

struct Keyed {
  explicit Keyed(const char* body = chat) : harness(body, &answers) {}
  /// Leads, with an upstream that does this.
  void lead(std::deque<Step> steps) {
    harness.provider->steps = std::move(steps);
    harness.serve();
    answers.decide({Turn::lead, nullptr, false});
  }
  RequestRecord& record() { return harness.exchange->record; }

  PlayedAnswers answers;
  Harness harness;
};

Step head(int status = 200, const std::string& type = "application/json") {
  return {.progress = Progress::head, .status = status, .content_type = type};
}
Step data(const std::string& bytes) { return {.progress = Progress::data, .data = bytes}; }
const Step end{.progress = Progress::end};

TEST(IdempotentRequest, calls_no_upstream_before_it_is_its_turn) {
  Keyed keyed;
  keyed.harness.serve();
  EXPECT_EQ(keyed.harness.provider->calls, 0);
  EXPECT_EQ(keyed.answers.requests.at(0).key, sha256("key"));
  EXPECT_EQ(keyed.answers.requests.at(0).scope, "");
  keyed.answers.decide({Turn::lead, nullptr, false});
  EXPECT_EQ(keyed.harness.provider->calls, 1);
}

TEST(IdempotentRequest, stands_for_its_path_its_query_and_its_body) {
  const auto digest_of = [](const std::string& path, const std::string& query, const std::string& body) {
    PlayedAnswers answers;
    Harness harness(body, &answers);
    harness.exchange->inbound.path = path;
    harness.exchange->inbound.query = query;
    harness.serve();
    return answers.requests.at(0).body;
  };
  const Digest usual = digest_of("/a", "b", chat);
  EXPECT_EQ(digest_of("/a", "b", chat), usual);
  EXPECT_NE(digest_of("/ab", "", chat), usual);
  EXPECT_NE(digest_of("/a", "", chat), usual);
  EXPECT_NE(digest_of("/a b", "", chat), usual);
  EXPECT_NE(digest_of("/a", "b", streamed_chat), usual);
}

TEST(IdempotentRequest, is_no_matter_before_it_is_known_and_allowed) {
  PlayedAnswers answers;
  Harness harness(R"({"model":"unknown"})", &answers);
  harness.serve();
  EXPECT_EQ(harness.client.status, 404);
  EXPECT_TRUE(answers.requests.empty());
}

TEST(IdempotentRequest, shares_what_its_client_was_sent) {
  Keyed keyed;
  keyed.lead({head(), data("{\"a\":"), data("1}"), end});
  ASSERT_TRUE(keyed.answers.finished);
  EXPECT_EQ(keyed.answers.answer->status, 200);
  EXPECT_EQ(keyed.answers.answer->body, "{\"a\":1}");
  EXPECT_EQ(keyed.harness.client.body, "{\"a\":1}");
  EXPECT_EQ(keyed.answers.answer->fields,
            "content-type: application/json\r\ncontent-encoding: identity\r\nopenai-model: up-1\r\n");
}

TEST(IdempotentRequest, shares_a_stream_with_all_its_events) {
  Keyed keyed(streamed_chat);
  const std::string content = R"(data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]})"
                              "\n\n";
  keyed.lead({head(200, "text/event-stream"), data(content), data("data: [DONE]\n\n")});
  ASSERT_TRUE(keyed.answers.finished);
  EXPECT_EQ(keyed.answers.answer->body, content + "data: [DONE]\n\n");
  EXPECT_NE(keyed.answers.answer->fields.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(keyed.answers.answer->fields.find("X-Accel-Buffering: no\r\n"), std::string::npos);
}

TEST(IdempotentRequest, shares_what_the_provider_finds_wrong_with_it) {
  for (const int status : {400, 404, 413, 422}) {
    Keyed keyed;
    keyed.lead({head(status), data(R"({"error":{"message":"no"}})"), end});
    ASSERT_TRUE(keyed.answers.finished) << status;
    EXPECT_EQ(keyed.answers.answer->status, status);
  }
}

TEST(IdempotentRequest, lets_the_next_one_try_after_what_may_pass) {
  for (const int status : {401, 402, 403, 408, 409, 429, 500, 503}) {
    Keyed keyed;
    keyed.lead({head(status), data(R"({"error":{"message":"no"}})"), end});
    EXPECT_TRUE(keyed.harness.over) << status;
    EXPECT_FALSE(keyed.answers.finished) << status;
    EXPECT_TRUE(keyed.answers.gave_up) << status;
  }
}

TEST(IdempotentRequest, lets_the_next_one_try_after_a_stream_that_breaks_or_fails) {
  const std::string token = R"(data: {"choices":[{"index":0,"delta":{"content":"a"}}]})"
                            "\n\n";
  const std::vector<Step> ends{end, Step{.progress = Progress::failed, .data = "broke"},
                               data("data: {\"error\":{\"message\":\"no\"}}\n\n")};
  for (const Step& last : ends) {
    Keyed keyed(streamed_chat);
    keyed.lead({head(200, "text/event-stream"), data(token), last});
    EXPECT_TRUE(keyed.harness.over);
    EXPECT_FALSE(keyed.answers.finished);
    EXPECT_TRUE(keyed.answers.gave_up);
  }
}

TEST(IdempotentRequest, lets_the_next_one_try_where_its_client_leaves) {
  Keyed keyed;
  keyed.lead({});
  keyed.harness.client.has_left = true;
  keyed.harness.point.signal(Signal::client_readable);
  EXPECT_TRUE(keyed.answers.gave_up);
  EXPECT_EQ(keyed.harness.provider->open, 0);
}

TEST(IdempotentRequest, keeps_an_answer_of_a_mebibyte_and_of_a_longer_one_that_there_was_one) {
  const std::string mebibyte(IdempotentClient::longest_answer, 'x');
  Keyed keyed;
  keyed.lead({head(), data(mebibyte), end});
  ASSERT_TRUE(keyed.answers.finished);
  EXPECT_EQ(keyed.answers.answer->body, mebibyte);
  Keyed longer;
  longer.lead({head(), data(mebibyte), data(" "), end});
  EXPECT_TRUE(longer.answers.finished);
  EXPECT_EQ(longer.answers.answer, nullptr);
  EXPECT_EQ(longer.harness.client.body.size(), mebibyte.size() + 1);
}

TEST(IdempotentRequest, gives_an_answer_again_without_any_call) {
  Keyed keyed;
  keyed.harness.exchange->record.client_request_id = "mine";
  keyed.harness.serve();
  keyed.harness.alarm.advance(Millis(500));
  keyed.answers.decide({Turn::replay, std::make_shared<KeptAnswer>(KeptAnswer{201, "A: b\r\n", "hello"}), true});
  EXPECT_TRUE(keyed.harness.over);
  EXPECT_EQ(keyed.harness.provider->calls, 0);
  EXPECT_EQ(keyed.harness.client.status, 201);
  EXPECT_EQ(keyed.harness.client.body, "hello");
  EXPECT_TRUE(keyed.harness.client.ended);
  const std::string& fields = keyed.harness.client.fields;
  EXPECT_NE(fields.find("X-Request-Id: r-1\r\n"), std::string::npos);
  EXPECT_NE(fields.find("X-Client-Request-Id: mine\r\n"), std::string::npos);
  EXPECT_TRUE(fields.starts_with("A: b\r\nX-Tollgate-Idempotent-Replayed: true\r\n")) << fields;
  EXPECT_EQ(keyed.record().outcome, Outcome::ok);
  EXPECT_TRUE(keyed.record().attempts.empty());
  EXPECT_FALSE(keyed.record().usage);
  EXPECT_EQ(keyed.record().bytes_out, 5u);
  EXPECT_EQ(keyed.record().waited_for_upstream, Micros(500'000));
}

TEST(IdempotentRequest, gives_a_refusal_again_as_what_it_was) {
  Keyed keyed;
  keyed.harness.serve();
  keyed.answers.decide({Turn::replay, std::make_shared<KeptAnswer>(KeptAnswer{400, "", "{}"}), false});
  EXPECT_EQ(keyed.record().outcome, Outcome::client_error);
  EXPECT_EQ(keyed.record().waited_for_upstream, Micros(0));
}

TEST(IdempotentRequest, is_refused_where_its_key_cannot_be_honoured) {
  const std::pair<Turn, const char*> refusals[] = {{Turn::not_kept, "idempotency_answer_not_kept"},
                                                   {Turn::conflict, "idempotency_key_reused"},
                                                   {Turn::interrupted, "idempotency_interrupted"}};
  for (const auto& [turn, code] : refusals) {
    Keyed keyed;
    keyed.harness.serve();
    keyed.answers.decide({turn, nullptr, false});
    EXPECT_EQ(keyed.harness.client.status, 409);
    EXPECT_NE(keyed.harness.client.body.find(code), std::string::npos) << keyed.harness.client.body;
    EXPECT_NE(keyed.harness.client.body.find(R"("param":"Idempotency-Key")"), std::string::npos);
    EXPECT_NE(keyed.harness.client.fields.find("X-Should-Retry: false\r\n"), std::string::npos) << "SDKs retry a 409";
    EXPECT_EQ(keyed.harness.provider->calls, 0);
  }
  Keyed keyed;
  keyed.harness.serve();
  keyed.answers.decide({Turn::unavailable, nullptr, false});
  EXPECT_EQ(keyed.harness.client.status, 503);
  EXPECT_NE(keyed.harness.client.fields.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_EQ(keyed.harness.provider->calls, 0);
}

TEST(IdempotentRequest, waits_no_longer_than_its_deadline) {
  Keyed keyed;
  keyed.harness.exchange->inbound.timeout = Millis(250);
  keyed.harness.serve();
  keyed.harness.alarm.run_out();
  EXPECT_EQ(keyed.harness.client.status, 504);
  EXPECT_TRUE(keyed.answers.gave_up);
}

TEST(IdempotentRequest, stops_waiting_when_the_gateway_stops_or_the_client_leaves) {
  Keyed stopped;
  stopped.harness.serve();
  stopped.harness.client.stopping = true;
  stopped.harness.point.signal(Signal::stop);
  EXPECT_EQ(stopped.harness.client.status, 503);
  EXPECT_TRUE(stopped.answers.gave_up);
  Keyed left;
  left.harness.serve();
  left.harness.client.has_left = true;
  left.harness.point.signal(Signal::client_readable);
  EXPECT_TRUE(left.harness.client.aborted);
  EXPECT_EQ(left.record().status, 499);
  EXPECT_TRUE(left.answers.gave_up);
}

TEST(IdempotentRequest, shares_no_state_of_a_limit) {
  Keyed keyed;
  keyed.harness.exchange->standing.requests = policy::Standing::Amount{.limit = 5};
  keyed.lead({head(), data("{}"), end});
  ASSERT_TRUE(keyed.answers.finished);
  EXPECT_NE(keyed.harness.client.fields.find("X-Ratelimit"), std::string::npos);
  EXPECT_EQ(keyed.answers.answer->fields.find("X-Ratelimit"), std::string::npos);
}

}  // namespace
}  // namespace tollgate::pipeline::test
