// Traces from outside: what the collector gets of a request through the whole gateway, and what its provider is told.
// The parts are tested by themselves; here they are the same trace, with the same ids.
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace tollgate::test {
namespace {

using nlohmann::json;

/// An environment variable for the life of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", caller = "00f067aa0ba902b7";
const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
const std::string reply =
    R"({"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",)"
    R"("content":"ho"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}})";

std::string post(const std::string& fields) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Sends one request and plays the provider; what the provider was sent.
UpstreamRequest ask(const GatewayUnderTest& gateway, RawUpstream& provider, const std::string& fields) {
  RawSocket client = RawSocket::connect(gateway.address());
  client.send(post(fields));
  RawSocket connection = provider.accept();
  auto request = RawUpstream::read_request(connection);
  connection.send(json_answer(reply));
  std::string answer;
  EXPECT_TRUE(client.receive_until(answer, reply)) << answer;
  return request;
}

/// The spans of the next post to the collector, by name.
std::map<std::string, json> spans_at(RawUpstream& collector) {
  RawSocket connection = collector.accept();
  const auto request = RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  std::map<std::string, json> spans;
  const json body_sent = json::parse(request.body);
  for (const json& span : body_sent["resourceSpans"][0]["scopeSpans"][0]["spans"])
    spans[span["name"].get<std::string>()] = span;
  return spans;
}

TEST(Trace, a_request_and_its_attempt_are_spans_of_the_callers_trace_and_the_provider_is_told) {
  RawUpstream collector, provider;
  const Variable endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + std::to_string(collector.port()));
  const GatewayUnderTest gateway(config_for(provider.port(), "forward_trace: true"));
  const auto sent = ask(gateway, provider,
                        "traceparent: 00-" + trace + "-" + caller + "-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
  auto spans = spans_at(collector);
  ASSERT_EQ(spans.size(), 2u);
  const json &request = spans["POST /v1/chat/completions"], &attempt = spans["chat m"];
  EXPECT_EQ(request["traceId"], trace);
  EXPECT_EQ(request["parentSpanId"], caller);
  EXPECT_EQ(attempt["parentSpanId"], request["spanId"]);
  EXPECT_EQ(sent.field("traceparent"), "00-" + trace + "-" + attempt["spanId"].get<std::string>() + "-01");
  EXPECT_EQ(sent.field("tracestate"), "a=1,b=2");
  const auto nanos = [](const json& span, const char* key) { return std::stoll(span[key].get<std::string>()); };
  EXPECT_LE(nanos(request, "startTimeUnixNano"), nanos(attempt, "startTimeUnixNano"));
  EXPECT_LT(nanos(attempt, "startTimeUnixNano"), nanos(attempt, "endTimeUnixNano"));
  EXPECT_LE(nanos(attempt, "endTimeUnixNano"), nanos(request, "endTimeUnixNano"));
}

TEST(Trace, without_a_caller_the_trace_is_named_by_the_requests_id) {
  RawUpstream collector, provider;
  const Variable endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + std::to_string(collector.port()));
  const GatewayUnderTest gateway(config_for(provider.port()));
  const auto sent = ask(gateway, provider, "traceparent: 00-" + trace + "-nonsense-01\r\n");
  EXPECT_EQ(sent.field("traceparent"), "") << "nobody asked for it to be forwarded";
  auto spans = spans_at(collector);
  const json& request = spans["POST /v1/chat/completions"];
  EXPECT_FALSE(request.contains("parentSpanId"));
  std::string id;
  for (const json& attribute : request["attributes"])
    if (attribute["key"] == "tollgate.request_id") id = attribute["value"]["stringValue"];
  std::erase(id, '-');
  EXPECT_EQ(request["traceId"], id);
}

TEST(Trace, the_end_of_the_gateway_sends_the_last_spans) {
  RawUpstream collector, provider;
  const Variable endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + std::to_string(collector.port()));
  GatewayUnderTest gateway(config_for(provider.port()));
  ask(gateway, provider, "");
  gateway.gateway().request_stop();
  EXPECT_EQ(spans_at(collector).size(), 2u);
  EXPECT_EQ(gateway.join(), 0);
}

TEST(Trace, where_no_spans_are_made_a_provider_still_gets_what_the_client_sent) {
  RawUpstream provider;
  const GatewayUnderTest gateway(config_for(provider.port(), "forward_trace: true"));
  const std::string parent = "00-" + trace + "-" + caller + "-00";
  const auto sent = ask(gateway, provider, "traceparent: " + parent + "\r\ntracestate: a=1\r\n");
  EXPECT_EQ(sent.field("traceparent"), parent);
  EXPECT_EQ(sent.field("tracestate"), "a=1");
  EXPECT_EQ(ask(gateway, provider, "").field("traceparent"), "");
  const auto twice = ask(gateway, provider, "traceparent: " + parent + "\r\ntraceparent: " + parent + "\r\n");
  EXPECT_EQ(twice.field("traceparent"), "") << "two of them say nothing";
}

TEST(Trace, a_collector_that_is_gone_changes_nothing_for_a_request) {
  RawUpstream collector, provider;
  const Variable endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + std::to_string(collector.port()));
  collector.close();
  const GatewayUnderTest gateway(config_for(provider.port()));
  for (int i = 0; i < 3; ++i) ask(gateway, provider, "");
}

}  // namespace
}  // namespace tollgate::test
