// A second attempt beside a first one that takes long: whoever is first has the client to itself, whoever is not is cut
// off at once, and nothing of the race is held against anybody.
#include "choice_parts.hpp"
#include "stream_parts.hpp"
#include "support/waiting.hpp"

#include <memory>
#include <sstream>
#include <vector>

namespace tollgate::test {
namespace {

const std::string events = role_event + token("hello") + finish_event + done_event;
std::string whole_stream() { return stream_head + chunk(events) + last_chunk; }

std::string answer_for(bool stream) { return stream ? whole_stream() : json_answer(good); }
std::string body_for(bool stream) { return stream ? events : good; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

class Hedge : public testing::Test {
 protected:
  struct Keys {
    std::string retry = "attempts: 3, backoff: {base: 1ms, max: 1ms}";
    std::string hedge = "share: 100%, after: 50ms";
    std::string fallbacks = "two, three";
    std::string circuit = "failures: 1000, min_requests: 1000000", server{};
  };

  void start(const Keys& keys) {
    const auto keys_of = [&keys](const std::string& name) {
      return "credentials: [{name: key-" + name + ", key: test-key-1}], circuit: {" + keys.circuit + "}";
    };
    gateway_ = std::make_unique<GatewayUnderTest>(
        "defaults: {retry: {" + keys.retry + "}, hedge: {" + keys.hedge + "}}\nproviders:\n" +
            provider_at("a", one_.port(), keys_of("a")) + provider_at("b", two_.port(), keys_of("b")) +
            provider_at("c", three_.port(), keys_of("c")) +
            "models:\n  one: {provider: a}\n  two: {provider: b}\n  three: {provider: c}\n"
            "routes:\n  auto: {primary: one, fallbacks: [" +
            keys.fallbacks + "]}\n",
        keys.server);
    client_ = std::make_unique<RawClient>(gateway_->address());
  }

  void ask(bool stream, const std::string& fields = {}) {
    client_->send(post("/v1/chat/completions", chat_body("auto", stream), fields));
  }

  /// Asks, and lets both get the request.
  void race(bool stream, const std::string& fields = {}) {
    ask(stream, fields);
    first_ = &one_.connection(one_.next().connection);
    second_ = &two_.connection(two_.next().connection);
  }

  /// Waits until the gateway has done with its attempt there.
  void expect_over_at(const std::string& provider) {
    EXPECT_TRUE(
        gateway_->wait_for_metric("tollgate_upstream_connections{provider=\"" + provider + "\",state=\"active\"}", 0));
  }

  /// Attempts at a target that ended so.
  double ended(const std::string& target, const std::string& outcome) {
    double count = 0;
    std::istringstream lines(gateway_->metrics());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("tollgate_attempts_total{target=\"" + target)) continue;
      if (line.find("outcome=\"" + outcome) != std::string::npos) count += std::stod(line.substr(line.rfind(' ')));
    }
    return count;
  }

