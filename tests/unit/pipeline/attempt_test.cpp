#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline::test {
namespace {

using Progress = UpstreamCall::Progress;

TEST(Attempt, a_timer_that_runs_out_names_its_phase) {
  Harness harness(R"({"model":"m","stream":true,"messages":[]})");
  harness.snapshot->providers[0].timeouts.first_token = Millis(1'000);
  harness.provider->steps = {Step{}};
  harness.serve();
  harness.alarm.run_out();
  EXPECT_TRUE(harness.over);
  EXPECT_EQ(harness.client.status, 504);
  EXPECT_NE(harness.client.body.find("first_token"), std::string::npos) << harness.client.body;
  EXPECT_NE(harness.client.body.find("upstream_timeout"), std::string::npos);
  EXPECT_EQ(harness.exchange->record.outcome, Outcome::timeout);
  EXPECT_EQ(harness.provider->open, 0);
}

TEST(Attempt, a_client_may_shorten_the_deadline) {
  Harness harness;
  harness.exchange->inbound.timeout = Millis(250);
  harness.provider->steps = {Step{}};
  harness.serve();
  EXPECT_EQ(harness.alarm.when(), harness.exchange->began + Millis(250));
}

TEST(Attempt, a_client_may_not_lengthen_the_deadline) {
  Harness harness;
  harness.snapshot->defaults.deadline = Millis(100);
  harness.exchange->inbound.timeout = Millis(10'000);
  harness.provider->steps = {Step{}};
  harness.serve();
  EXPECT_EQ(harness.alarm.when(), harness.exchange->began + Millis(100));
}

TEST(Attempt, a_refused_credential_is_not_the_clients_401) {
  for (const int status : {401, 403}) {
    Harness harness;
    harness.provider->steps = {Step{.progress = Progress::head, .status = status}};
    harness.serve();
    EXPECT_EQ(harness.client.status, 502);
    EXPECT_NE(harness.client.body.find("upstream_auth_failed"), std::string::npos);
  }
}

TEST(Attempt, a_redirect_is_not_followed_and_not_passed_on) {
  Harness harness;
  harness.provider->steps = {Step{.progress = Progress::head, .status = 302}};
  harness.serve();
  EXPECT_EQ(harness.client.status, 502);
  EXPECT_EQ(harness.provider->calls, 1);
}

TEST(Attempt, time_spent_waiting_for_the_upstream_is_not_overhead) {
  Harness harness;
  harness.provider->steps = {Step{}};
  harness.serve();
  harness.alarm.advance(Millis(500));
  harness.provider->steps = {Step{.progress = Progress::head}, Step{.progress = Progress::data, .data = "{}"},
                             Step{.progress = Progress::end}};
  harness.progress();
  EXPECT_EQ(harness.exchange->record.waited_for_upstream, Millis(500));
  EXPECT_NE(harness.client.fields.find("X-Tollgate-Overhead-Us: 0\r\n"), std::string::npos) << harness.client.fields;
}

TEST(Attempt, the_record_names_target_and_attempt) {
  Harness harness;
  harness.provider->steps = {Step{.progress = Progress::head}, Step{.progress = Progress::data, .data = "{}"},
                             Step{.progress = Progress::end}};
  harness.serve();
  ASSERT_EQ(harness.exchange->record.attempts.size(), 1u);
  EXPECT_EQ(harness.exchange->record.attempts[0].target, "p/m");
  EXPECT_EQ(harness.exchange->record.attempts[0].outcome, Outcome::ok);
  EXPECT_EQ(harness.exchange->record.attempts[0].id.text().size(), 36u);
}

}  // namespace
}  // namespace tollgate::pipeline::test
