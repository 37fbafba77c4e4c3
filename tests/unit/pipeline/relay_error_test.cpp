// Answers with an error status: status, fields and words cross, the provider's credential never does, wherever in the
// answer it stands and however it comes.
#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline::test {
namespace {

using Progress = UpstreamCall::Progress;

const std::string key = std::string("test-credential/") + "of-this-provider";
const std::string header_value = "tenant-number-one";

Step head(int status = 400) { return {.progress = Progress::head, .status = status}; }
Step stream_head() { return {.progress = Progress::head, .content_type = "text/event-stream"}; }
Step data(std::string bytes) { return {.progress = Progress::data, .data = std::move(bytes)}; }
Step end() { return {.progress = Progress::end}; }

struct Call : Harness {
  explicit Call(std::deque<Step> steps, std::string body = R"({"model":"m","messages":[]})")
      : Harness(std::move(body)) {
    snapshot->providers[0].credentials.push_back({"main", config::Secret(key)});
    snapshot->providers[0].headers.emplace_back("X-Tenant", config::Secret(header_value));
    provider->steps = std::move(steps);
    serve();
  }
};

TEST(ErrorRelay, keeps_status_and_bytes) {
  const std::string body = R"({ "error" : {"message":"slow down","code":"rate_limit_exceeded"} })";
  Call call({head(429), data(body.substr(0, 9)), data(body.substr(9)), end()});
  EXPECT_EQ(call.client.status, 429);
  EXPECT_EQ(call.client.body, body);
  EXPECT_EQ(call.client.form.length, body.size());
  EXPECT_TRUE(call.client.ended && call.over);
  EXPECT_NE(call.client.fields.find("content-type: application/json"), std::string::npos) << call.client.fields;
  EXPECT_EQ(call.exchange->record.status, 429);
  EXPECT_EQ(call.exchange->record.outcome, Outcome::upstream_error);
  EXPECT_EQ(call.exchange->record.ended_by, EndedBy::upstream);
  EXPECT_EQ(call.exchange->record.bytes_out, body.size());
}

TEST(ErrorRelay, takes_the_credential_out_of_the_words) {
  Call call({head(500),
             data(R"({"error":{"message":"got Authorization: Bearer )" + key + R"( and )" + header_value + "\"}}"),
             end()});
  EXPECT_EQ(call.client.status, 500);
  EXPECT_EQ(call.client.body, R"({"error":{"message":"got Authorization: Bearer [redacted] and [redacted]"}})");
  EXPECT_EQ(call.client.form.length, call.client.body.size());
}

TEST(ErrorRelay, finds_a_credential_that_comes_in_two_reads) {
  Call call({head(), data("no " + key.substr(0, 10)), data(key.substr(10) + " here"), end()});
  EXPECT_EQ(call.client.body, "no [redacted] here");
}

TEST(ErrorRelay, takes_the_credential_out_of_fields_and_log) {
  Step with_key = head();
  with_key.request_id = key;
  Call call({with_key, data("{}"), end()});
  EXPECT_EQ(call.client.fields.find(key), std::string::npos) << call.client.fields;
  EXPECT_NE(call.client.fields.find("openai-model: [redacted]\r\n"), std::string::npos) << call.client.fields;
  EXPECT_EQ(call.exchange->record.upstream_request_id, "");
}

TEST(ErrorRelay, withholds_what_is_too_large_to_be_an_error_and_reads_no_more_of_it) {
  const std::string piece(600'000, 'x');
  Call call({head(503), data(piece), data(piece), data(piece)});
  EXPECT_EQ(call.client.status, 503);
  EXPECT_NE(call.client.body.find("larger than 1 MiB"), std::string::npos) << call.client.body.substr(0, 300);
  EXPECT_LT(call.client.body.size(), 300u);
  EXPECT_TRUE(call.client.ended && call.over);
  EXPECT_EQ(call.provider->open, 0) << "the connection is closed";
  EXPECT_EQ(call.provider->steps.size(), 1u);
}

TEST(ErrorRelay, withholds_what_it_cannot_read) {
  Step zipped = head(429);
  zipped.content_encoding = "gzip";
  zipped.content_type = "text/plain";
  Call call({zipped, data("\x1F\x8B..."), end()});
  EXPECT_EQ(call.client.status, 429);
  EXPECT_NE(call.client.body.find("Content-Encoding"), std::string::npos) << call.client.body;
  EXPECT_EQ(call.client.fields.find("gzip"), std::string::npos) << call.client.fields;
  EXPECT_EQ(call.client.fields.find("text/plain"), std::string::npos) << call.client.fields;
  EXPECT_NE(call.client.fields.find("openai-model: up-1\r\n"), std::string::npos) << call.client.fields;
}

TEST(ErrorRelay, an_error_that_breaks_never_begins) {
  Call call({head(500), data("half"), {.progress = Progress::failed, .data = "the connection broke"}});
  EXPECT_EQ(call.client.status, 502);
  EXPECT_EQ(call.client.body.find("half"), std::string::npos);
}

TEST(ErrorRelay, an_error_under_a_200_is_looked_through_too) {
  const std::string body = R"({"error":{"message":"bad key )" + key + R"(","code":429}})";
  for (const bool whole : {true, false}) {
    Step first = head(200);
    if (whole) first.data = std::to_string(body.size());
    first.chunked = !whole;
    Call call({first, data(body), end()});
    EXPECT_EQ(call.client.status, 429);
    EXPECT_EQ(call.client.body, R"({"error":{"message":"bad key [redacted]","code":429}})");
    EXPECT_EQ(call.client.form.length, call.client.body.size());
  }
}

TEST(ErrorRelay, an_error_event_is_looked_through_before_content_and_after_it) {
  const std::string request = R"({"model":"m","stream":true,"messages":[]})";
  const std::string error = R"({"error":{"message":"bad key )" + key + R"(","code":429}})";
  const std::string clean = R"({"error":{"message":"bad key [redacted]","code":429}})";
  const std::string hello = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n";

  Call before({stream_head(), data("data: " + error + "\n\n")}, request);
  EXPECT_EQ(before.client.status, 429);
  EXPECT_EQ(before.client.body, clean);
  EXPECT_EQ(before.client.form.length, clean.size());

  Call after({stream_head(), data(hello + "data: " + error + "\n\n")}, request);
  EXPECT_EQ(after.client.status, 200);
  EXPECT_EQ(after.client.body, hello + "data: " + clean + "\n\n");
  EXPECT_TRUE(after.client.ended);
}

TEST(ErrorRelay, a_success_keeps_its_bytes_whatever_they_are) {
  const std::string body = R"({"choices":[{"message":{"content":"Bearer )" + key + R"("}}]})";
  Call call({head(200), data(body), end()});
  EXPECT_EQ(call.client.body, body);
}

}  // namespace
}  // namespace tollgate::pipeline::test
