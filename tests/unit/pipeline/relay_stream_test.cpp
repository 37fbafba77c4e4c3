// Streams through the whole path with a scripted upstream: what is held, what is sent, and how each kind of end looks
// to the client.
#include "fakes.hpp"

#include <gtest/gtest.h>

namespace tollgate::pipeline::test {
namespace {

using Progress = UpstreamCall::Progress;

const std::string request = R"({"model":"m","stream":true,"messages":[]})";
const std::string role =
    "data: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const std::string hello =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":null}]}\n\n";
const std::string finish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const std::string usage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n";
const std::string done = "data: [DONE]\n\n";
const std::string in_band = "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":429}}\n\n";

Step head() { return {.progress = Progress::head, .content_type = "text/event-stream; charset=utf-8"}; }
Step data(std::string bytes) { return {.progress = Progress::data, .data = std::move(bytes)}; }
Step blocked() { return {}; }
Step end() { return {.progress = Progress::end}; }
Step broken() { return {.progress = Progress::failed, .data = "the connection broke"}; }

struct Stream : Harness {
  explicit Stream(std::deque<Step> steps) : Harness(request) {
    provider->steps = std::move(steps);
    serve();
  }
};

TEST(StreamRelay, asks_the_upstream_for_usage_and_keeps_it_from_a_client_that_did_not) {
  Stream stream({head(), data(role + hello + finish + usage + done), end()});
  EXPECT_NE(stream.provider->sent_body.find(R"("stream_options":{"include_usage":true})"), std::string::npos)
      << stream.provider->sent_body;
  EXPECT_EQ(stream.client.body, role + hello + finish + done);
  ASSERT_TRUE(stream.exchange->record.usage);
  EXPECT_EQ(stream.exchange->record.usage->output, 2u);
  EXPECT_TRUE(stream.over && stream.client.ended);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::ok);
}

TEST(StreamRelay, gives_a_client_the_usage_chunk_that_it_asked_for) {
  Harness harness(R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]})");
  harness.provider->steps = {head(), data(role + hello + finish + usage + done), end()};
  harness.serve();
  EXPECT_EQ(harness.client.body, role + hello + finish + usage + done);
}

TEST(StreamRelay, sends_nothing_before_content) {
  Stream stream({head(), data(role), blocked()});
  EXPECT_FALSE(stream.client.has_begun);
  stream.provider->steps = {data(hello), blocked()};
  stream.progress();
  EXPECT_TRUE(stream.client.has_begun);
  EXPECT_EQ(stream.client.status, 200);
  EXPECT_EQ(stream.client.body, role + hello);
}

TEST(StreamRelay, an_event_cut_anywhere_arrives_whole) {
  const std::string all = role + hello + finish + usage + done;
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    Stream stream({head(), data(all.substr(0, cut)), data(all.substr(cut)), end()});
    ASSERT_EQ(stream.client.body, role + hello + finish + done) << "cut at " << cut;
  }
}

TEST(StreamRelay, one_byte_at_a_time_arrives_whole) {
  std::deque<Step> steps{head()};
  for (const char byte : role + hello + finish + done) steps.push_back(data(std::string(1, byte)));
  steps.push_back(end());
  Stream stream(steps);
  EXPECT_EQ(stream.client.body, role + hello + finish + done);
}

TEST(StreamRelay, a_break_after_content_ends_in_an_error_event) {
  Stream stream({head(), data(role + hello + "data: {\"cho"), broken()});
  EXPECT_TRUE(stream.client.body.starts_with(role + hello + "data: {\"error\":{")) << stream.client.body;
  EXPECT_EQ(stream.client.body.find("[DONE]"), std::string::npos);
  EXPECT_TRUE(stream.client.ended);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::truncated);
}

TEST(StreamRelay, a_break_before_content_is_a_real_status) {
  Stream stream({head(), data(role), broken()});
  EXPECT_EQ(stream.client.status, 502);
  EXPECT_EQ(stream.client.body.find("data:"), std::string::npos);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::upstream_error);
}

TEST(StreamRelay, an_end_without_finish_reason_is_an_error_event) {
  Stream stream({head(), data(role + hello), end()});
  EXPECT_NE(stream.client.body.find("\"error\""), std::string::npos);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::truncated);
}

TEST(StreamRelay, an_end_after_finish_reason_gets_its_marker) {
  Stream stream({head(), data(role + hello + finish), end()});
  EXPECT_EQ(stream.client.body, role + hello + finish + done);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::ok);
}

TEST(StreamRelay, an_end_after_stop_reason_gets_its_message_stop_and_one_without_does_not) {
  const std::string text =
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"x\"}}\n\n";
  const std::string reason =
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
  const std::string stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  for (const std::string& sent : {text + reason + stop, text + reason, text}) {
    Harness harness(request);
    harness.exchange->inbound.stream_kind = protocol::openai::StreamKind::messages;
    harness.provider->steps = {head(), data(sent), end()};
    harness.serve();
    const bool whole = sent != text;
    EXPECT_EQ(harness.client.body == text + reason + stop, whole) << harness.client.body;
    EXPECT_EQ(harness.exchange->record.outcome, whole ? Outcome::ok : Outcome::truncated);
  }
}

TEST(StreamRelay, silence_after_finish_reason_ends_the_stream_once) {
  Stream stream({head(), data(role + hello + finish), blocked()});
  EXPECT_FALSE(stream.over);
  EXPECT_EQ(stream.alarm.when(), stream.alarm.now() + Millis(2000));
  stream.alarm.run_out();
  EXPECT_TRUE(stream.over);
  EXPECT_EQ(stream.client.body, role + hello + finish + done);
}

