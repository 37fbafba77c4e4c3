// Connections to providers: used again while they live, never twice for one request once an answer has begun, found by
// every address.
#include "tollgate/simulator/server.hpp"

#include "pool_parts.hpp"
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <thread>

namespace tollgate::test {
namespace {

// --- stale connections ---

/// A gateway with one pooled connection, number 0, on the loop of `client`.
class StaleConnection : public testing::Test {
 protected:
  StaleConnection() {
    client_.send(request("warm-up"));
    answer(upstream_.next());
    EXPECT_EQ(client_.read_answer().status, 200);
  }
  void answer(const KeepAliveUpstream::Call& call) { upstream_.connection(call.connection).send(json_answer("{}")); }
  /// Whatever came before, the next thing upstream is this new request: nothing was sent twice.
  void expect_next_is(const std::string& mark) {
    client_.send(request(mark));
    const auto call = upstream_.next();
    EXPECT_TRUE(carries(call.request, mark)) << call.request.body;
    answer(call);
    EXPECT_EQ(client_.read_answer().status, 200);
  }

  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_{config_for(upstream_.port(), "pool: {idle: 1m}")};
  RawClient client_{gateway_.address()};
};

TEST_F(StaleConnection, that_ends_without_an_answer_costs_one_replay) {
  client_.send(request("two"));
  const auto first = upstream_.next();
  EXPECT_EQ(first.connection, 0U);
  upstream_.connection(0).close();
  const auto again = upstream_.next();
  EXPECT_EQ(again.connection, 1U);
  EXPECT_EQ(again.request.body, first.request.body);
  EXPECT_EQ(again.request.field("x-client-request-id"), first.request.field("x-client-request-id"));
  answer(again);
  EXPECT_EQ(client_.read_answer().status, 200);
  EXPECT_TRUE(gateway_.wait_for_log("\"reused\":false,\"replayed\":true")) << gateway_.access_log();
}

TEST_F(StaleConnection, that_is_reset_costs_one_replay) {
  client_.send(request("two"));
  upstream_.next();
  upstream_.connection(0).close_with_reset();
  const auto again = upstream_.next();
  EXPECT_EQ(again.connection, 1U);
  EXPECT_TRUE(carries(again.request, "two"));
  answer(again);
  EXPECT_EQ(client_.read_answer().status, 200);
}

TEST_F(StaleConnection, that_fails_while_it_is_written_to_costs_one_replay) {
  constexpr std::size_t more_than_the_kernel_takes = 40'000'000;
  GatewayUnderTest gateway(config_for(upstream_.port(), "pool: {idle: 1m}"), "max_body: 64MiB");
  RawClient client(gateway.address());
  client.send(request("warm-up"));
  const auto warm_up = upstream_.next();
  answer(warm_up);
  EXPECT_EQ(client.read_answer().status, 200);
  client.send(request("two", more_than_the_kernel_takes));
  RawSocket& stale = upstream_.connection(warm_up.connection);
  ASSERT_TRUE(stale.receive());
  stale.close_with_reset();  // in the middle of the gateway's write
  const auto again = upstream_.next();
  EXPECT_NE(again.connection, warm_up.connection);
  EXPECT_TRUE(carries(again.request, "two"));
  answer(again);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(StaleConnection, is_replayed_once_and_not_again) {
  client_.send(request("two"));
  upstream_.next();
  upstream_.connection(0).close();
  EXPECT_EQ(upstream_.next().connection, 1U);
  upstream_.connection(1).close();
  const Answer answer = client_.read_answer();
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(error_code(answer), "upstream_error");
  expect_next_is("three");
}

TEST_F(StaleConnection, is_not_replayed_after_a_byte_of_the_answer) {
  client_.send(request("two"));
  upstream_.next();
  upstream_.connection(0).send("H");
  upstream_.connection(0).close();
  EXPECT_EQ(client_.read_answer().status, 502);
  expect_next_is("three");
}

TEST_F(StaleConnection, is_not_replayed_when_it_is_only_slow) {
  GatewayUnderTest gateway(config_for(upstream_.port(), "pool: {idle: 1m}\ntimeouts: {idle: 200ms, attempt: 300ms}"));
  RawClient client(gateway.address());
  client.send(request("warm-up"));
  answer(upstream_.next());
  EXPECT_EQ(client.read_answer().status, 200);
  client.send(request("two"));
  upstream_.next();
  EXPECT_EQ(client.read_answer().status, 504);
  client.send(request("three"));
  EXPECT_TRUE(carries(upstream_.next().request, "three"));
}

TEST(FreshConnection, that_dies_is_not_replayed) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  for (const std::string mark : {"one", "two", "three"}) {
    client.send(request(mark));
    const auto call = upstream.next();
    EXPECT_TRUE(carries(call.request, mark)) << call.request.body;
    upstream.connection(call.connection).close();
    EXPECT_EQ(client.read_answer().status, 502);
  }
  EXPECT_EQ(upstream.accepted(), 3U);
}

TEST(Pool, survives_an_upstream_that_closes_idle_connections_at_the_worst_moment) {
  constexpr int clients = 4, requests = 2500;
  simulator::Options closing;
  closing.close_after_requests = 3;  // at once behind an answer: the next request is often on its way by then
  simulator::Server upstream(quick_simulator(1), closing);
  GatewayUnderTest gateway(config_for(upstream.start()));
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i)
    threads.emplace_back([&] {
      RawClient client(gateway.address());
      for (int n = 0; n < requests; ++n) {
        client.send(post("/v1/chat/completions", chat_body("m")));
        const Answer answer = client.read_answer();
        if (answer.status == 200) ++good;
        if (answer.status != 200) ADD_FAILURE() << answer.head << answer.body;
        if (!answer.complete) return;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, clients * requests);
  // The log's writer is a moment behind.
  const std::string log = gateway.access_log();
  std::size_t replayed = 0;
  for (std::size_t at = 0; (at = log.find("\"replayed\":true", at)) != std::string::npos; ++at) ++replayed;
  std::cout << good << " of " << clients * requests << " answered; upstream connections "
            << upstream.gauges().connections_accepted << ", replays " << replayed << "\n";
}

// --- use again ---

TEST(Pool, carries_twenty_requests_on_one_connection) {
  simulator::Server upstream(quick_simulator(8));
  GatewayUnderTest gateway(config_for(upstream.start()));
  RawClient client(gateway.address());
  for (int i = 0; i < 20; ++i) {
    client.send(post("/v1/chat/completions", chat_body("m")));
    EXPECT_EQ(client.read_answer().status, 200);
  }
  EXPECT_EQ(upstream.gauges().connections_accepted, 1U);
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_upstream_connections{provider=\"up\",state=\"idle\"}", 1));
}

TEST(Pool, takes_the_connection_of_a_stream_back) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  for (int i = 0; i < 5; ++i) {
    client.send(post("/v1/chat/completions", chat_body("m", true)));
    const auto call = upstream.next();
    EXPECT_EQ(call.connection, 0U);
    upstream.connection(call.connection)
        .send(stream_head + chunk(token("one") + finish_event + done_event) + last_chunk);
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

TEST(Pool, takes_the_connection_of_a_stream_back_when_its_framing_ends_later) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  upstream.next();
  upstream.connection(0).send(stream_head + chunk(token("one") + finish_event + done_event));
  EXPECT_TRUE(client.read_answer().complete);  // the end of the framing is not waited for
  upstream.connection(0).send(last_chunk);
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_upstream_connections{provider=\"up\",state=\"idle\"}", 1));
  client.send(request("two"));
  EXPECT_EQ(upstream.next().connection, 0U);
}

TEST(Pool, without_idle_time_opens_a_connection_for_each_request) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "pool: {idle: 0s}"));
  RawClient client(gateway.address());
  for (std::size_t i = 0; i < 3; ++i) {
    client.send(request("any"));
    const auto call = upstream.next();
    EXPECT_EQ(call.connection, i);
    upstream.connection(call.connection).send(json_answer("{}"));
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

TEST(Pool, closes_a_connection_that_was_idle_too_long) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "pool: {idle: 50ms}"));
  RawClient client(gateway.address());
  client.send(request("one"));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(connection.wait_closed());
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_upstream_connections{provider=\"up\",state=\"idle\"}", 0));
}