  KeepAliveUpstream one_, two_, three_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::unique_ptr<RawClient> client_;
  RawSocket *first_ = nullptr, *second_ = nullptr;
};

TEST_F(Hedge, answers_by_the_second_where_the_first_is_silent_and_cuts_the_first_off) {
  for (const bool stream : {true, false}) {
    start({});
    race(stream);
    second_->send(answer_for(stream));
    const Answer got = client_->read_answer();
    expect_by(got, "b", "2", "hedge");
    EXPECT_EQ(got.body, body_for(stream));
    EXPECT_TRUE(got.complete);
    EXPECT_TRUE(first_->wait_closed());
    EXPECT_TRUE(gateway_->wait_for_log("\"target\":\"b/two\"")) << gateway_->access_log();
    EXPECT_EQ(ended("a/one", "cancelled"), 1);
    EXPECT_EQ(ended("b/two", "ok"), 1);
  }
}

TEST_F(Hedge, answers_by_the_first_where_that_is_first_all_the_same_and_cuts_the_second_off) {
  for (const bool stream : {true, false}) {
    start({});
    race(stream);
    first_->send(answer_for(stream));
    const Answer got = client_->read_answer();
    expect_by(got, "a", "2", "primary");
    EXPECT_EQ(got.body, body_for(stream));
    EXPECT_TRUE(second_->wait_closed());
    EXPECT_TRUE(gateway_->wait_for_log("\"target\":\"a/one\"")) << gateway_->access_log();
    EXPECT_NE(gateway_->access_log().find("\"credential\":\"key-a\",\"attempts\":2"), std::string::npos);
    EXPECT_EQ(ended("a/one", "ok"), 1);
    EXPECT_EQ(ended("b/two", "cancelled"), 1);
  }
}

TEST_F(Hedge, lets_the_one_go_on_alone_where_the_other_fails) {
  for (const bool stream : {true, false}) {
    for (const bool first_fails : {true, false}) {
      for (const int status : {0, 500, 429, 401}) {
        start({});
        race(stream);
        RawSocket& failing = first_fails ? *first_ : *second_;
        if (status == 0)
          failing.close_with_reset();
        else
          failing.send(failed_answer(status));
        expect_over_at(first_fails ? "a" : "b");
        (first_fails ? second_ : first_)->send(answer_for(stream));
        const Answer got = client_->read_answer();
        expect_by(got, first_fails ? "b" : "a", "2", first_fails ? "hedge" : "primary");
        EXPECT_EQ(got.body, body_for(stream));
        EXPECT_EQ(three_.accepted(), 0u);
      }
    }
  }
}

TEST_F(Hedge, leaves_the_counts_of_others_alone_when_it_is_over) {
  start({});
  race(true);
  RawSocket& open = *second_;
  open.send(stream_head + chunk(role_event + token("hello")));
  ASSERT_TRUE(eventually([this] { return target_view(*gateway_, "b/two").at("pending") == 1; }));
  RawClient other(gateway_->address());
  other.send(post("/v1/chat/completions", chat_body("auto", true)));
  RawSocket& failing = one_.connection(one_.next().connection);
  RawSocket& answering = two_.connection(two_.next().connection);
  failing.send(failed_answer(500));
  expect_over_at("a");
  answering.send(whole_stream());
  expect_by(other.read_answer(), "b", "2", "hedge");
  EXPECT_TRUE(gateway_->wait_for_log("\"target\":\"b/two\""));
  EXPECT_EQ(target_view(*gateway_, "b/two").at("pending"), 1) << "the first stream is still there";
  EXPECT_EQ(target_view(*gateway_, "a/one").at("pending"), 0);
  open.send(chunk(finish_event + done_event) + last_chunk);
  EXPECT_TRUE(client_->read_answer().complete);
  EXPECT_TRUE(eventually([this] { return target_view(*gateway_, "b/two").at("pending") == 0; }));
}

TEST_F(Hedge, ends_at_once_with_what_is_the_requests_own_fault) {
  for (const bool first_says : {true, false}) {
    start({});
    race(true);
    (first_says ? first_ : second_)->send(failed_answer(400, "no such parameter"));
    const Answer got = client_->read_answer();
    expect_by(got, first_says ? "a" : "b", "2", first_says ? "primary" : "hedge", 400);
    EXPECT_NE(got.body.find("no such parameter"), std::string::npos);
    EXPECT_TRUE((first_says ? second_ : first_)->wait_closed());
    EXPECT_EQ(three_.accepted(), 0u);
  }
}

TEST_F(Hedge, gives_the_last_answer_where_both_fail_and_no_attempt_is_left) {
  for (const bool stream : {true, false}) {
    start({.retry = "attempts: 2"});
    race(stream);
    second_->send(failed_answer(500, "of the second"));
    expect_over_at("b");
    first_->send(failed_answer(503, "of the first"));
    const Answer got = client_->read_answer();
    expect_by(got, "a", "2", "primary", 503);
    EXPECT_NE(got.body.find("of the first"), std::string::npos) << got.body;
    EXPECT_EQ(got.fields.at("x-should-retry"), "false");
  }
}

TEST_F(Hedge, asks_a_third_one_where_both_fail) {
  for (const bool stream : {true, false}) {
    for (const bool first_fails_first : {true, false}) {
      start({});
      race(stream);
      (first_fails_first ? first_ : second_)->send(failed_answer(500));
      expect_over_at(first_fails_first ? "a" : "b");
      (first_fails_first ? second_ : first_)->close();
      const auto third = three_.next();
      three_.connection(third.connection).send(answer_for(stream));
      const Answer got = client_->read_answer();
      expect_by(got, "c", "3", "retry_exhausted");
      EXPECT_EQ(got.body, body_for(stream));
    }
  }
}

TEST_F(Hedge, counts_an_attempt_that_was_cut_off_as_one) {
  start({.retry = "attempts: 2, backoff: {base: 1ms, max: 1ms}"});
  race(false);
  // Its head has won the race, and then it turns out to be no answer.
  second_->send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n");
  EXPECT_TRUE(first_->wait_closed());
  second_->send("{\"choices\":[]}");
  expect_by(client_->read_answer(), "b", "2", "hedge", 502);
}

TEST_F(Hedge, sends_nothing_of_the_one_that_is_cut_off) {
  start({});
  race(true);
  first_->send(stream_head + chunk(": of the first\n\n" + delta(R"("role":"assistant","content":"","first":1)")));
  second_->send(stream_head + chunk(role_event));
  second_->send(chunk(token("hello") + finish_event + done_event) + last_chunk);
  const Answer got = client_->read_answer();
  expect_by(got, "b", "2", "hedge");
  EXPECT_EQ(got.body, events);
  EXPECT_TRUE(first_->wait_closed());
}

TEST_F(Hedge, sends_each_its_own_request_whole_however_slowly_it_is_taken) {
  start({});
  // The model's name comes last, when the second attempt has long begun.
  const std::string text(20 * 1024 * 1024, 'x');
  const std::string before = R"({"messages":[{"role":"user","content":")" + text + R"("}],"model":")";
  client_->send(post("/v1/chat/completions", before + "auto\"}"));
  EXPECT_TRUE(two_.next().request.body == before + "two\"}");
  const auto first = one_.next();
  EXPECT_TRUE(first.request.body == before + "one\"}") << first.request.body.substr(before.size());
  one_.connection(first.connection).send(json_answer(good));
  expect_by(client_->read_answer(), "a", "2", "primary");
}

