// A client that leaves must not keep a provider generating: whatever the request waits for, the upstream's socket is
// closed at once, and nothing of the request is left. The time is taken on the upstream's side: from the client's close
// to the end of its recv.
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/silent_address.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <future>
#include <iostream>

namespace tollgate::test {
namespace {

using Clock = std::chrono::steady_clock;

enum class Leave { by_fin, by_rst, by_half_close };

void leave(RawClient& client, Leave how) {
  if (how == Leave::by_fin) client.socket().close();
  if (how == Leave::by_rst) client.socket().close_with_reset();
  if (how == Leave::by_half_close) client.socket().shutdown_send();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::string requests_series(const std::string& outcome, bool stream) {
  return "tollgate_requests_total{tenant=\"default\",route=\"none\",task=\"none\",model=\"m\",outcome=\"" + outcome +
         "\",stream=\"" + (stream ? "true" : "false") + "\"}";
}

/// Nothing of any request is left in the gateway.
void expect_at_rest(const GatewayUnderTest& gateway) {
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 0))
      << gateway.metric("tollgate_in_flight_requests");
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_streams_active", 0)) << gateway.metric("tollgate_streams_active");
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_upstream_connections{provider=\"up\",state=\"active\"}", 0));
}

class Times {
 public:
  void add(Clock::duration time) {
    micros_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  }

  /// The bound is the product's promise; its tail is left to a machine that is busy with other things.
  void expect_prompt(const std::string& what) {
    std::sort(micros_.begin(), micros_.end());
    const auto at = [&](double share) {
      return micros_[static_cast<std::size_t>(share * static_cast<double>(micros_.size() - 1))];
    };
    std::cout << what << ": upstream closed after (us) min " << at(0) << ", median " << at(0.5) << ", p95 " << at(0.95)
              << ", p99 " << at(0.99) << ", max " << at(1) << " of " << micros_.size() << "\n";
    testing::Test::RecordProperty(what + "_median_us", std::to_string(at(0.5)));
    testing::Test::RecordProperty(what + "_max_us", std::to_string(at(1)));
    EXPECT_LT(at(0.95), 100'000) << what;
    EXPECT_LT(at(1), 1'000'000) << what;
  }

 private:
  std::vector<std::int64_t> micros_;
};

/// What the upstream has said by the time the client leaves.
struct Phase {
  std::string name;
  bool stream = true;
  std::string said_upstream;
  std::string seen_by_client;  ///< what the client waits for before it leaves; empty: it has been sent nothing
};

class ClientLeft : public testing::Test {
 protected:
  void leave_once(const Phase& phase, Leave how, Times& times) {
    RawClient client(gateway_.address());
    client.send(post("/v1/chat/completions", chat_body("m", phase.stream)));
    RawSocket connection = upstream_.accept();
    RawUpstream::read_request(connection);
    if (!phase.said_upstream.empty()) connection.send(phase.said_upstream);
    std::string seen;
    if (!phase.seen_by_client.empty()) {
      ASSERT_TRUE(client.socket().receive_until(seen, phase.seen_by_client));
    }
    const auto left_at = Clock::now();
    leave(client, how);
    ASSERT_TRUE(connection.wait_closed()) << phase.name;
    times.add(Clock::now() - left_at);
  }

  void leave_often(const Phase& phase) {
    constexpr int rounds = 200;
    Times warm_up, times;
    leave_once(phase, Leave::by_fin, warm_up);
    expect_at_rest(gateway_);
    const std::size_t descriptors = open_descriptors();
    for (const Leave how : {Leave::by_fin, Leave::by_rst})
      for (int i = 0; i < rounds; ++i) ASSERT_NO_FATAL_FAILURE(leave_once(phase, how, times));
    times.expect_prompt(phase.name);
    EXPECT_TRUE(gateway_.wait_for_metric(requests_series("cancelled", phase.stream), 2 * rounds + 1))
        << gateway_.metric(requests_series("cancelled", phase.stream));
    expect_at_rest(gateway_);
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }))
        << open_descriptors() << " instead of " << descriptors;
  }

  RawUpstream upstream_;
  GatewayUnderTest gateway_{config_for(upstream_.port())};
};

TEST_F(ClientLeft, before_the_upstreams_head_closes_the_upstream) { leave_often({"before_head", true, "", ""}); }

TEST_F(ClientLeft, waiting_for_the_first_token_closes_the_upstream) {
  leave_often({"first_token", true, stream_head + chunk(role_event), ""});
}

TEST_F(ClientLeft, in_mid_stream_closes_the_upstream) {
  leave_often({"mid_stream", true, stream_head + chunk(role_event + token("one")), "one"});
}