TEST(Pool, does_not_use_a_connection_again_that_the_upstream_wants_closed) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  for (const std::string head :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"}) {
    client.send(request("any"));
    const auto call = upstream.next();
    EXPECT_EQ(call.connection + 1, upstream.accepted()) << "an old connection before " << head;
    upstream.connection(call.connection).send(head + "{}");
    if (head.find("Length") == std::string::npos) upstream.connection(call.connection).close();
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{}");
  }
  EXPECT_EQ(upstream.accepted(), 3U);
}

TEST(Pool, does_not_use_a_connection_again_on_which_more_came_than_an_answer) {
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  const std::string stray = json_answer("{\"stray\":true}");
  client.send(request("one"));
  upstream.next();
  upstream.connection(0).send(json_answer("{}") + stray);
  EXPECT_EQ(client.read_answer().body, "{}");
  client.send(request("two"));
  const auto call = upstream.next();
  EXPECT_EQ(call.connection, 1U);
  upstream.connection(1).send(json_answer("{\"two\":true}"));
  EXPECT_EQ(client.read_answer().body, "{\"two\":true}");
  // And what comes while the connection is idle is nobody's answer either.
  upstream.connection(1).send(stray);
  EXPECT_TRUE(upstream.connection(1).wait_closed());
  client.send(request("three"));
  EXPECT_EQ(upstream.next().connection, 2U);
  upstream.connection(2).send(json_answer("{\"three\":true}"));
  EXPECT_EQ(client.read_answer().body, "{\"three\":true}");
}

