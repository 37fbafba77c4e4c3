// What each fault that is more than a status looks like on the wire, for streams and for whole answers. The raw client
// tells FIN, reset and silence apart, which is all that these faults are about.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using End = Reply::End;
using nlohmann::json;

constexpr int short_patience_ms = 500;

/// One request whose fault is given; 10 tokens, the fault after 4 of them.
class WireFault : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  Reply ask(const std::string& fault, bool stream, int patience_ms = 10'000,
            const std::string& steering = "tokens=10,after=4") {
    client_ = std::make_unique<Client>(server_.port());
    client_->post("/v1/chat/completions",
                  chat("sim,fault=" + fault + "," + steering, stream ? R"(,"stream":true)" : ""));
    return client_->read(patience_ms);
  }
  Reply stream(const std::string& fault, int patience_ms = 10'000) { return ask(fault, true, patience_ms); }
  Reply whole(const std::string& fault, int patience_ms = 10'000) { return ask(fault, false, patience_ms); }

  TruthEntry truth(std::size_t count = 1) {
    EXPECT_TRUE(server_.wait_until([&] { return server_.truth().size() == count; }));
    return server_.truth().back();
  }
  /// The client leaves a hanging request; what the truth log says then.
  TruthEntry truth_after_leaving(std::size_t count = 1) {
    client_->close();
    return truth(count);
  }

  Server server_{fast()};
  std::unique_ptr<Client> client_;
};

TEST_F(WireFault, hang_before_head_sends_nothing) {
  for (const bool streamed : {true, false}) {
    const Reply reply = ask("hang_before_head", streamed, short_patience_ms);
    EXPECT_EQ(reply.end, End::silent);
    EXPECT_EQ(reply.status, 0);
    const TruthEntry entry = truth_after_leaving(streamed ? 1 : 2);
    EXPECT_EQ(entry.ended, "client_gone");
    EXPECT_EQ(entry.fault, "hang_before_head");
    EXPECT_EQ(entry.bytes_sent, 0u);
    EXPECT_EQ(entry.status, 0u);
  }
}

TEST_F(WireFault, hang_mid_stream_falls_silent_after_some_tokens) {
  const Reply reply = stream("hang_mid_stream", short_patience_ms);
  EXPECT_EQ(reply.end, End::silent);
  EXPECT_EQ(count_words(content_of(reply.body)), 4u);
  EXPECT_EQ(truth_after_leaving().completion_tokens, 4u);
}

TEST_F(WireFault, hang_mid_stream_of_a_whole_answer_stops_inside_its_body) {
  const Reply reply = whole("hang_mid_stream", short_patience_ms);
  EXPECT_EQ(reply.end, End::silent);
  EXPECT_EQ(reply.body.size(), std::stoul(reply.fields.at("content-length")) / 2);
  EXPECT_EQ(truth_after_leaving().completion_tokens, 0u);
}

TEST_F(WireFault, reset_before_head_resets) {
  for (const bool streamed : {true, false}) {
    const Reply reply = ask("reset_before_head", streamed);
    EXPECT_EQ(reply.end, End::reset);
    EXPECT_EQ(reply.status, 0);
    EXPECT_EQ(truth(streamed ? 1 : 2).ended, "reset_before_head");
  }
}

TEST_F(WireFault, close_before_head_ends_in_order_without_a_byte) {
  for (const bool streamed : {true, false}) {
    const Reply reply = ask("close_before_head", streamed);
    EXPECT_EQ(reply.end, End::cut);
    EXPECT_EQ(reply.status, 0);
    const TruthEntry entry = truth(streamed ? 1 : 2);
    EXPECT_EQ(entry.ended, "close_before_head");
    EXPECT_EQ(entry.bytes_sent, 0u);
  }
}

TEST_F(WireFault, close_before_content_ends_after_the_role_chunk) {
  const Reply reply = stream("close_before_content");
  EXPECT_EQ(reply.end, End::cut);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(events_of(reply.body).size(), 1u);
  EXPECT_EQ(content_of(reply.body), "");
  const TruthEntry entry = truth();
  EXPECT_EQ(entry.ended, "close_before_content");
  EXPECT_EQ(entry.completion_tokens, 0u);
}

TEST_F(WireFault, close_before_content_of_a_whole_answer_ends_after_its_head) {
  const Reply reply = whole("close_before_content");
  EXPECT_EQ(reply.end, End::cut);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_GT(std::stoul(reply.fields.at("content-length")), 0u);
}

TEST_F(WireFault, reset_mid_stream_resets_after_some_tokens) {
  const Reply reply = stream("reset_mid_stream");
  EXPECT_EQ(reply.end, End::reset);
  EXPECT_EQ(count_words(content_of(reply.body)), 4u);
  const TruthEntry entry = truth();
  EXPECT_EQ(entry.ended, "reset_mid_stream");
  EXPECT_EQ(entry.completion_tokens, 4u);
  EXPECT_EQ(whole("reset_mid_stream").end, End::reset);
}

TEST_F(WireFault, close_mid_stream_ends_without_the_last_chunk) {
  const Reply reply = stream("close_mid_stream");
  EXPECT_EQ(reply.end, End::cut);
  EXPECT_EQ(count_words(content_of(reply.body)), 4u);
  EXPECT_EQ(reply.body.find("\"stop\""), std::string::npos);
  EXPECT_EQ(whole("close_mid_stream").end, End::cut);
}

TEST_F(WireFault, end_without_done_is_whole_but_for_done) {
  const Reply reply = stream("end_without_done");
  EXPECT_EQ(reply.end, End::whole);
  EXPECT_EQ(count_words(content_of(reply.body)), 10u);
  EXPECT_NE(reply.body.find(R"("finish_reason":"stop")"), std::string::npos);
  EXPECT_EQ(reply.body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(whole("end_without_done").end, End::cut);
}

TEST_F(WireFault, short_without_done_ends_in_order_in_the_middle) {
  const Reply reply = stream("short_without_done");
  EXPECT_EQ(reply.end, End::whole);
  EXPECT_EQ(count_words(content_of(reply.body)), 4u);
  EXPECT_EQ(reply.body.find("\"stop\""), std::string::npos);
  EXPECT_EQ(reply.body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(whole("short_without_done").end, End::cut);
}

TEST_F(WireFault, malformed_event_is_one_event_that_is_not_json) {
  const Reply reply = stream("malformed_event");
  EXPECT_EQ(reply.end, End::whole);
  std::size_t broken = 0;
  for (const std::string& event : events_of(reply.body)) broken += event != "[DONE]" && !json::accept(event);
  EXPECT_EQ(broken, 1u);
  EXPECT_EQ(count_words(content_of(reply.body)), 10u);
  const Reply body = whole("malformed_event");
  EXPECT_EQ(body.end, End::whole);
  EXPECT_FALSE(json::accept(body.body));
}

TEST_F(WireFault, error_event_follows_some_tokens_and_ends_the_body) {
  const Reply reply = stream("error_event");
  EXPECT_EQ(reply.end, End::whole);
  EXPECT_EQ(count_words(content_of(reply.body)), 4u);
  EXPECT_EQ(json::parse(events_of(reply.body).back())["error"]["type"], "server_error");
  const Reply body = whole("error_event");
  EXPECT_EQ(body.status, 200);
  EXPECT_EQ(body.json()["error"]["type"], "server_error");
}

TEST_F(WireFault, error_first_is_the_only_event) {
  const Reply reply = stream("error_first");
  EXPECT_EQ(reply.status, 200);
  const std::vector<std::string> events = events_of(reply.body);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(json::parse(events[0]).contains("error"));
  EXPECT_TRUE(whole("error_first").json().contains("error"));
}

TEST_F(WireFault, role_then_hang_stops_after_the_role) {
  const Reply reply = stream("role_then_hang", short_patience_ms);
  EXPECT_EQ(reply.end, End::silent);
  const std::vector<std::string> events = events_of(reply.body);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(json::parse(events[0])["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(truth_after_leaving().completion_tokens, 0u);
  const Reply head_only = whole("role_then_hang", short_patience_ms);
  EXPECT_EQ(head_only.status, 200);
  EXPECT_EQ(head_only.body, "");
}

TEST_F(WireFault, slow_bytes_come_one_by_one_and_are_whole) {
  const Reply slow = ask("slow_bytes", false, 10'000, "tokens=2");
  EXPECT_EQ(slow.end, End::whole);
  EXPECT_EQ(slow.json()["usage"]["completion_tokens"], 2);
  // A reader that was held up finds several bytes waiting, but never a whole answer.
  EXPECT_LT(client_->largest_read(), slow.body.size() / 2);
  EXPECT_EQ(truth().ended, "slow_bytes");
}

TEST_F(WireFault, garbage_head_is_not_http) {
  EXPECT_EQ(stream("garbage_head").end, End::garbage);
  EXPECT_EQ(whole("garbage_head").end, End::garbage);
}

TEST_F(WireFault, wrong_length_promises_more_than_it_sends) {
  const Reply body = whole("wrong_length");
  EXPECT_EQ(body.end, End::cut);
  EXPECT_TRUE(json::accept(body.body));
  EXPECT_EQ(std::stoul(body.fields.at("content-length")), body.body.size() + 64);
  const Reply events = stream("wrong_length");
  EXPECT_EQ(events.end, End::cut);
  EXPECT_NE(events.body.find("[DONE]"), std::string::npos);
}

TEST_F(WireFault, empty_choices_is_a_success_with_nothing_in_it) {
  const Reply body = whole("empty_choices");
  EXPECT_EQ(body.status, 200);
  EXPECT_EQ(body.json()["choices"], json::array());
  const std::vector<std::string> events = events_of(stream("empty_choices").body);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(json::parse(events[0])["choices"], json::array());
  EXPECT_EQ(events[1], "[DONE]");
}

TEST_F(WireFault, responses_streams_fail_in_their_own_form) {
  Client client(server_.port());
  client.post("/v1/responses", R"({"model":"sim,fault=error_event,tokens=4","input":"x","stream":true})");
  const Reply failed = client.read();
  const json error = json::parse(events_of(failed.body).back());
  EXPECT_EQ(error["type"], "error");
  EXPECT_EQ(error["code"], "server_error");
  client.post("/v1/responses", R"({"model":"sim,fault=end_without_done,tokens=4","input":"x","stream":true})");
  EXPECT_EQ(client.read().body.find("response.completed"), std::string::npos);
}

}  // namespace
}  // namespace tollgate::simulator