TEST_F(ClientLeft, of_a_call_without_a_stream_closes_the_upstream) { leave_often({"json", false, "", ""}); }

TEST_F(ClientLeft, in_the_middle_of_a_json_answer_closes_the_upstream) {
  leave_often({"json_mid_body", false,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"id\":", ""});
}

TEST_F(ClientLeft, by_half_a_close_closes_the_upstream) {
  Times times;
  for (int i = 0; i < 20; ++i)
    ASSERT_NO_FATAL_FAILURE(
        leave_once({"half_close", true, stream_head + chunk(token("one")), "one"}, Leave::by_half_close, times));
  times.expect_prompt("half_close");
  expect_at_rest(gateway_);
}

TEST_F(ClientLeft, is_logged_with_the_phase_it_left_in) {
  Times times;
  leave_once({"", true, "", ""}, Leave::by_fin, times);
  EXPECT_TRUE(gateway_.wait_for_log("\"outcome\":\"cancelled\",\"ended_by\":\"client\",\"phase\":\"first_byte\""))
      << gateway_.access_log();
  EXPECT_TRUE(gateway_.wait_for_log("\"status\":499"));
}

TEST_F(ClientLeft, after_the_last_event_is_no_cancel) {
  RawClient client(gateway_.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream_.accept();
  RawUpstream::read_request(connection);
  connection.send(stream_head + chunk(token("one") + finish_event + done_event) + last_chunk);
  std::string seen;
  ASSERT_TRUE(client.socket().receive_until(seen, "[DONE]"));
  client.socket().close();
  EXPECT_TRUE(gateway_.wait_for_metric(requests_series("ok", true), 1));
  expect_at_rest(gateway_);
}

TEST_F(ClientLeft, while_it_sends_the_body_ends_the_request) {
  RawClient client(gateway_.address());
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"model\"");
  EXPECT_TRUE(gateway_.wait_for_metric("tollgate_in_flight_requests", 1));
  client.socket().close();
  expect_at_rest(gateway_);
  EXPECT_TRUE(gateway_.wait_for_log("\"outcome\":\"cancelled\",\"ended_by\":\"client\",\"phase\":\"body\""))
      << gateway_.access_log();
}

TEST_F(ClientLeft, while_the_body_goes_upstream_closes_the_upstream) {
  const std::string body = R"({"model":"m","input":")" + std::string(20 * 1024 * 1024, 'x') + "\"}";
  Times times;
  for (const Leave how : {Leave::by_fin, Leave::by_rst}) {
    RawClient client(gateway_.address());
    ASSERT_TRUE(client.send(post("/v1/embeddings", body)));
    RawSocket connection = upstream_.accept();
    ASSERT_TRUE(connection.receive());  // the rest is not read
    const auto left_at = Clock::now();
    leave(client, how);
    ASSERT_TRUE(connection.wait_hang_up());
    times.add(Clock::now() - left_at);
  }
  times.expect_prompt("body_upstream");
  EXPECT_TRUE(gateway_.wait_for_metric(requests_series("cancelled", false), 2));
  EXPECT_TRUE(gateway_.wait_for_log("\"phase\":\"send\"")) << gateway_.access_log();
  expect_at_rest(gateway_);
}

/// Sends a request that gets stuck before the upstream has seen it, leaves, and waits for its line in the log.
void leave_while_stuck(const GatewayUnderTest& gateway, const std::string& phase) {
  const std::size_t descriptors = open_descriptors();
  for (const Leave how : {Leave::by_fin, Leave::by_rst}) {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m", true)));
    ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 1));
    leave(client, how);
    ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 0));
  }
  EXPECT_TRUE(gateway.wait_for_metric(requests_series("cancelled", true), 2));
  EXPECT_TRUE(gateway.wait_for_log("\"phase\":\"" + phase + "\"")) << gateway.access_log();
  expect_at_rest(gateway);
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }))
      << open_descriptors() << " instead of " << descriptors;
}

TEST(ClientLeftEarly, while_connecting_closes_the_attempt) {
  const SilentAddress silent;
  GatewayUnderTest gateway(config_for(silent.port(), "timeouts: {connect: 1m}"));
  leave_while_stuck(gateway, "connect");
}

TEST(ClientLeftEarly, while_the_name_is_looked_up_ends_the_request) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  const io::Lookup silent = [ended](const std::string&) -> Result<io::Addresses> {
    ended.wait();
    return Failure{FailureKind::upstream_error, Source::upstream, "too late"};
  };
  GatewayUnderTest gateway(
      "providers:\n  up: {base_url: \"http://silent.test/v1\", timeouts: {connect: 1m}}\nmodels:\n  m: {provider: "
      "up}\n",
      {}, silent);
  leave_while_stuck(gateway, "connect");
  end.set_value();
}

