// How streams end. Whatever the upstream does, the client can tell a whole answer from a broken one: a whole one ends
// as its kind of stream does, a broken one with an error event, and where nothing was sent yet with a real HTTP status.
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

enum class Then { end, close, reset, hang };

struct EndCase {
  std::string name;
  std::string sent;  ///< the body of the upstream's stream; its head goes before
  Then then = Then::end;
  int status = 200;
  std::string kept;        ///< what the client gets of it
  std::string error_code;  ///< of the error event after that, or of the error body; empty: there is none
  std::string outcome;
  std::string path = "/v1/chat/completions";
  std::string more = {};  ///< members of the request, each with a comma
};

const std::string short_timers = "timeouts: {first_token: 300ms, idle: 300ms}";

void finish(RawSocket& connection, Then then) {
  if (then == Then::end) connection.send(last_chunk);
  if (then == Then::close) connection.close();
  if (then == Then::reset) connection.close_with_reset();
}

/// The one event that `tail` has to be, in the form that OpenAI's clients raise on.
void expect_error_event(const std::string& tail, const std::string& code) {
  ASSERT_TRUE(tail.starts_with("data: {\"error\":")) << tail;
  ASSERT_TRUE(tail.ends_with("}\n\n")) << tail;
  ASSERT_EQ(tail.find('\n'), tail.size() - 2) << tail;
  const auto error = nlohmann::json::parse(tail.substr(6)).at("error");
  EXPECT_EQ(error.at("code"), code) << tail;
  EXPECT_EQ(error.at("type"), "server_error");
  EXPECT_TRUE(error.at("param").is_null());
  EXPECT_FALSE(error.at("message").get<std::string>().empty());
}

class StreamEnd : public testing::TestWithParam<EndCase> {};

TEST_P(StreamEnd, is_told_as_what_it_is) {
  const EndCase& param = GetParam();
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), short_timers));
  RawClient client(gateway.address());
  client.send(post(param.path, R"({"model":"m",)" + param.more + R"("stream":true})"));
  RawSocket& connection = upstream.connection(upstream.next().connection);
  connection.send(stream_head + (param.sent.empty() ? "" : chunk(param.sent)));
  if (param.then == Then::close || param.then == Then::reset) {
    // What was sent has to be read before the end comes, or a reset takes it along.
    std::string& got = client.rest();
    if (!param.kept.empty()) {
      ASSERT_TRUE(client.socket().receive_until(got, param.kept.substr(param.kept.size() - 10))) << got;
    }
  }
  finish(connection, param.then);

  Answer got = client.read_answer();
  EXPECT_EQ(got.status, param.status);
  EXPECT_TRUE(got.complete);
  if (param.status == 200) {
    ASSERT_TRUE(got.body.starts_with(param.kept)) << got.body;
    const std::string tail = got.body.substr(param.kept.size());
    if (param.error_code.empty()) {
      EXPECT_EQ(tail, "");
    } else {
      expect_error_event(tail, param.error_code);
    }
  } else {
    EXPECT_EQ(got.fields["content-type"], "application/json");
    const auto error = nlohmann::json::parse(got.body).at("error");
    if (!param.error_code.empty()) {
      EXPECT_EQ(error.at("code"), param.error_code) << got.body;
    }
    if (param.kept.empty())
      for (const char* key : {"message", "type", "param", "code"}) EXPECT_TRUE(error.contains(key)) << key;
    else
      EXPECT_EQ(got.body, param.kept);
  }
  EXPECT_TRUE(gateway.wait_for_metric(
      R"(tollgate_requests_total{tenant="default",route="none",task="none",model="m",outcome=")" + param.outcome +
          R"(",stream="true"})",
      1))
      << gateway.metrics();
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_streams_active", 0));

  // Whatever it was, the next one is served.
  RawClient next(gateway.address());
  next.send(post("/v1/chat/completions", chat_body("m")));
  upstream.connection(upstream.next().connection).send(json_answer("{}"));
  EXPECT_EQ(next.read_answer().status, 200);
}

const std::string whole = role_event + token("a") + finish_event;
const std::string started = role_event + token("a");
const std::string two_choices = event(R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]})") +
                                event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
const std::string second_choice_ends = event(R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})");
const std::string rate_error =
    R"({"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})";
const std::string plain_error = R"({"error":{"message":"oops","type":"server_error","param":null,"code":null}})";
const std::string long_prompt =
    R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})";
const std::string numbered_error = R"({"error":{"message":"busy","type":"x","param":null,"code":503}})";
const std::string key_error = R"({"error":{"message":"no","type":"x","param":null,"code":401}})";
const std::string flat_error = R"({"object":"error","message":"old","type":"BadRequestError","code":400})";

std::string typed(const std::string& type, const std::string& inside = {}) {
  return "event: " + type + "\ndata: {\"type\":\"" + type + "\"" + inside + "}\n\n";
}
const std::string opening = typed("response.created", R"(,"response":{"id":"r"})") + typed("response.in_progress");
const std::string text_delta = typed("response.output_text.delta", R"(,"delta":"hi")");
const std::string completed =
    typed("response.completed", R"(,"response":{"usage":{"input_tokens":3,"output_tokens":2}})");
