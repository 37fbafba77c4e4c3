#include "tollgate/pipeline/serve.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline::test {
namespace {

TEST(Rescue, answers_with_an_envelope_and_the_requests_id) {
  Harness harness;
  rescue(*harness.exchange, {FailureKind::model_not_found, Source::client, "no such model", {}, "model"});
  EXPECT_EQ(harness.client.status, 404);
  EXPECT_NE(harness.client.body.find(R"("code":"model_not_found")"), std::string::npos) << harness.client.body;
  EXPECT_NE(harness.client.body.find(R"("param":"model")"), std::string::npos);
  EXPECT_NE(harness.client.fields.find("X-Request-Id: r-1"), std::string::npos);
  EXPECT_EQ(harness.client.form.length, harness.client.body.size());
  EXPECT_EQ(harness.exchange->record.bytes_out, harness.client.body.size());
  EXPECT_EQ(harness.exchange->record.outcome, Outcome::client_error);
}

TEST(Rescue, tells_when_to_come_back_in_whole_seconds) {
  Harness harness;
  Failure busy{FailureKind::overloaded, Source::gateway, "full"};
  busy.retry_after = Millis(1'200);
  rescue(*harness.exchange, busy);
  EXPECT_EQ(harness.client.status, 503);
  EXPECT_NE(harness.client.fields.find("Retry-After: 2\r\n"), std::string::npos) << harness.client.fields;
}

TEST(Rescue, says_nothing_to_a_client_that_left) {
  Harness harness;
  rescue(*harness.exchange, {FailureKind::client_left, Source::client, "left"});
  EXPECT_FALSE(harness.client.has_begun);
  EXPECT_TRUE(harness.client.aborted);
  EXPECT_EQ(harness.exchange->record.status, 499);
}

TEST(Serve, refuses_a_body_that_is_not_json_by_its_type) {
  Harness harness;
  harness.exchange->inbound.json = false;
  harness.serve();
  EXPECT_EQ(harness.client.status, 415);
  EXPECT_EQ(harness.provider->calls, 0);
}

TEST(Serve, refuses_a_request_without_a_model_and_names_the_parameter) {
  Harness harness(R"({"messages":[]})");
  harness.serve();
  EXPECT_EQ(harness.client.status, 400);
  EXPECT_NE(harness.client.body.find(R"("param":"model")"), std::string::npos);
}

TEST(Serve, refuses_an_unknown_model_before_any_call) {
  Harness harness(R"({"model":"n","messages":[]})");
  harness.serve();
  EXPECT_EQ(harness.client.status, 404);
  EXPECT_EQ(harness.provider->calls, 0);
}

}  // namespace
}  // namespace tollgate::pipeline::test
