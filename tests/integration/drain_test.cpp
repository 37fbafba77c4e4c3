// Going down: readiness first, then no new connections, then the requests in flight get their time, and at its end
// every stream is told.
#include "tollgate/simulator/server.hpp"

#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/tollgate_process.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <iostream>
#include <vector>

namespace tollgate::test {
namespace {

std::string chat(const std::string& model, bool stream = false) {
  return post("/v1/chat/completions", chat_body(model, stream));
}

bool accepts(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const RawSocket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

int ready_status(const std::string& address) {
  RawClient client(address);
  client.send(get("/health/ready", "Connection: close\r\n"));
  return client.read_answer().status;
}

/// A stream that has begun and goes on until the test ends it.
struct OpenStream {
  RawClient client;
  RawSocket connection;
  std::string seen{};

  OpenStream(const std::string& address, RawUpstream& upstream) : client(address) {
    client.send(chat("m", true));
    connection = upstream.accept();
    RawUpstream::read_request(connection);
    connection.send(stream_head + chunk(role_event + token("begun")));
    EXPECT_TRUE(client.socket().receive_until(seen, "begun"));
  }
  void finish() {
    connection.send(chunk(token("ended") + finish_event + done_event) + last_chunk);
    EXPECT_TRUE(client.socket().receive_until(seen, "[DONE]")) << seen;
  }
};

TEST(Drain, lets_two_hundred_streams_finish) {
  constexpr int streams = 200;
  simulator::Server upstream(quick_simulator(20, Millis(0), 10));
  GatewayUnderTest gateway(config_for(upstream.start()), "drain: {delay: 500ms, limit: 1m}");
  std::vector<RawClient> clients;
  for (int i = 0; i < streams; ++i) {
    clients.emplace_back(gateway.address());
    clients.back().send(chat("up/sim,tokens=20", true));
  }
  ASSERT_TRUE(upstream.wait_until([&] { return upstream.gauges().requests_active == streams; }));

  gateway.gateway().request_stop();
  // Ready no more, but still there for whoever has not noticed.
  EXPECT_TRUE(eventually([&] { return ready_status(gateway.admin_address()) == 503; }));
  EXPECT_EQ(ready_status(gateway.address()), 503);
  RawClient late(gateway.address());
  late.send(chat("up/sim,tokens=1,rate=0"));
  EXPECT_EQ(late.read_answer().status, 200);
  EXPECT_TRUE(eventually([&] { return !accepts(gateway.address()); }));

  int whole = 0;
  for (RawClient& client : clients) {
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete);
    if (answer.body.ends_with("data: [DONE]\n\n")) ++whole;
  }
  EXPECT_EQ(whole, streams);
  EXPECT_EQ(gateway.join(), 0);
  std::cout << whole << " of " << streams << " streams whole\n";
}

TEST(Drain, says_ready_503_on_every_plane_at_once) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "drain: {delay: 1m, limit: 1m}");
  for (const std::string& address : {gateway.address(), gateway.admin_address(), gateway.metrics_address()})
    EXPECT_TRUE(eventually([&] { return ready_status(address) == 200; })) << address;
  gateway.gateway().request_stop();
  for (const std::string& address : {gateway.address(), gateway.admin_address(), gateway.metrics_address()})
    EXPECT_TRUE(eventually([&] { return ready_status(address) == 503; })) << address;
  RawClient client(gateway.address());
  client.send(get("/health/live"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Drain, ends_streams_with_an_error_event_at_the_limit) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "drain: {delay: 0s, limit: 200ms}");
  OpenStream stream(gateway.address(), upstream);
  RawClient waits(gateway.address());
  waits.send(chat("m"));
  RawSocket unanswered = upstream.accept();
  RawUpstream::read_request(unanswered);

  gateway.gateway().request_stop();
  stream.seen += stream.client.socket().receive_to_end();
  EXPECT_NE(stream.seen.find("data: {\"error\":{"), std::string::npos) << stream.seen;
  EXPECT_NE(stream.seen.find("shutting down"), std::string::npos) << stream.seen;
  EXPECT_EQ(stream.seen.find("[DONE]"), std::string::npos) << stream.seen;
  EXPECT_TRUE(stream.seen.ends_with("0\r\n\r\n")) << stream.seen;
  const Answer answer = waits.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.fields.contains("retry-after")) << answer.head;
  EXPECT_TRUE(stream.connection.wait_closed());
  EXPECT_TRUE(unanswered.wait_closed());
  EXPECT_EQ(gateway.join(), 0);
  EXPECT_NE(gateway.access_log().find("\"outcome\":\"truncated\""), std::string::npos) << gateway.access_log();
}