const std::string failed = typed("response.failed", R"(,"response":{"error":{"code":"server_error","message":"m"}})");
const std::string old_token = event(R"({"choices":[{"index":0,"text":"a","finish_reason":null}]})");
const std::string old_finish = event(R"({"choices":[{"index":0,"text":"","finish_reason":"stop"}]})");
const std::string responses = "/v1/responses";

INSTANTIATE_TEST_SUITE_P(
    Chat, StreamEnd,
    testing::Values(
        EndCase{"whole", whole + done_event, Then::end, 200, whole + done_event, "", "ok"},
        EndCase{"whole_with_an_open_end", whole + done_event, Then::hang, 200, whole + done_event, "", "ok"},
        EndCase{"no_done", whole, Then::end, 200, whole + done_event, "", "ok"},
        EndCase{"no_done_and_usage", whole + usage_event, Then::end, 200, whole + done_event, "", "ok"},
        EndCase{"silence_after_the_finish", whole, Then::hang, 200, whole + done_event, "", "ok"},
        EndCase{"done_without_its_empty_line", whole + "data: [DONE]", Then::end, 200, whole + done_event, "", "ok"},
        EndCase{"done_with_half_its_empty_line", whole + "data: [DONE]\n", Then::end, 200, whole + done_event, "",
                "ok"},
        EndCase{"done_after_no_finish", started + done_event, Then::end, 200, started + done_event, "", "ok"},
        EndCase{"no_finish", started, Then::end, 200, started, "upstream_error", "truncated"},
        EndCase{"one_of_two_choices", two_choices, Then::end, 200, two_choices, "upstream_error", "truncated",
                "/v1/chat/completions", "\"n\":2,"},
        EndCase{"both_choices", two_choices + second_choice_ends, Then::end, 200,
                two_choices + second_choice_ends + done_event, "", "ok", "/v1/chat/completions", "\"n\":2,"},
        EndCase{"close_mid_stream", started, Then::close, 200, started, "upstream_error", "truncated"},
        EndCase{"reset_mid_stream", started, Then::reset, 200, started, "upstream_error", "truncated"},
        EndCase{"close_mid_event", started + "data: {\"choi", Then::close, 200, started, "upstream_error", "truncated"},
        EndCase{"end_mid_event", started + "data: {\"choi", Then::end, 200, started, "upstream_error", "truncated"},
        EndCase{"stall_after_content", started, Then::hang, 200, started, "upstream_timeout", "truncated"},
        EndCase{"stall_mid_event", started + "data: {\"choi", Then::hang, 200, started, "upstream_timeout",
                "truncated"},
        EndCase{"stall_before_content", "", Then::hang, 504, "", "upstream_timeout", "timeout"},
        EndCase{"role_then_hang", role_event, Then::hang, 504, "", "upstream_timeout", "timeout"},
        EndCase{"comment_then_hang", ": ping\n\n", Then::hang, 504, "", "upstream_timeout", "timeout"},
        EndCase{"role_then_end", role_event, Then::end, 502, "", "upstream_error", "upstream_error"},
        EndCase{"role_then_close", role_event, Then::close, 502, "", "upstream_error", "upstream_error"},
        EndCase{"role_then_reset", role_event, Then::reset, 502, "", "upstream_error", "upstream_error"},
        EndCase{"nothing_then_end", "", Then::end, 502, "", "upstream_error", "upstream_error"},
        EndCase{"nothing_then_close", "", Then::close, 502, "", "upstream_error", "upstream_error"},
        EndCase{"comments_then_end", ": a\n\n: b\n\n", Then::end, 502, "", "upstream_error", "upstream_error"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Errors, StreamEnd,
    testing::Values(
        EndCase{"first_rate_limit", event(rate_error), Then::end, 429, rate_error, "rate_limit_exceeded",
                "upstream_error"},
        EndCase{"first_rate_limit_after_role", role_event + event(rate_error), Then::end, 429, rate_error,
                "rate_limit_exceeded", "upstream_error"},
        EndCase{"first_plain", event(plain_error) + done_event, Then::end, 502, plain_error, "", "upstream_error"},
        EndCase{"first_long_prompt", event(long_prompt), Then::hang, 400, long_prompt, "context_length_exceeded",
                "client_error"},
        EndCase{"first_numbered", event(numbered_error), Then::close, 503, numbered_error, "", "upstream_error"},
        EndCase{"first_about_our_key", event(key_error), Then::end, 502, key_error, "", "upstream_error"},
        EndCase{"first_named", "event: error\n" + event(plain_error), Then::end, 502, plain_error, "",
                "upstream_error"},
        EndCase{"first_malformed", event("{\"choices\":["), Then::hang, 502, "", "upstream_error", "upstream_error"},
        EndCase{"later_forwarded", started + event(rate_error), Then::end, 200, started + event(rate_error), "",
                "upstream_error"},
        EndCase{"later_forwarded_and_the_rest_not", started + event(plain_error) + done_event, Then::hang, 200,
                started + event(plain_error), "", "upstream_error"},
        EndCase{"later_flat", started + event(flat_error), Then::end, 200, started + event(flat_error), "",
                "upstream_error"},
        EndCase{"later_malformed", started + event("{\"choices\":["), Then::hang, 200, started, "upstream_error",
                "truncated"},
        EndCase{"later_html", started + "data: <html>\n\n", Then::end, 200, started, "upstream_error", "truncated"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Surfaces, StreamEnd,
    testing::Values(
        EndCase{"responses_completed", opening + text_delta + completed, Then::end, 200,
                opening + text_delta + completed, "", "ok", responses},
        EndCase{"responses_completed_with_an_open_end", opening + text_delta + completed, Then::hang, 200,
                opening + text_delta + completed, "", "ok", responses},
        EndCase{"responses_incomplete", opening + text_delta + typed("response.incomplete"), Then::end, 200,
                opening + text_delta + typed("response.incomplete"), "", "ok", responses},
        EndCase{"responses_cut_short", opening + text_delta, Then::end, 200, opening + text_delta, "upstream_error",
                "truncated", responses},
        EndCase{"responses_close", opening + text_delta, Then::close, 200, opening + text_delta, "upstream_error",
                "truncated", responses},
        EndCase{"responses_stall", opening + text_delta, Then::hang, 200, opening + text_delta, "upstream_timeout",
                "truncated", responses},
        EndCase{"responses_opening_then_hang", opening, Then::hang, 504, "", "upstream_timeout", "timeout", responses},
        EndCase{"responses_opening_then_end", opening, Then::end, 502, "", "upstream_error", "upstream_error",
                responses},
        EndCase{"responses_failed_later", opening + text_delta + failed, Then::end, 200, opening + text_delta + failed,
                "", "upstream_error", responses},
        EndCase{"responses_completed_without_its_empty_line",
                opening + text_delta + completed.substr(0, completed.size() - 2), Then::end, 200,
                opening + text_delta + completed, "", "ok", responses},
        EndCase{"completions", old_token + old_finish + done_event, Then::end, 200, old_token + old_finish + done_event,
                "", "ok", "/v1/completions"},
        EndCase{"completions_no_done", old_token + old_finish, Then::end, 200, old_token + old_finish + done_event, "",
                "ok", "/v1/completions"},
        EndCase{"completions_cut_short", old_token, Then::end, 200, old_token, "upstream_error", "truncated",
                "/v1/completions"},
        EndCase{"unknown", "event: image\ndata: {\"b64\":\"AA\"}\n\ndata: no json\n\n", Then::end, 200,
                "event: image\ndata: {\"b64\":\"AA\"}\n\ndata: no json\n\n", "", "ok", "/v1/images/generations"},
        EndCase{"unknown_close", "data: {}\n\n", Then::close, 200, "data: {}\n\n", "upstream_error", "truncated",
                "/v1/images/generations"},
        EndCase{"unknown_empty", "", Then::end, 200, "", "", "ok", "/v1/images/generations"}),
    [](const auto& info) { return info.param.name; });

TEST(StreamEnds, name_the_phase_that_took_too_long) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), short_timers));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  const Answer got = client.read_answer();
  EXPECT_EQ(got.status, 504);
  EXPECT_NE(got.body.find("first_token"), std::string::npos) << got.body;
  EXPECT_TRUE(gateway.wait_for_log(R"("phase":"first_token")")) << gateway.access_log();
  EXPECT_TRUE(connection.wait_closed());
}

