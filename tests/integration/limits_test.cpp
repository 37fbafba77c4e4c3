// Every limit of the listener: what is refused says so and names the limit, who is slow is cut, and nobody else
// notices.
#include "tollgate/simulator/server.hpp"

#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/paths.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/tollgate_process.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <vector>

namespace tollgate::test {
namespace {

using std::chrono::milliseconds;

std::string chat() { return post("/v1/chat/completions", chat_body("m")); }

/// A gateway with a simulator behind it, whose limits a test sets.
class Limited {
 public:
  explicit Limited(const std::string& server_keys) : gateway_(config_for(upstream_.start()), server_keys) {}
  GatewayUnderTest& gateway() { return gateway_; }
  simulator::Server& upstream() { return upstream_; }

  /// The answer to raw bytes on a connection of its own, which must be closed afterwards.
  Answer refusal(const std::string& bytes) {
    RawClient client(gateway_.address());
    client.send(bytes);
    Answer answer = client.read_answer();
    EXPECT_TRUE(client.socket().wait_closed()) << answer.head;
    return answer;
  }
  void expect_good() {
    RawClient client(gateway_.address());
    client.send(chat());
    EXPECT_EQ(client.read_answer().status, 200);
  }

 private:
  simulator::Server upstream_{quick_simulator(4)};
  GatewayUnderTest gateway_;
};

void expect_error(const Answer& answer, int status, const std::string& words) {
  EXPECT_EQ(answer.status, status) << answer.head;
  EXPECT_TRUE(answer.complete);
  EXPECT_NE(answer.body.find("{\"error\":{\"message\":"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find(words), std::string::npos) << answer.body;
}

// --- sizes ---

TEST(HeadLimits, refuse_what_is_too_large) {
  Limited limited("max_header: 2KiB\nmax_fields: 10\nmax_target: 100B");
  expect_error(limited.refusal(get("/health/live", "X-Large: " + std::string(3000, 'x') + "\r\n")), 431, "");
  std::string fields;
  for (int i = 0; i < 12; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  expect_error(limited.refusal(get("/health/live", fields)), 431, "");
  expect_error(limited.refusal(get("/v1/models/" + std::string(200, 'x'))), 414, "");
  // Long before its end is there: what is too large already need not be waited for.
  expect_error(limited.refusal("GET /health/live HTTP/1.1\r\nX-Endless: " + std::string(3000, 'x')), 431, "");
  expect_error(limited.refusal("GET /" + std::string(3000, 'x')), 414, "");
  limited.expect_good();
  EXPECT_TRUE(limited.gateway().wait_for_metric("tollgate_in_flight_requests", 0))
      << limited.gateway().metric("tollgate_in_flight_requests");
}

TEST(HeadLimits, allow_what_just_fits) {
  Limited limited("max_header: 2KiB\nmax_fields: 10\nmax_target: 100B");
  RawClient client(limited.gateway().address());
  const std::string bare = get("/health/live", "X: \r\n");
  client.send(get("/health/live", "X: " + std::string(2048 - bare.size(), 'x') + "\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
  std::string fields;
  for (int i = 0; i < 9; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  client.send(get("/health/live", fields));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(BodyLimit, is_named_when_it_is_passed) {
  Limited limited("max_body: 64KiB");
  const std::string large = post("/v1/chat/completions", std::string(70'000, 'x'));
  expect_error(limited.refusal(large), 413, "server.max_body");
  expect_error(limited.refusal(large.substr(0, large.find("\r\n\r\n") + 4)), 413, "65536 bytes (server.max_body)");
  std::string chunked = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 70; ++i) chunked += chunk(std::string(1000, 'x'));
  expect_error(limited.refusal(chunked), 413, "server.max_body");
  EXPECT_EQ(limited.upstream().gauges().requests_received, 0U);
  limited.expect_good();
  EXPECT_TRUE(limited.gateway().wait_for_metric("tollgate_in_flight_requests", 0));
}

TEST(BodyLimit, is_read_by_a_client_that_sends_all_of_its_body_first) {
  Limited limited("max_body: 1MiB");
  const std::string large = post("/v1/chat/completions", std::string(2'000'000, 'x'));
  for (int i = 0; i < 20; ++i) {
    RawClient client(limited.gateway().address());
    ASSERT_TRUE(client.send(large)) << "the connection broke before the body was sent, " << i;
    EXPECT_EQ(client.read_answer().status, 413) << i;
  }
}

TEST(BodyLimit, is_told_before_the_body_is_asked_for) {
  Limited limited("max_body: 64KiB");
  const Answer answer = limited.refusal(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
  expect_error(answer, 413, "server.max_body");
}

TEST(BodyLimit, asks_for_a_body_that_fits) {
  Limited limited("max_body: 64KiB");
  RawClient client(limited.gateway().address());
  const std::string body = chat_body("m");
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send(body);
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(BodyBudget, refuses_what_all_bodies_together_may_not_hold) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "max_body: 1MiB\nmax_bodies: 1MiB");
  const auto padded = [](std::size_t size) {
    return post("/v1/chat/completions", R"({"model":"m","x":")" + std::string(size, 'x') + "\"}");
  };
  // Two bodies wait with their requests for an answer: they leave room for a small one only.
  std::vector<RawClient> holders;
  std::vector<RawSocket> held;
  for (int i = 0; i < 2; ++i) {
    holders.emplace_back(gateway.address());
    holders.back().send(padded(450'000));
    held.push_back(upstream.accept());
    RawUpstream::read_request(held.back());
  }
  RawClient one_more(gateway.address());
  one_more.send(padded(450'000));
  const Answer answer = one_more.read_answer();
  expect_error(answer, 503, "server.max_bodies");
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
  const auto expect_good = [&](std::size_t size) {
    RawClient client(gateway.address());
    client.send(padded(size));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    connection.send(json_answer("{}", 200).insert(15, "\r\nConnection: close"));
    EXPECT_EQ(client.read_answer().status, 200);
  };
  expect_good(30'000);
  // What an answered request and one whose client has left held is free again.
  held[0].send(json_answer("{}"));
  EXPECT_EQ(holders[0].read_answer().status, 200);
  holders[1].socket().close();
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 0));
  held.clear();
  expect_good(900'000);
}

// --- time ---

TEST(Timers, end_a_head_that_does_not_come_to_its_end) {
  Limited limited("header_timeout: 200ms");
  expect_error(limited.refusal("GET /health/live HTTP/1.1\r\nHost: local"), 408, "too long");
  // One that never said a word is closed without one.
  RawClient silent(limited.gateway().address());
  EXPECT_EQ(silent.socket().receive(), "");
  EXPECT_TRUE(limited.gateway().wait_for_metric("tollgate_in_flight_requests", 0));
}

TEST(Timers, end_a_body_that_does_not_come_to_its_end) {
  Limited limited("body_timeout: 200ms");
  expect_error(
      limited.refusal("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"model\""),
      408, "too slowly");
  expect_error(
      limited.refusal(
          "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"mo"),
      408, "too slowly");
}

TEST(Timers, close_a_connection_at_rest_without_a_word) {
  Limited limited("keep_alive: 200ms");
  RawClient client(limited.gateway().address());
  client.send(get("/health/live"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.socket().receive(), "");
}

TEST(Timers, cut_a_client_that_takes_nothing_and_its_upstream) {
  for (const bool stream : {true, false}) {
    RawUpstream upstream;
    GatewayUnderTest gateway(config_for(upstream.port()), "write_timeout: 300ms");
    RawClient client(gateway.address());
    client.socket().set_receive_buffer(16 * 1024);
    client.send(post("/v1/chat/completions", chat_body("m", stream)));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    connection.send(stream ? stream_head
                           : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string much = chunk(token(std::string(1024 * 1024, 'x')));
    int sent = 0;
    while (sent < 256 && connection.send(much)) ++sent;
    EXPECT_LT(sent, 256);
    EXPECT_TRUE(client.socket().wait_closed());
    EXPECT_TRUE(gateway.wait_for_log("\"outcome\":\"cancelled\",\"ended_by\":\"client\"")) << gateway.access_log();
    EXPECT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 0));
  }
}

// --- numbers ---

TEST(SlowClients, do_not_disturb_a_good_one) {
  constexpr int slow = 200, good_requests = 300;
  Limited limited("header_timeout: 3s\nbody_timeout: 3s");
  std::vector<RawClient> loris;
  for (int i = 0; i < slow; ++i) {
    loris.emplace_back(limited.gateway().address());
    loris.back().send(i % 2 == 0
                          ? "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A"
                          : "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{");
  }
  RawClient good(limited.gateway().address());
  for (int i = 0; i < good_requests; ++i) {
    for (RawClient& each : loris) each.socket().send(i % 100 == 99 ? "-" : "");
    good.send(chat());
    ASSERT_EQ(good.read_answer().status, 200) << "request " << i;
  }
  int refused = 0;
  for (RawClient& each : loris) refused += each.read_answer().status == 408;
  EXPECT_EQ(refused, slow);
  EXPECT_TRUE(limited.gateway().wait_for_metric("tollgate_in_flight_requests", 0));
}

TEST(ConnectionLimit, closes_what_is_too_much_and_takes_new_ones_when_there_is_room) {
  Limited limited("max_connections: 3");
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(limited.gateway().address());
    clients.back().send(get("/health/live"));
    EXPECT_EQ(clients.back().read_answer().status, 200);
  }
  RawClient too_much(limited.gateway().address());
  EXPECT_TRUE(too_much.socket().wait_closed());
  RawClient admin(limited.gateway().admin_address());  // operators are not counted
  admin.send(get("/health/live"));
  EXPECT_EQ(admin.read_answer().status, 200);
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    RawClient next(limited.gateway().address());
    next.send(get("/health/live", "Connection: close\r\n"));
    return next.read_answer().status == 200;
  }));
}

TEST(Descriptors, that_run_out_cost_neither_the_processor_nor_the_recovery) {
  simulator::Server upstream(quick_simulator(4));
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.start()));
  RawClient early(gateway.address());
  early.send(get("/health/live"));
  EXPECT_EQ(early.read_answer().status, 200);
  gateway.limit_descriptors(gateway.open_descriptors() + 10);
  std::vector<RawClient> many;
  for (int i = 0; i < 100; ++i) {
    many.emplace_back(gateway.address());
    many.back().send(get("/health/live"));
  }
  EXPECT_TRUE(gateway.wait_for_log("\"event\":\"out_of_descriptors\"")) << gateway.log();
  const double before = gateway.cpu_seconds();
  EXPECT_FALSE(
      early.socket().receive(milliseconds(1000)));  // a second in which nothing happens to those that are served
  const double spent = gateway.cpu_seconds() - before;
  std::cout << "out of descriptors: " << spent * 100 << " % of a core\n";
  RecordProperty("cpu_percent", std::to_string(spent * 100));
  EXPECT_LT(spent, 0.3);
  early.send(get("/health/live"));
  EXPECT_EQ(early.read_answer().status, 200);
  RawClient admin(gateway.admin_address());  // the last descriptors are for operators
  admin.send(get("/health/live"));
  EXPECT_EQ(admin.read_answer().status, 200);

  many.clear();
  EXPECT_TRUE(eventually([&] {  // the hundred closes have to be seen first
    RawClient late(gateway.address());
    late.send(chat());
    return late.read_answer().status == 200;
  })) << gateway.log();
}

TEST(Descriptors, that_run_out_for_an_upstream_connection_are_an_answer) {
  simulator::Server upstream(quick_simulator(4));
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.start(), "pool: {idle: 10ms}"));
  RawClient client(gateway.address());
  client.send(chat());  // a sanitizer needs descriptors of its own where it has not been before
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(upstream.wait_until([&] { return upstream.open_connections() == 0; }));
  gateway.limit_descriptors(gateway.open_descriptors() + 10);
  // Fills every number that is free, and not one more, so that nobody waits who would take the next one.
  std::vector<RawClient> fill;
  for (bool full = false; !full;) {
    fill.emplace_back(gateway.address());
    fill.back().send(get("/health/live"));
    full = fill.back().read_answer().status == 0;
  }
  client.send(chat());
  const Answer answer = client.read_answer();
  expect_error(answer, 503, "open files");
  EXPECT_TRUE(answer.fields.contains("retry-after")) << answer.head << gateway.log();
  fill.clear();
  EXPECT_TRUE(eventually([&] {
    client.send(chat());
    return client.read_answer().status == 200;
  }));
}

}  // namespace
}  // namespace tollgate::test
