// The faults in Anthropic's shape: those that are an answer of their own, those on the wire, and the limits. Status and
// type are a contract with those who test how failures are classified.
#include "tollgate/base/digest.hpp"

#include "messages_client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;
using End = Reply::End;

struct Expected {
  const char* fault;
  int status;
  const char* type;
};

class MessagesStatusFault : public ::testing::TestWithParam<std::tuple<Expected, bool>> {};

TEST_P(MessagesStatusFault, answers_its_status_and_keeps_the_connection) {
  const auto [expected, stream] = GetParam();
  Server server(fast());
  Client client(server.start());
  for (int i = 0; i < 2; ++i) {
    client.post("/v1/messages", message(std::string("sim,fault=") + expected.fault, stream ? R"(,"stream":true)" : ""),
                old_version);
    const Reply reply = client.read();
    ASSERT_EQ(reply.end, End::whole);
    ASSERT_EQ(reply.status, expected.status);
    EXPECT_EQ(reply.fields.at("content-type"), "application/json");
    const json body = reply.json();
    EXPECT_EQ(body["type"], "error");
    EXPECT_EQ(body["error"]["type"], expected.type);
    EXPECT_TRUE(body["error"]["message"].is_string());
    EXPECT_EQ(body["request_id"], reply.fields.at("request-id"));
    EXPECT_EQ(reply.fields.count("x-request-id"), 0u);
  }
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 2; }));
  EXPECT_EQ(server.truth()[1].ended, expected.fault);
  EXPECT_EQ(server.gauges().connections_accepted, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, MessagesStatusFault,
    ::testing::Combine(
        ::testing::Values(
            Expected{"rate_limit", 429, "rate_limit_error"}, Expected{"rate_limit_date", 429, "rate_limit_error"},
            Expected{"rate_limit_ms", 429, "rate_limit_error"}, Expected{"rate_limit_plain", 429, "rate_limit_error"},
            Expected{"quota", 429, "rate_limit_error"}, Expected{"error_500", 500, "api_error"},
            Expected{"error_503", 503, "api_error"}, Expected{"error_529", 529, "overloaded_error"},
            Expected{"unauthorized", 401, "authentication_error"}, Expected{"payment_required", 402, "billing_error"},
            Expected{"forbidden", 403, "permission_error"}, Expected{"bad_request", 400, "invalid_request_error"}),
        ::testing::Bool()),
    [](const auto& instance) {
      return std::string(std::get<0>(instance.param).fault) + (std::get<1>(instance.param) ? "_stream" : "_whole");
    });

class MessagesFault : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  Reply ask(const std::string& steering, bool stream = true, int patience_ms = 10'000, const std::string& more = "") {
    client_ = std::make_unique<Client>(server_.port());
    client_->post("/v1/messages",
                  message("sim,tokens=10,after=4,fault=" + steering, (stream ? R"(,"stream":true)" : "") + more),
                  old_version);
    return client_->read(patience_ms);
  }
  TruthEntry truth() {
    EXPECT_TRUE(server_.wait_until([&] { return !server_.truth().empty(); }));
    return server_.truth().back();
  }
  static std::string said(const Reply& reply) {
    std::string text;
    for (const Event& event : named_events(reply.body)) {
      if (event.data.is_object() && event.data.contains("delta")) text += event.data["delta"].value("text", "");
    }
    return text;
  }

  Server server_{fast()};
  std::unique_ptr<Client> client_;
};

constexpr int short_patience_ms = 150;

TEST_F(MessagesFault, rate_limits_say_when_to_come_back_in_three_ways_or_not_at_all) {
  const Reply in_seconds = ask("rate_limit,retry_after=60s");
  EXPECT_EQ(in_seconds.fields.at("retry-after"), "60");
  EXPECT_EQ(in_seconds.fields.at("anthropic-ratelimit-requests-remaining"), "0");
  const std::string reset = in_seconds.fields.at("anthropic-ratelimit-requests-reset");
  std::tm utc{};
  const char* const end = strptime(reset.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  ASSERT_TRUE(end && *end == '\0') << reset;
  EXPECT_GE(timegm(&utc), std::time(nullptr));
  EXPECT_NE(ask("rate_limit_date").fields.at("retry-after").find("GMT"), std::string::npos);
  EXPECT_EQ(ask("rate_limit_ms,retry_after=30ms").fields.at("retry-after-ms"), "30");
  const Reply plain = ask("rate_limit_plain");
  EXPECT_EQ(plain.fields.count("retry-after") + plain.fields.count("anthropic-ratelimit-requests-reset"), 0u);
}

TEST_F(MessagesFault, quota_is_told_by_its_code_and_no_wait) {
  const Reply reply = ask("quota");
  EXPECT_EQ(reply.json()["error"]["details"]["error_code"], "enforced_spend_limit_reached");
  EXPECT_EQ(reply.fields.count("retry-after"), 0u);
}

TEST_F(MessagesFault, a_page_of_an_edge_is_the_same_for_everybody) {
  const Reply reply = ask("error_502");
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.fields.at("content-type"), "text/html");
}

TEST_F(MessagesFault, error_event_follows_some_tokens_and_ends_the_body) {
  const Reply reply = ask("error_event");
  EXPECT_EQ(reply.end, End::whole);
  const std::vector<Event> events = named_events(reply.body);
  EXPECT_EQ(order_of(events), "message_start ping content_block_start content_block_delta error");
  EXPECT_EQ(events.back().data["error"]["type"], "overloaded_error");
  EXPECT_EQ(count_words(said(reply)), 4u);
  const Reply whole = ask("error_event", false);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.json()["type"], "error");
}