TEST(StreamEnds, are_not_put_off_by_comments_after_the_finish) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(stream_head + chunk(whole));
  std::string got;
  // The upstream keeps the line warm for as long as it is let.
  const auto until = std::chrono::steady_clock::now() + patience;
  while (got.find("[DONE]") == std::string::npos && std::chrono::steady_clock::now() < until) {
    connection.send(chunk(": ping\n\n"));
    while (const auto piece = client.socket().receive(std::chrono::milliseconds(50))) {
      if (piece->empty()) break;
      got += *piece;
    }
  }
  EXPECT_NE(got.find("data: [DONE]\n\n"), std::string::npos);
}

TEST(StreamEnds, close_an_event_that_was_passed_on_in_part) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  const std::string half = R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(300'000, 'x');
  connection.send(stream_head + chunk(half));
  std::string got;
  while (got.size() < half.size()) {
    const auto piece = client.socket().receive();
    ASSERT_TRUE(piece && !piece->empty());
    got += *piece;
  }
  client.rest() = got;
  connection.close();
  const Answer answer = client.read_answer();
  EXPECT_TRUE(answer.complete);
  ASSERT_TRUE(answer.body.starts_with(half + "\n\n"));
  expect_error_event(answer.body.substr(half.size() + 2), "upstream_error");
}

}  // namespace
}  // namespace tollgate::test
