// What happens around requests: keep-alive, pipelining, odd ways of sending, silent closing, stopping. Gateways keep
// pools of such connections, so their tests lean on every one of these.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;

TEST(Connections, serve_requests_one_after_the_other) {
  Server server(fast());
  Client client(server.start());
  for (int i = 0; i < 50; ++i) {
    client.post("/v1/chat/completions", chat("sim", i % 2 ? R"(,"stream":true)" : ""));
    EXPECT_EQ(client.read().end, Reply::End::whole);
  }
  EXPECT_EQ(server.gauges().connections_accepted, 1u);
  EXPECT_EQ(server.open_connections(), 1u);
  EXPECT_EQ(server.gauges().requests_received, 50u);
}

TEST(Connections, answer_pipelined_requests_in_order) {
  Server server(fast());
  Client client(server.start());
  for (const char* model : {"sim-a,first_token=20ms", "sim-b", "sim-c"}) {
    client.post("/v1/chat/completions", chat(model));
  }
  EXPECT_EQ(client.read().json()["model"], "sim-a-sim");
  EXPECT_EQ(client.read().json()["model"], "sim-b-sim");
  EXPECT_EQ(client.read().json()["model"], "sim-c-sim");
}

TEST(Connections, take_a_request_byte_by_byte_and_a_chunked_body) {
  Server server(fast());
  Client client(server.start());
  const std::string body = chat("sim");
  const std::string request =
      "POST /v1/chat/completions HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n5\r\n" + body.substr(0, 5) +
      "\r\n" + "40\r\n" + (body.substr(5) + std::string(64, ' ')).substr(0, 64) + "\r\n";
  ASSERT_LE(body.size(), 5u + 64u);
  for (const char byte : request) client.send(std::string_view(&byte, 1));
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
}

TEST(Connections, take_large_bodies) {
  Server server(fast());
  Client client(server.start());
  client.post("/v1/chat/completions", chat("sim", "", std::string(20 * 1024 * 1024, 'x')));
  EXPECT_EQ(client.read().json()["usage"]["prompt_tokens"], 1);
}

TEST(Connections, allow_a_body_that_was_announced_by_expect) {
  Server server(fast());
  Client client(server.start());
  const std::string body = chat("sim");
  client.send("POST /v1/chat/completions HTTP/1.1\r\nhost: s\r\nexpect: 100-continue\r\ncontent-length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send(body);
  EXPECT_EQ(client.read().status, 200);
}

TEST(Connections, refuse_what_is_not_http_and_close) {
  Server server(fast());
  Client client(server.start());
  client.send("nonsense\r\n\r\n");
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_EQ(server.gauges().requests_received, 0u);
}

TEST(Connections, close_when_the_client_asks_for_it_or_speaks_http_1_0) {
  Server server(fast());
  Client client(server.start());
  client.get("/v1/models", "connection: close\r\n");
  EXPECT_EQ(client.read().fields.at("connection"), "close");
  EXPECT_TRUE(client.closed_by_peer());

  Client old(server.port());
  const std::string body = chat("sim,tokens=3", R"(,"stream":true)");
  old.send("POST /v1/chat/completions HTTP/1.0\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const Reply reply = old.read();
  EXPECT_EQ(reply.fields.count("transfer-encoding"), 0u);
  EXPECT_EQ(events_of(reply.body).back(), "[DONE]");
}

TEST(Connections, are_closed_silently_when_idle_for_the_configured_time) {
  Options options;
  options.idle_close = Millis{30};
  Server server(fast(), options);
  Client client(server.start());
  client.get("/v1/models");
  EXPECT_EQ(client.read().fields.count("connection"), 0u) << "a stale connection does not announce itself";
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_TRUE(server.wait_until([&] { return server.open_connections() == 0; }));
}

TEST(Connections, are_closed_silently_after_the_configured_number_of_answers) {
  Options options;
  options.close_after_requests = 2;
  Server server(fast(), options);
  Client client(server.start());
  for (int i = 0; i < 2; ++i) {
    client.get("/v1/models");
    EXPECT_EQ(client.read().fields.count("connection"), 0u);
  }
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(Connections, pace_a_stream_by_its_rate) {
  Server server(fast());
  Client client(server.start());
  const SteadyTime begin = std::chrono::steady_clock::now();
  client.post("/v1/chat/completions", chat("sim,tokens=11,rate=100,first_token=50ms", R"(,"stream":true)"));
  EXPECT_EQ(client.read().end, Reply::End::whole);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis{150}) << "50 ms to the first token, ten gaps of 10 ms";
}

TEST(Server, stops_in_the_middle_of_everything) {
  Server server(fast());
  const std::uint16_t port = server.start();
  Client hanging(port);
  Client idle(port);
  hanging.post("/v1/chat/completions", chat("sim,first_token=10m"));
  ASSERT_TRUE(
      server.wait_until([&] { return server.gauges().requests_active == 1 && server.open_connections() == 2; }));
  server.stop();
  EXPECT_EQ(server.open_connections(), 0u);
  ASSERT_EQ(server.truth().size(), 1u);
  EXPECT_EQ(server.truth()[0].ended, "stopped");
  EXPECT_THROW(Client{port}, std::runtime_error);
  server.stop();
}

TEST(Server, listens_on_loopback_only_and_on_a_port_that_is_free) {
  Server server(fast());
  EXPECT_THROW(server.start("0.0.0.0"), std::invalid_argument);
  EXPECT_THROW(server.start("example.com"), std::invalid_argument);
  const std::uint16_t port = server.start();
  EXPECT_NE(port, 0);
  EXPECT_EQ(server.port(), port);
  Server second(fast());
  EXPECT_THROW(second.start("127.0.0.1", port), boost::system::system_error);
}

TEST(Server, gives_up_waiting_for_what_does_not_happen) {
  Server server(fast());
  server.start();
  EXPECT_FALSE(server.wait_until([] { return false; }, Millis{20}));
}

}  // namespace
}  // namespace tollgate::simulator
