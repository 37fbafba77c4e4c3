// Signs of life: what a client gets while its stream is silent, so that no proxy in between gives up, and what may
// still follow it.
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

const std::string beat = ": hb\n\n";
const std::string framed_beat = "6\r\n: hb\n\n\r\n";

/// A stream that has been asked for, with the gateway quick to show life.
struct SilentStream {
  explicit SilentStream(const std::string& provider_keys = {},
                        const std::string& server_keys = "stream: {heartbeat: 100ms, commit_after: 100ms}")
      : gateway(config_for(upstream.port(), provider_keys), server_keys), client(gateway.address()) {
    client.send(post("/v1/chat/completions", chat_body("m", true)));
    connection = upstream.accept();
    RawUpstream::read_request(connection);
  }
  bool beats(int times) {
    std::string all = client.rest();
    for (int i = 0; i < times; ++i) {
      std::size_t from = 0;
      for (int seen = 0; seen <= i; ++seen) {
        std::size_t at;
        while ((at = all.find(framed_beat, from)) == std::string::npos) {
          const auto piece = client.socket().receive();
          if (!piece || piece->empty()) return false;
          all += *piece;
        }
        from = at + framed_beat.size();
      }
    }
    client.rest() = all;
    return true;
  }

  RawUpstream upstream;
  GatewayUnderTest gateway;
  RawClient client;
  RawSocket connection;
};

std::string without_beats(std::string body) {
  for (std::size_t at; (at = body.find(beat)) != std::string::npos;) body.erase(at, beat.size());
  return body;
}

TEST(Heartbeat, comes_with_the_head_before_there_is_content) {
  SilentStream stream;
  ASSERT_TRUE(stream.beats(3)) << stream.client.rest();
  EXPECT_TRUE(stream.client.rest().starts_with("HTTP/1.1 200 OK\r\n"));
  stream.connection.send(stream_head + chunk(role_event + token("a") + finish_event + done_event) + last_chunk);
  Answer got = stream.client.read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_EQ(got.fields["content-type"], "text/event-stream");
  EXPECT_TRUE(got.body.starts_with(beat));
  EXPECT_EQ(without_beats(got.body), role_event + token("a") + finish_event + done_event);
}

TEST(Heartbeat, does_not_wait_for_a_long_interval_once_the_head_is_due) {
  // A proxy in front waits for the head: it must not have to wait for the first comment's turn.
  SilentStream stream({}, "stream: {heartbeat: 1h, commit_after: 100ms}");
  std::string got;
  EXPECT_TRUE(stream.client.socket().receive_until(got, "\r\n\r\n")) << got;
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(Heartbeat, comes_between_events_only) {
  SilentStream stream;
  stream.connection.send(stream_head + chunk(token("a")));
  ASSERT_TRUE(stream.beats(2));
  // Half an event, then silence: the comments go on ahead of it, never into it.
  const std::string next = token("b");
  stream.connection.send(chunk(next.substr(0, 20)));
  ASSERT_TRUE(stream.beats(4));
  stream.connection.send(chunk(next.substr(20) + finish_event + done_event) + last_chunk);
  const Answer got = stream.client.read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_NE(got.body.find(next), std::string::npos);
  EXPECT_EQ(without_beats(got.body), token("a") + next + finish_event + done_event);
}

TEST(Heartbeat, is_left_out_inside_an_event_that_was_passed_on_in_part) {
  SilentStream stream("timeouts: {idle: 500ms}");
  const std::string half = R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(200'000, 'x');
  stream.connection.send(stream_head + chunk(half));
  const Answer got = stream.client.read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_TRUE(got.body.starts_with(half + "\n\ndata: {\"error\":"));
}

TEST(Heartbeat, does_not_keep_a_stalled_stream_alive) {
  SilentStream stream("timeouts: {first_token: 600ms}");
  Answer got = stream.client.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.complete);
  const std::string rest = without_beats(got.body);
  ASSERT_TRUE(rest.starts_with("data: {")) << rest;
  EXPECT_EQ(nlohmann::json::parse(rest.substr(6)).at("error").at("code"), "upstream_timeout");
  EXPECT_TRUE(stream.gateway.wait_for_metric(
      R"(tollgate_requests_total{tenant="default",route="none",task="none",model="m",outcome="timeout",stream="true"})",
      1))
      << stream.gateway.metrics();
}

TEST(Heartbeat, is_followed_by_an_error_event_where_the_upstream_refuses_late) {
  const std::string error =
      R"({"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}})";
  for (const std::string& answer :
       {json_answer(error, 429),
        std::string("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
        json_answer("{}", 401), std::string("garbage\r\n\r\n"), json_answer(R"({"id":"x","choices":[]})", 200)}) {
    SilentStream stream;
    ASSERT_TRUE(stream.beats(1));
    stream.connection.send(answer);
    const Answer got = stream.client.read_answer();
    EXPECT_EQ(got.status, 200);
    EXPECT_TRUE(got.complete);
    const std::string rest = without_beats(got.body);
    ASSERT_TRUE(rest.starts_with("data: {\"error\":")) << rest;
    ASSERT_TRUE(rest.ends_with("}\n\n")) << rest;
    EXPECT_EQ(rest.find('\n'), rest.size() - 2) << rest;
    EXPECT_TRUE(nlohmann::json::parse(rest.substr(6)).at("error").contains("message"));
    EXPECT_EQ(rest.find("[DONE]"), std::string::npos);
  }
}

TEST(Heartbeat, is_followed_by_a_first_error_event_as_it_came) {
  // The data of two lines is one JSON text; put back on one line it would be another event.
  const std::string error =
      "data: {\"error\":{\"message\":\"m\",\ndata: \"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";
  SilentStream stream;
  ASSERT_TRUE(stream.beats(1));
  stream.connection.send(stream_head + chunk(error) + last_chunk);
  const Answer got = stream.client.read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_EQ(without_beats(got.body), error);
}

TEST(Heartbeat, is_no_thing_for_answers_that_are_not_streams) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "stream: {heartbeat: 50ms, commit_after: 50ms}");
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  EXPECT_FALSE(client.socket().receive(std::chrono::milliseconds(300)).has_value());
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().body, "{}");
}

}  // namespace
}  // namespace tollgate::test