TEST_F(Hedge, holds_second_attempts_to_their_share) {
  start({.retry = "attempts: 2, on_timeout: never", .hedge = "share: 10%, after: 5ms"});
  std::vector<RawClient> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back(gateway_->address());
    clients.back().send(post("/v1/chat/completions", chat_body("auto"), "x-tollgate-timeout-ms: 1000\r\n"));
  }
  int hedged = 0;
  for (RawClient& client : clients) {
    const Answer got = client.read_answer();
    EXPECT_EQ(got.status, 504) << got.body;
    hedged += got.fields.at("x-tollgate-attempts") == "2" ? 1 : 0;
  }
  EXPECT_GE(hedged, 1);
  EXPECT_LE(hedged, 4);
}

TEST_F(Hedge, ends_both_when_the_client_leaves) {
  for (const bool stream : {true, false}) {
    start({});
    race(stream);
    client_->socket().close();
    EXPECT_TRUE(first_->wait_closed());
    EXPECT_TRUE(second_->wait_closed());
    ASSERT_TRUE(gateway_->wait_for_log("\"status\":499")) << gateway_->access_log();
    const std::string log = gateway_->access_log();
    EXPECT_EQ(count_of(log, "\n"), 1u) << log;
    EXPECT_NE(log.find("\"attempts\":2,"), std::string::npos) << log;
    EXPECT_NE(log.find("\"outcome\":\"cancelled\",\"ended_by\":\"client\""), std::string::npos) << log;
    EXPECT_EQ(ended("a/one", "cancelled"), 1);
    EXPECT_EQ(ended("b/two", "cancelled"), 1);
  }
}

