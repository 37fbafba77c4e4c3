#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline::test {
namespace {

using Progress = UpstreamCall::Progress;

Step head(std::size_t length, int status = 200) {
  return {.progress = Progress::head, .data = std::to_string(length), .status = status, .chunked = false};
}
Step chunked_head() { return {.progress = Progress::head}; }
Step data(std::string bytes) { return {.progress = Progress::data, .data = std::move(bytes)}; }
Step end() { return {.progress = Progress::end}; }
Step broken() { return {.progress = Progress::failed, .data = "the connection broke"}; }

struct Call : Harness {
  explicit Call(std::deque<Step> steps) {
    provider->steps = std::move(steps);
    serve();
  }
};

TEST(BodyRelay, sends_a_small_answer_whole_with_its_length) {
  const std::string body = R"({"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}})";
  Call call({chunked_head(), data(body.substr(0, 10)), data(body.substr(10)), end()});
  EXPECT_EQ(call.client.body, body);
  EXPECT_FALSE(call.client.form.streamed);
  EXPECT_EQ(call.client.form.length, body.size());
  EXPECT_EQ(call.client.writes, 1);
  ASSERT_TRUE(call.exchange->record.usage);
  EXPECT_EQ(call.exchange->record.usage->input, 7u);
}

TEST(BodyRelay, a_small_answer_that_breaks_never_begins) {
  Call call({head(100), data("half"), broken()});
  EXPECT_EQ(call.client.status, 502);
  EXPECT_EQ(call.client.body.find("half"), std::string::npos);
}

TEST(BodyRelay, a_large_answer_streams_with_its_known_length) {
  const std::string body(3'000'000, 'x');
  Call call({head(body.size()), data(body.substr(0, 1'000'000)), data(body.substr(1'000'000)), end()});
  EXPECT_EQ(call.client.body, body);
  EXPECT_EQ(call.client.form.length, body.size());
  EXPECT_GT(call.client.writes, 1);
}

TEST(BodyRelay, a_large_answer_of_unknown_length_is_streamed) {
  const std::string body(2'000'000, 'x');
  Call call({chunked_head(), data(body), end()});
  EXPECT_TRUE(call.client.form.streamed);
  EXPECT_EQ(call.client.body, body);
  EXPECT_TRUE(call.client.ended);
}

TEST(BodyRelay, a_large_answer_that_breaks_looks_broken) {
  const std::string body(2'000'000, 'x');
  Call call({chunked_head(), data(body), broken()});
  EXPECT_TRUE(call.client.aborted);
  EXPECT_FALSE(call.client.ended);
  EXPECT_EQ(call.exchange->record.outcome, Outcome::truncated);
}

TEST(BodyRelay, an_error_answer_keeps_its_status_and_bytes) {
  Call call({head(5, 429), data("slow!"), end()});
  EXPECT_EQ(call.client.status, 429);
  EXPECT_EQ(call.client.body, "slow!");
  EXPECT_EQ(call.exchange->record.outcome, Outcome::upstream_error);
  EXPECT_EQ(call.exchange->record.ended_by, EndedBy::upstream);
}

TEST(BodyRelay, cookies_of_the_upstream_stay_behind) {
  Call call({head(2), data("{}"), end()});
  EXPECT_EQ(call.client.fields.find("set-cookie"), std::string::npos) << call.client.fields;
  EXPECT_NE(call.client.fields.find("X-Tollgate-Upstream-Request-Id: up-1"), std::string::npos) << call.client.fields;
}

}  // namespace
}  // namespace tollgate::pipeline::test