TEST_F(MessagesFault, error_first_is_the_only_event) {
  EXPECT_EQ(order_of(named_events(ask("error_first").body)), "error");
}

TEST_F(MessagesFault, close_mid_stream_leaves_a_block_open) {
  const Reply reply = ask("close_mid_stream");
  EXPECT_EQ(reply.end, End::cut);
  EXPECT_EQ(order_of(named_events(reply.body)), "message_start ping content_block_start content_block_delta");
  EXPECT_EQ(truth().completion_tokens, 4u);
  EXPECT_EQ(truth().ended, "close_mid_stream");
  EXPECT_EQ(ask("close_mid_stream", false).end, End::cut);
}

TEST_F(MessagesFault, reset_mid_stream_is_a_reset) { EXPECT_EQ(ask("reset_mid_stream").end, End::reset); }

TEST_F(MessagesFault, hang_mid_stream_falls_silent) {
  EXPECT_EQ(ask("hang_mid_stream", true, short_patience_ms).end, End::silent);
}

TEST_F(MessagesFault, close_before_content_sends_the_start_alone) {
  const Reply reply = ask("close_before_content");
  EXPECT_EQ(reply.end, End::cut);
  EXPECT_EQ(order_of(named_events(reply.body)), "message_start ping");
}

TEST_F(MessagesFault, role_then_hang_sends_the_start_and_falls_silent) {
  const Reply reply = ask("role_then_hang", true, short_patience_ms);
  EXPECT_EQ(reply.end, End::silent);
  EXPECT_EQ(order_of(named_events(reply.body)), "message_start ping");
}

TEST_F(MessagesFault, end_without_done_lacks_the_message_stop) {
  const Reply reply = ask("end_without_done");
  EXPECT_EQ(reply.end, End::whole);
  EXPECT_EQ(named_events(reply.body).back().name, "message_delta");
}

TEST_F(MessagesFault, short_without_done_lacks_the_stop_reason_too) {
  const Reply reply = ask("short_without_done");
  EXPECT_EQ(reply.end, End::whole);
  EXPECT_EQ(named_events(reply.body).back().name, "content_block_delta");
}

TEST_F(MessagesFault, malformed_event_is_one_event_that_is_not_json) {
  const Reply reply = ask("malformed_event");
  std::size_t broken = 0;
  for (const Event& event : named_events(reply.body)) broken += event.data.is_discarded();
  EXPECT_EQ(broken, 1u);
  EXPECT_EQ(named_events(reply.body).back().name, "message_stop");
  EXPECT_EQ(count_words(said(reply)), 10u);
}

TEST_F(MessagesFault, empty_choices_is_a_message_without_content) {
  EXPECT_EQ(ask("empty_choices", false).json()["content"], json::array());
  EXPECT_EQ(order_of(named_events(ask("empty_choices").body)), "message_start ping message_delta message_stop");
}

TEST_F(MessagesFault, wrong_length_promises_more_than_it_sends) { EXPECT_EQ(ask("wrong_length", false).end, End::cut); }

TEST_F(MessagesFault, strikes_while_it_thinks_too) {
  const Reply reply = ask("close_mid_stream", true, 10'000, R"(,"thinking":{"type":"adaptive"})");
  EXPECT_EQ(named_events(reply.body).back().data["delta"]["type"], "thinking_delta");
  EXPECT_EQ(truth().completion_tokens, 4u);
  EXPECT_EQ(truth().reasoning_tokens, 4u);
}

TEST_F(MessagesFault, is_steered_by_the_header_as_well) {
  const Reply reply =
      ask_messages(server_, message("sim"), std::string(old_version) + "x-simulator: fault=error_529\r\n");
  EXPECT_EQ(reply.status, 529);
}

config::SimulatorSettings limited(std::uint64_t requests) {
  config::SimulatorSettings settings = fast();
  settings.limits.requests_per_minute = requests;
  return settings;
}

TEST(MessagesLimits, answer_429_with_the_rest_in_fields_of_their_own) {
  Server server(limited(1));
  server.start();
  const Reply first = ask_messages(server, message("sim"));
  EXPECT_EQ(first.fields.at("anthropic-ratelimit-requests-limit"), "1");
  EXPECT_EQ(first.fields.at("anthropic-ratelimit-requests-remaining"), "0");
  EXPECT_EQ(first.fields.at("anthropic-ratelimit-requests-reset").back(), 'Z');
  EXPECT_EQ(first.fields.count("x-ratelimit-limit-requests"), 0u);
  const Reply second = ask_messages(server, message("sim"));
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.json()["error"]["type"], "rate_limit_error");
  EXPECT_GT(std::stoi(second.fields.at("retry-after")), 0);
}

TEST(MessagesKeys, are_taken_from_either_field_and_their_own_first) {
  config::SimulatorSettings settings = fast();
  settings.accepts = {config::Secret("right")};
  Server server(settings);
  server.start();
  const auto status = [&](const std::string& fields) {
    return ask_messages(server, message("sim"), old_version + fields).status;
  };
  EXPECT_EQ(status("x-api-key: right\r\n"), 200);
  EXPECT_EQ(status("Authorization: Bearer right\r\n"), 200);
  EXPECT_EQ(status("x-api-key: wrong\r\nAuthorization: Bearer right\r\n"), 401);
  const Reply none = ask_messages(server, message("sim"));
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.json()["error"]["type"], "authentication_error");
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 4; }));
  EXPECT_EQ(server.truth()[0].credential, to_hex(sha256("right")).substr(0, 8));
  EXPECT_EQ(server.truth()[3].ended, "wrong_credential");
}

}  // namespace
}  // namespace tollgate::simulator