TEST(StreamRelay, an_error_event_before_content_becomes_a_status_with_the_upstreams_words) {
  Stream stream({head(), data(role + in_band), end()});
  EXPECT_EQ(stream.client.status, 429);
  EXPECT_EQ(stream.client.body, R"({"error":{"message":"busy","type":"server_error","code":429}})");
  EXPECT_NE(stream.client.fields.find("application/json"), std::string::npos);
}

TEST(StreamRelay, an_error_event_after_content_goes_on_as_it_came) {
  Stream stream({head(), data(role + hello + in_band), end()});
  EXPECT_EQ(stream.client.body, role + hello + in_band);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::upstream_error);
}

TEST(StreamRelay, a_malformed_event_is_told_in_a_form_that_clients_raise_on) {
  Stream stream({head(), data(role + hello + "data: {oops\n\n"), end()});
  EXPECT_EQ(stream.client.body.find("oops"), std::string::npos);
  EXPECT_NE(stream.client.body.find("\"error\""), std::string::npos);
}

TEST(StreamRelay, a_silent_upstream_gets_its_head_out_and_then_heartbeats) {
  Stream stream({head(), data(role), blocked()});
  EXPECT_EQ(stream.alarm.when(), stream.exchange->began + std::chrono::seconds(30));
  stream.alarm.run_out();
  EXPECT_TRUE(stream.client.has_begun);
  EXPECT_EQ(stream.client.body, "");
  stream.alarm.run_out();
  EXPECT_EQ(stream.client.body, ": hb\n\n");
  stream.provider->steps = {data(hello + finish + done), end()};
  stream.progress();
  EXPECT_EQ(stream.client.body, ": hb\n\n" + role + hello + finish + done);
}

TEST(StreamRelay, a_failure_after_the_head_but_before_content_is_an_error_event) {
  Stream stream({blocked()});
  stream.alarm.run_out();  // commit_after
  EXPECT_TRUE(stream.client.has_begun);
  stream.provider->steps = {broken()};
  stream.progress();
  EXPECT_TRUE(stream.client.body.starts_with("data: {\"error\"")) << stream.client.body;
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::upstream_error);
}

TEST(StreamRelay, an_event_too_large_to_hold_passes_as_it_comes) {
  const std::string large =
      "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(1'000'000, 'x') + "\"}}]}\n\n";
  std::deque<Step> steps{head(), data(role)};
  for (std::size_t at = 0; at < large.size(); at += 50'000) steps.push_back(data(large.substr(at, 50'000)));
  steps.push_back(data(finish + done));
  steps.push_back(end());
  Stream stream(steps);
  EXPECT_EQ(stream.client.body, role + large + finish + done);
}

TEST(StreamRelay, an_event_without_end_is_given_up) {
  std::deque<Step> steps{head()};
  for (int i = 0; i < 300; ++i) steps.push_back(data(std::string(64 * 1024, 'x')));
  Stream stream(steps);
  EXPECT_TRUE(stream.over);
  EXPECT_NE(stream.client.body.find("16 MiB"), std::string::npos);
}

TEST(StreamRelay, a_client_that_leaves_ends_the_upstream_call) {
  Stream stream({head(), data(role + hello), blocked()});
  EXPECT_EQ(stream.provider->open, 1);
  stream.client.has_left = true;
  stream.point.signal(Signal::client_readable);
  EXPECT_TRUE(stream.over);
  EXPECT_EQ(stream.provider->open, 0);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::cancelled);
  EXPECT_EQ(stream.exchange->record.ended_by, EndedBy::client);
}

TEST(StreamRelay, reads_nothing_while_the_client_takes_nothing) {
  Stream stream({head(), data(role + hello), blocked()});
  stream.client.blocked = true;
  stream.provider->steps = {data(finish + done), end()};
  stream.progress();
  EXPECT_EQ(stream.provider->steps.size(), 2u);
  stream.client.blocked = false;
  stream.point.signal(Signal::client_writable);
  EXPECT_EQ(stream.client.body, role + hello + finish + done);
}

TEST(StreamRelay, a_shutdown_ends_a_stream_with_an_error_event) {
  Stream stream({head(), data(role + hello), blocked()});
  stream.client.stopping = true;
  stream.point.signal(Signal::stop);
  EXPECT_TRUE(stream.over);
  EXPECT_NE(stream.client.body.find("shutting down"), std::string::npos);
}

TEST(StreamRelay, keeps_a_byte_order_mark_and_comments_in_their_place) {
  const std::string text = "\xEF\xBB\xBF: welcome\n\n" + role + ": keep-alive\n\n" + hello + finish + done;
  Stream stream({head(), data(text), end()});
  EXPECT_EQ(stream.client.body, text);
}

/// Only the stream's first bytes are a mark; a client takes a later one for part of a field's name, and so must we.
TEST(StreamRelay, takes_a_byte_order_mark_for_one_at_the_start_only) {
  const std::string mark = "\xEF\xBB\xBF";
  const std::string text = mark + "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n" +
                           mark + done + hello + finish + done;
  Stream stream({head(), data(text), end()});
  EXPECT_EQ(stream.client.body, text);
  EXPECT_EQ(stream.exchange->record.outcome, Outcome::ok);

  Stream doubled({head(), data(mark + mark + hello), end()});
  EXPECT_EQ(doubled.client.status, 502) << "no content came";
}

}  // namespace
}  // namespace tollgate::pipeline::test