void leave_while_queued(Leave how) {
  RawUpstream upstream;
  // One connection per event loop; clients go to the two loops in turn.
  GatewayUnderTest gateway(config_for(upstream.port(), "pool: {max_connections: 2}"));
  RawClient holders[] = {RawClient(gateway.address()), RawClient(gateway.address())};
  RawSocket held[2];
  for (int i = 0; i < 2; ++i) {
    holders[i].send(post("/v1/chat/completions", chat_body("m")));
    held[i] = upstream.accept();
    RawUpstream::read_request(held[i]);
  }
  RawClient leaves(gateway.address()), other(gateway.address()), stays(gateway.address());
  const auto queued = [](const std::string& text) {
    return post("/v1/chat/completions", R"({"model":"m","messages":[],"user":")" + text + "\"}");
  };
  leaves.send(queued("leaves"));
  ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 3));
  stays.send(queued("stays"));
  ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 4));
  leave(leaves, how);
  EXPECT_TRUE(gateway.wait_for_log("\"phase\":\"queue\"")) << gateway.access_log();

  held[0].send(json_answer("{}"));
  EXPECT_EQ(holders[0].read_answer().status, 200);
  const UpstreamRequest next = RawUpstream::read_request(held[0]);
  EXPECT_NE(next.body.find("stays"), std::string::npos) << next.body;
  held[0].send(json_answer("{}"));
  EXPECT_EQ(stays.read_answer().status, 200);
  held[1].send(json_answer("{}"));
  EXPECT_EQ(holders[1].read_answer().status, 200);
  EXPECT_TRUE(gateway.wait_for_metric(requests_series("cancelled", false), 1));
  expect_at_rest(gateway);
  // Nor was anything sent for it elsewhere.
  for (RawSocket& connection : held) EXPECT_FALSE(connection.receive(std::chrono::milliseconds(0)).has_value());
  EXPECT_FALSE(upstream.accept(std::chrono::milliseconds(0)).is_open());
}

TEST(ClientLeftEarly, while_queued_gives_its_place_up) {
  for (const Leave how : {Leave::by_fin, Leave::by_rst, Leave::by_half_close}) leave_while_queued(how);
}

TEST(ClientLeftEarly, before_the_next_attempt_asks_nobody_any_more) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway("defaults: {retry: {attempts: 3, backoff: {base: 1ms, max: 1m}}}\n" +
                           config_for(upstream.port()));
  const std::string busy = json_answer(R"({"error":{"message":"busy"}})", 503);
  const std::string back_later = std::string(busy).insert(busy.find("\r\n") + 2, "Retry-After: 30\r\n");
  double left = 0;
  for (const bool stream : {false, true}) {
    for (const Leave how : {Leave::by_fin, Leave::by_rst, Leave::by_half_close}) {
      RawClient client(gateway.address());
      client.send(post("/v1/chat/completions", chat_body("m", stream)));
      upstream.connection(upstream.next().connection).send(back_later);
      // Its attempt is over once the connection is back in the pool.
      ASSERT_TRUE(gateway.wait_for_metric("tollgate_upstream_connections{provider=\"up\",state=\"idle\"}",
                                          static_cast<double>(upstream.accepted())));
      EXPECT_EQ(gateway.metric("tollgate_in_flight_requests"), 1);
      leave(client, how);
      expect_at_rest(gateway);
      ++left;
      EXPECT_TRUE(gateway.wait_for_metric(requests_series("cancelled", stream), stream ? left - 3 : left));
    }
  }
  EXPECT_TRUE(
      gateway.wait_for_log("\"status\":499,\"outcome\":\"cancelled\",\"ended_by\":\"client\",\"phase\":\"queue\""))
      << gateway.access_log();
  for (std::size_t i = 0; i < upstream.accepted(); ++i)
    EXPECT_FALSE(upstream.connection(i).receive(std::chrono::milliseconds(0)).has_value()) << "asked again";

  // What the upstream sees next is somebody else's first attempt.
  RawClient stays(gateway.address());
  stays.send(post("/v1/chat/completions", R"({"model":"m","messages":[],"user":"stays"})"));
  const KeepAliveUpstream::Call next = upstream.next();
  EXPECT_NE(next.request.body.find("stays"), std::string::npos) << next.request.body;
  upstream.connection(next.connection).send(json_answer("{}"));
  EXPECT_EQ(stays.read_answer().fields.at("x-tollgate-attempts"), "1");
}

}  // namespace
}  // namespace tollgate::test
