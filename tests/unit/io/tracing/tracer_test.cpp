// Spans as a collector gets them: read back with a JSON parser from a collector that the test plays.
// Names and values are those of the conventions, written out, so that a slip in one of them is seen.
#include "tollgate/io/tracer.hpp"

#include "io/tracing/spans.hpp"
#include "support/raw_upstream.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace tollgate::io {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using pipeline::AttemptRecord;
using pipeline::Outcome;
using pipeline::RequestRecord;
using test::eventually;
using test::RawSocket;
using test::RawUpstream;

const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

RequestRecord small_record() {
  RequestRecord record;
  record.request_id = "0190f3c2-0abc-7def-8012-3456789abcde";
  record.method = "POST";
  record.endpoint = "/v1/chat/completions";
  record.tenant = "acme";
  record.status = 200;
  record.began_at = SystemTime(1'700'000'000s);
  record.duration = 1500ms;
  record.trace = protocol::parse_traceparent(traceparent);
  return record;
}

AttemptRecord attempt(std::string_view target, Outcome outcome, Micros began, Micros ended) {
  static Random random(7);
  AttemptRecord attempt;
  attempt.target = target;
  attempt.outcome = outcome;
  attempt.id = Uuid::v7(SystemTime(1'700'000'000s), random);
  attempt.began = began;
  attempt.ended = ended;
  return attempt;
}

json spans_of(const RequestRecord& record) {
  std::string text;
  append_spans(text, record);
  return json::parse("[" + text + "]");
}

/// An attribute's value, of whatever type; null where it is not there.
json value(const json& span, const std::string& key) {
  for (const auto& attribute : span.at("attributes"))
    if (attribute.at("key") == key) return attribute.at("value").begin().value();
  return nullptr;
}

TEST(Spans, a_request_is_a_server_span_below_the_callers) {
  const json spans = spans_of(small_record());
  ASSERT_EQ(spans.size(), 1u);
  const json& span = spans[0];
  EXPECT_EQ(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span["spanId"], "80123456789abcde");
  EXPECT_EQ(span["parentSpanId"], "00f067aa0ba902b7");
  EXPECT_EQ(span["name"], "POST /v1/chat/completions");
  EXPECT_EQ(span["kind"], 2);
  EXPECT_EQ(span["startTimeUnixNano"], "1700000000000000000");
  EXPECT_EQ(span["endTimeUnixNano"], "1700000001500000000");
  EXPECT_EQ(value(span, "http.response.status_code"), "200");
  EXPECT_EQ(value(span, "tollgate.tenant"), "acme");
  EXPECT_EQ(value(span, "tollgate.request_id"), "0190f3c2-0abc-7def-8012-3456789abcde");
  EXPECT_FALSE(span.contains("status"));
  EXPECT_TRUE(value(span, "error.type").is_null());
}

TEST(Spans, a_trace_that_begins_here_has_no_parent) {
  RequestRecord record = small_record();
  record.trace->parent_id = {};
  EXPECT_FALSE(spans_of(record)[0].contains("parentSpanId"));
}

TEST(Spans, each_attempt_is_a_client_span_with_its_own_times_and_what_it_used) {
  RequestRecord record = small_record();
  record.stream = true;
  record.target = "other/claude/4";
  record.upstream_request_id = "req_9";
  record.first_token = 700ms;
  record.usage.emplace();
  record.usage->input = 100;
  record.usage->cached_input = 40;
  record.usage->cache_write = 3;
  record.usage->cache_write_long = 4;
  record.usage->output = 20;
  record.usage->reasoning = 5;
  record.attempts = {attempt("openai/gpt-5.5", Outcome::timeout, 1ms, 400ms),
                     attempt("other/claude/4", Outcome::ok, 450ms, 1400ms)};
  record.attempts[1].credential = "main";
  record.attempts[1].cost = Money{1'250'000};
  const json spans = spans_of(record);
  ASSERT_EQ(spans.size(), 3u);

  const json &failed = spans[1], &good = spans[2];
  EXPECT_EQ(failed["name"], "chat gpt-5.5");
  EXPECT_EQ(failed["kind"], 3);
  EXPECT_EQ(failed["parentSpanId"], spans[0]["spanId"]);
  EXPECT_EQ(failed["traceId"], spans[0]["traceId"]);
  EXPECT_NE(failed["spanId"], good["spanId"]);
  EXPECT_EQ(failed["startTimeUnixNano"], "1700000000001000000");
  EXPECT_EQ(failed["endTimeUnixNano"], "1700000000400000000");
  EXPECT_EQ(failed["status"]["code"], 2);
  EXPECT_EQ(value(failed, "error.type"), "timeout");
  EXPECT_TRUE(value(failed, "gen_ai.usage.input_tokens").is_null());

  EXPECT_EQ(good["name"], "chat claude/4");
  EXPECT_EQ(value(good, "gen_ai.operation.name"), "chat");
  EXPECT_EQ(value(good, "gen_ai.provider.name"), "other");
  EXPECT_EQ(value(good, "gen_ai.request.model"), "claude/4");
  EXPECT_EQ(value(good, "gen_ai.request.stream"), true);
  EXPECT_EQ(value(good, "gen_ai.usage.input_tokens"), "100");
  EXPECT_EQ(value(good, "gen_ai.usage.output_tokens"), "20");
  EXPECT_EQ(value(good, "gen_ai.usage.cache_read.input_tokens"), "40");
  EXPECT_EQ(value(good, "gen_ai.usage.cache_creation.input_tokens"), "7");
  EXPECT_EQ(value(good, "gen_ai.usage.reasoning.output_tokens"), "5");
  EXPECT_DOUBLE_EQ(value(good, "gen_ai.response.time_to_first_chunk").get<double>(), 0.25);
  EXPECT_EQ(value(good, "tollgate.upstream_request_id"), "req_9");
  EXPECT_EQ(value(good, "tollgate.credential"), "main");
  EXPECT_EQ(value(good, "tollgate.cost_usd"), "0.00125");
  EXPECT_FALSE(good.contains("status"));
}

TEST(Spans, only_what_is_not_the_clients_fault_is_the_servers_error) {
  for (const auto& [outcome, is_error] : {std::pair{Outcome::client_error, false},
                                          {Outcome::limited, false},
                                          {Outcome::cancelled, false},
                                          {Outcome::upstream_error, true},
                                          {Outcome::timeout, true},
                                          {Outcome::truncated, true},
                                          {Outcome::internal, true}}) {
    RequestRecord record = small_record();
    record.outcome = outcome;
    record.error_code = "some_code";
    const json span = spans_of(record)[0];
    EXPECT_EQ(span.contains("status"), is_error) << pipeline::name_of(outcome);
    EXPECT_EQ(value(span, "error.type"), "some_code");
  }
}

TEST(Spans, an_attempt_that_was_outrun_has_not_failed) {
  RequestRecord record = small_record();
  record.attempts = {attempt("a/m", Outcome::cancelled, 0ms, 10ms)};
  EXPECT_FALSE(spans_of(record)[1].contains("status"));
}

TEST(Spans, whatever_a_text_holds_the_json_stays_whole) {
  RequestRecord record = small_record();
  record.error_code = "a\"b\\c\n\x01";
  record.outcome = Outcome::internal;
  record.trace->state = "k=\"v\"";
  const json span = spans_of(record)[0];
  EXPECT_EQ(value(span, "error.type"), record.error_code);
  EXPECT_EQ(span["traceState"], "k=\"v\"");
}

class TracerTest : public testing::Test {
 protected:
  void TearDown() override { outbound.stop(Millis(0)); }
  std::unique_ptr<Tracer> open(TracingSettings settings = {}) {
    settings.endpoint = config::WebAddress{false, "127.0.0.1", collector.port(), "/v1/traces"};
    if (settings.resource.empty()) settings.resource = {{"service.name", "gate\xFF"}};
    Tracer::Options options;
    options.version = "1.2.3";
    options.interval = Millis(5);
    return *Tracer::open(settings, outbound, options);
  }
  test::UpstreamRequest answer(int status = 200) {
    RawSocket connection = collector.accept();
    auto request = RawUpstream::read_request(connection);
    connection.send("HTTP/1.1 " + std::to_string(status) + " S\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    return request;
  }

  RawUpstream collector;
  Outbound outbound{1};
};

TEST_F(TracerTest, spans_reach_the_collector_as_otlp_json) {
  TracingSettings settings;
  settings.headers = {{"api-key", "k"}};
  settings.resource = {{"service.name", "gate\xFF"}, {"team", "x"}};
  const auto tracer = open(settings);
  Tracer::Worker& worker = tracer->add_worker();
  worker.finished(small_record());
  const auto request = answer();
  EXPECT_TRUE(request.head.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_EQ(request.field("content-type"), "application/json");
  EXPECT_EQ(request.field("api-key"), "k");
  EXPECT_EQ(request.field("user-agent"), "tollgate/1.2.3");
  const json body = json::parse(request.body);
  ASSERT_EQ(body["resourceSpans"].size(), 1u);
  const json& resource = body["resourceSpans"][0];
  EXPECT_EQ(value(resource["resource"], "service.name"), "gate\xEF\xBF\xBD");
  EXPECT_EQ(value(resource["resource"], "service.version"), "1.2.3");
  EXPECT_EQ(value(resource["resource"], "team"), "x");
  EXPECT_EQ(resource["scopeSpans"][0]["scope"]["name"], "tollgate");
  EXPECT_EQ(resource["scopeSpans"][0]["spans"].size(), 1u);
  EXPECT_TRUE(eventually([&] { return tracer->counts().sent == 1; }));
}

TEST_F(TracerTest, what_is_not_sampled_is_not_written) {
  const auto tracer = open();
  Tracer::Worker& worker = tracer->add_worker();
  RequestRecord record = small_record();
  record.trace->flags = 0;
  worker.finished(record);
  record.trace.reset();
  worker.finished(record);
  record = small_record();
  record.tenant = "seen";
  worker.finished(record);
  EXPECT_EQ(json::parse(answer().body)["resourceSpans"][0]["scopeSpans"][0]["spans"].size(), 1u);
}

TEST_F(TracerTest, a_collector_that_is_gone_costs_spans_and_no_memory) {
  const auto tracer = open();
  Tracer::Worker& worker = tracer->add_worker();
  std::uint64_t written = 0;
  while (tracer->counts().dropped == 0) {  // nobody answers: first the posts fill up, then the buffer
    worker.finished(small_record());
    ASSERT_LT(++written, 10'000'000u);
  }
  EXPECT_EQ(tracer->counts().sent, 0u);
}

TEST_F(TracerTest, a_refusal_by_the_collector_is_repeated_only_where_the_protocol_says_so) {
  const auto tracer = open();
  Tracer::Worker& worker = tracer->add_worker();
  worker.finished(small_record());
  answer(500);
  EXPECT_TRUE(eventually([&] { return tracer->counts().failed == 1; }));
}

TEST_F(TracerTest, the_last_spans_go_out_at_the_end) {
  TracingSettings settings;
  settings.endpoint = config::WebAddress{false, "127.0.0.1", collector.port(), "/v1/traces"};
  Tracer::Options options;
  options.interval = std::chrono::hours(1);
  const auto tracer = *Tracer::open(settings, outbound, options);
  Tracer::Worker& worker = tracer->add_worker();
  worker.finished(small_record());
  std::thread play([&] { answer(); });
  outbound.stop(test::patience);
  play.join();
  EXPECT_EQ(tracer->counts().sent, 1u);
}

TEST_F(TracerTest, a_request_stays_in_its_callers_trace_and_decision) {
  TracingSettings settings;
  settings.sampler = {0, true};
  const auto tracer = open(settings);
  const Tracer::Worker& worker = tracer->add_worker();
  const std::string id = "0190f3c2-0abc-7def-8012-3456789abcde";
  const auto continued = worker.begin(protocol::parse_traceparent(traceparent), id);
  EXPECT_TRUE(continued.sampled());
  EXPECT_TRUE(continued.own_spans);
  EXPECT_EQ(protocol::show_traceparent(continued, continued.parent_id), traceparent);
  const auto own = worker.begin(std::nullopt, id);
  EXPECT_FALSE(own.sampled());
  EXPECT_FALSE(own.has_parent());
  EXPECT_EQ(own.trace_id, protocol::trace_id_of(id));
}

TEST_F(TracerTest, a_sampler_that_follows_nobody_decides_anew) {
  TracingSettings settings;
  settings.sampler = {0, false};
  const auto tracer = open(settings);
  EXPECT_FALSE(tracer->add_worker().begin(protocol::parse_traceparent(traceparent), "").sampled());
}

}  // namespace
}  // namespace tollgate::io