TEST(Pool, answers_ten_thousand_requests_on_one_client_connection) {
  constexpr int requests = 10'000;
  simulator::Server upstream(quick_simulator(1));
  GatewayUnderTest gateway(config_for(upstream.start()));
  RawClient client(gateway.address());
  for (int i = 0; i < requests; ++i) {
    ASSERT_TRUE(client.send(post("/v1/chat/completions", chat_body("m"))));
    const Answer answer = client.read_answer();
    ASSERT_EQ(answer.status, 200) << "request " << i;
    ASSERT_TRUE(answer.complete);
  }
  EXPECT_LE(upstream.gauges().connections_accepted, 2U);
}

// --- a full pool ---

TEST(Pool, queues_what_it_has_no_connection_for) {
  constexpr int clients = 12, rounds = 20;
  simulator::Server upstream(quick_simulator(1, Millis(2)));
  GatewayUnderTest gateway(config_for(upstream.start(), "pool: {max_connections: 2}"));
  std::vector<RawClient> all;
  for (int i = 0; i < clients; ++i) all.emplace_back(gateway.address());
  for (int round = 0; round < rounds; ++round) {
    for (RawClient& client : all) client.send(post("/v1/chat/completions", chat_body("m")));
    for (RawClient& client : all) EXPECT_EQ(client.read_answer().status, 200);
  }
  EXPECT_LE(upstream.gauges().connections_accepted, 2U);
}

TEST(Pool, queues_for_as_long_as_a_connection_may_take) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "pool: {max_connections: 2}\ntimeouts: {connect: 300ms}"));
  RawClient holders[] = {RawClient(gateway.address()), RawClient(gateway.address())};
  RawSocket held[2];
  for (int i = 0; i < 2; ++i) {
    holders[i].send(request("holds"));
    held[i] = upstream.accept();
    RawUpstream::read_request(held[i]);
  }
  RawClient waits(gateway.address());
  waits.send(request("waits"));
  const Answer answer = waits.read_answer();
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(error_code(answer), "upstream_timeout");
  EXPECT_NE(answer.body.find("phase: queue"), std::string::npos) << answer.body;
  for (int i = 0; i < 2; ++i) {
    held[i].send(json_answer("{}"));
    EXPECT_EQ(holders[i].read_answer().status, 200);
  }
  waits.send(request("again"));
  EXPECT_TRUE(carries(RawUpstream::read_request(held[0]), "again"));
}

}  // namespace
}  // namespace tollgate::test