TEST_F(Hedge, ends_both_when_the_deadline_is_over) {
  for (const bool stream : {true, false}) {
    start({});
    race(stream, "x-tollgate-timeout-ms: 500\r\n");
    const Answer got = client_->read_answer();
    EXPECT_EQ(got.status, 504) << got.body;
    EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "2");
    EXPECT_TRUE(first_->wait_closed());
    EXPECT_TRUE(second_->wait_closed());
    EXPECT_EQ(three_.accepted(), 0u);
  }
}

TEST_F(Hedge, shows_signs_of_life_while_both_are_silent) {
  for (const bool second_wins : {true, false}) {
    start({.server = "stream: {heartbeat: 20ms, commit_after: 100ms}"});
    race(true);
    std::string& seen = client_->rest();
    while (count_of(seen, ": hb\n\n") < 3) ASSERT_TRUE(client_->read_more());
    (second_wins ? second_ : first_)->send(whole_stream());
    const Answer got = client_->read_answer();
    EXPECT_EQ(got.status, 200);
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body.substr(got.body.rfind(": hb\n\n") + 6), events);
    EXPECT_TRUE((second_wins ? first_ : second_)->wait_closed());
  }
}

TEST_F(Hedge, goes_on_after_signs_of_life_where_one_of_them_fails) {
  start({.server = "stream: {heartbeat: 20ms, commit_after: 100ms}"});
  race(true);
  while (count_of(client_->rest(), ": hb\n\n") < 1) ASSERT_TRUE(client_->read_more());
  first_->send(failed_answer(500));
  expect_over_at("a");
  second_->send(whole_stream());
  const Answer got = client_->read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_EQ(got.body.substr(got.body.rfind(": hb\n\n") + 6), events);
}

TEST_F(Hedge, is_made_only_where_somebody_else_and_an_attempt_are_there) {
  const std::string soon = "share: 100%, after: 5ms";
  const std::vector<Keys> lacking{{.hedge = soon, .fallbacks = ""}, {.retry = "attempts: 1", .hedge = soon}};
  for (const Keys& keys : lacking) {
    start(keys);
    ask(true, "x-tollgate-timeout-ms: 400\r\n");
    const Answer got = client_->read_answer();
    EXPECT_EQ(got.status, 504) << got.body;
    EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "1");
  }
}

TEST_F(Hedge, is_not_made_beside_a_repeat) {
  start({.retry = "attempts: 4, backoff: {base: 1ms, max: 1ms}", .hedge = "share: 100%, after: 300ms"});
  ask(true, "x-tollgate-timeout-ms: 1000\r\n");
  one_.connection(one_.next().connection).send(failed_answer(500));
  one_.next();
  const Answer got = client_->read_answer();
  EXPECT_EQ(got.status, 504) << got.body;
  EXPECT_EQ(got.fields.at("x-tollgate-attempts"), "2");
  EXPECT_EQ(ended("b/two", ""), 0);
}

TEST_F(Hedge, blames_nobody_for_being_slower) {
  start({.retry = "attempts: 3", .circuit = "failures: 1, open_for: 1h, longest_open: 1h"});
  for (int i = 0; i < 6; ++i) {
    race(i % 2 == 0);
    (i < 3 ? first_ : second_)->send(answer_for(i % 2 == 0));
    EXPECT_EQ(client_->read_answer().status, 200);
    EXPECT_TRUE((i < 3 ? second_ : first_)->wait_closed());
  }
  for (const char* label : {"a/one", "b/two"}) {
    EXPECT_TRUE(eventually([&] { return target_view(*gateway_, label).at("pending") == 0; }));
    const auto view = target_view(*gateway_, label);
    EXPECT_EQ(view.at("circuit"), "closed") << view;
    EXPECT_EQ(view.at("reason"), "started") << view;
    EXPECT_EQ(view.at("openings"), 0) << view;
  }
}

}  // namespace
}  // namespace tollgate::test