TEST(Drain, ends_an_event_that_was_sent_in_part_before_the_error_event) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "drain: {delay: 0s, limit: 200ms}");
  OpenStream stream(gateway.address(), upstream);
  stream.connection.send(chunk("data: {\"part\":\"" + std::string(100'000, 'x') + "tail"));
  ASSERT_TRUE(stream.client.socket().receive_until(stream.seen, "tail"));
  gateway.gateway().request_stop();
  stream.seen += stream.client.socket().receive_to_end();
  const std::size_t error = stream.seen.find("data: {\"error\":{");
  ASSERT_NE(error, std::string::npos) << stream.seen.substr(stream.seen.size() - 200);
  EXPECT_NE(stream.seen.rfind("\n\n", error), std::string::npos);
  EXPECT_GT(stream.seen.rfind("\n\n", error), stream.seen.find("tail"));
  EXPECT_EQ(gateway.join(), 0);
}

TEST(Drain, closes_idle_connections_at_once_and_the_others_after_their_answer) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "drain: {delay: 0s, limit: 1m}");
  OpenStream stream(gateway.address(), upstream);
  RawClient idle(gateway.address()), fresh(gateway.address()), busy(gateway.address());
  idle.send(get("/health/live"));
  EXPECT_EQ(idle.read_answer().status, 200);
  busy.send(chat("m"));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);

  gateway.gateway().request_stop();
  EXPECT_TRUE(idle.socket().wait_closed());
  EXPECT_TRUE(fresh.socket().wait_closed());
  connection.send(json_answer("{}"));
  const Answer answer = busy.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(busy.socket().wait_closed());
  stream.finish();
  EXPECT_TRUE(stream.client.socket().wait_closed());
  EXPECT_EQ(gateway.join(), 0);
}

TEST(Drain, takes_a_request_whose_head_had_begun) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "drain: {delay: 0s, limit: 1m}");
  RawClient client(gateway.address()), idle(gateway.address());
  const std::string request = chat("m");
  client.send(request.substr(0, 20));
  idle.send(get("/health/live"));
  EXPECT_EQ(idle.read_answer().status, 200);  // so the loops have had their turn
  RawClient same_loop(gateway.address());
  same_loop.send(get("/health/live"));
  EXPECT_EQ(same_loop.read_answer().status, 200);
  gateway.gateway().request_stop();
  EXPECT_TRUE(idle.socket().wait_closed());
  EXPECT_TRUE(same_loop.socket().wait_closed());
  client.send(request.substr(20));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_EQ(gateway.join(), 0);
}

TEST(Drain, ends_at_once_when_asked_again_whatever_is_going_on) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "pool: {max_connections: 4}"), "drain: {delay: 1m, limit: 1m}");
  OpenStream stream(gateway.address(), upstream);
  // One of each: silent, at rest, in its head, in its body, waiting for an answer, not reading its answer.
  RawClient silent(gateway.address()), rests(gateway.address()), head(gateway.address()), body(gateway.address()),
      waits(gateway.address()), reads_nothing(gateway.address());
  rests.send(get("/health/live"));
  EXPECT_EQ(rests.read_answer().status, 200);
  head.send("POST /v1/chat");
  body.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"model\"");
  waits.send(chat("m"));
  RawSocket unanswered = upstream.accept();
  RawUpstream::read_request(unanswered);
  reads_nothing.send(chat("m", true));
  RawSocket flood = upstream.accept();
  RawUpstream::read_request(flood);
  flood.send(stream_head);
  const std::string much = chunk(token(std::string(32 * 1024, 'x')));
  while (::send(flood.descriptor(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 4));

  gateway.gateway().request_stop();
  EXPECT_TRUE(eventually([&] { return ready_status(gateway.admin_address()) == 503; }));
  gateway.gateway().request_stop();
  EXPECT_EQ(gateway.join(), 0);
  for (RawClient* client : {&silent, &rests, &head, &body, &waits, &reads_nothing, &stream.client})
    EXPECT_TRUE(client->socket().wait_closed());
  for (RawSocket* socket : {&stream.connection, &unanswered, &flood}) EXPECT_TRUE(socket->wait_closed());
}

// --- the program ---

TEST(Program, ends_gracefully_at_a_signal) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()), "drain: {delay: 0s, limit: 1m}");
  OpenStream stream(gateway.address(), upstream);
  gateway.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !accepts(gateway.address()); }));
  stream.finish();
  EXPECT_TRUE(stream.client.socket().wait_closed());
  EXPECT_EQ(gateway.exit_code(), 0) << gateway.log();
  EXPECT_NE(gateway.log().find("\"event\":\"stopped\""), std::string::npos) << gateway.log();
}

TEST(Program, ends_at_once_at_the_second_signal) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()), "drain: {delay: 1m, limit: 1m}");
  OpenStream stream(gateway.address(), upstream);
  gateway.signal(SIGTERM);
  EXPECT_TRUE(gateway.wait_for_log("\"event\":\"draining\""));
  gateway.signal(SIGINT);
  EXPECT_EQ(gateway.exit_code(), 0) << gateway.log();
  EXPECT_TRUE(stream.client.socket().wait_closed());
  EXPECT_TRUE(stream.connection.wait_closed());
}

TEST(Program, reads_its_configuration_again_at_a_hang_up) {
  RawUpstream upstream;
  TollgateProcess gateway(test::tollgate_binary(), config_for(upstream.port()));
  gateway.rewrite_config(config_for(upstream.port()) + "  extra: {provider: up}\n");
  gateway.signal(SIGHUP);
  EXPECT_TRUE(gateway.wait_for_log("\"event\":\"config_loaded\",\"generation\":\"2\"")) << gateway.log();
  RawClient client(gateway.address());
  client.send(get("/v1/models/extra"));
  EXPECT_EQ(client.read_answer().status, 200);
  gateway.rewrite_config("providers: {up: {}}\n");
  gateway.signal(SIGHUP);
  EXPECT_TRUE(gateway.wait_for_log("\"event\":\"config_rejected\"")) << gateway.log();
  gateway.signal(SIGTERM);
  EXPECT_EQ(gateway.exit_code(), 0) << gateway.log();
}

}  // namespace
}  // namespace tollgate::test
