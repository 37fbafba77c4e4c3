// Upstreams that are not there or do not go on, and bodies too large to be held whole. A client is never kept waiting
// beyond the timer that it is told of, and never takes a part of an answer for the whole.
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace tollgate::test {
namespace {

void expect_error(const Answer& got, int status, const std::string& code, const std::string& in_message) {
  EXPECT_EQ(got.status, status) << got.body;
  const auto error = nlohmann::json::parse(got.body).at("error");
  EXPECT_EQ(error.at("code"), code);
  EXPECT_NE(error.at("message").get<std::string>().find(in_message), std::string::npos) << got.body;
}

/// An address where connecting goes on for ever: its queue is full and nobody accepts.
class BlackHole {
 public:
  BlackHole() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_, 0), 0);
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(filler, reinterpret_cast<const sockaddr*>(&address), size);
    }
  }
  ~BlackHole() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listening_);
  }
  std::uint16_t port() const { return port_; }

 private:
  int listening_;
  int fillers_[4] = {};
  std::uint16_t port_ = 0;
};

TEST(Upstream, that_refuses_connections_is_a_502) {
  std::uint16_t port;
  {
    const RawUpstream gone;
    port = gone.port();
  }
  GatewayUnderTest gateway(config_for(port));
  for (const bool stream : {false, true}) {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m", stream)));
    expect_error(client.read_answer(), 502, "upstream_error", "provider 'up'");
  }
}

TEST(Upstream, that_does_not_answer_the_connection_is_a_504_of_that_phase) {
  const BlackHole hole;
  GatewayUnderTest gateway(config_for(hole.port(), "timeouts: {connect: 200ms}"));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  expect_error(client.read_answer(), 504, "upstream_timeout", "phase: connect");
  EXPECT_TRUE(gateway.wait_for_log(R"("phase":"connect")"));
}

TEST(Upstream, whose_name_is_unknown_is_a_502) {
  std::string config = config_for(80);
  config.replace(config.find("127.0.0.1"), 9, "nowhere.test");
  GatewayUnderTest gateway(config, {}, [](const std::string&) -> Result<std::vector<io::Address>> {
    return Failure{FailureKind::upstream_error, Source::upstream, "no such name"};
  });
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  expect_error(client.read_answer(), 502, "upstream_error", "resolved");
}

struct Timer {
  std::string provider_keys, more_config, request_fields, sent, phase;
};

TEST(Timers, cut_an_upstream_that_does_not_go_on) {
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
  const std::vector<Timer> timers{
      {"timeouts: {attempt: 200ms}", "", "", "", "phase: first_byte"},
      {"timeouts: {attempt: 200ms}", "", "", half, "phase: relay"},
      {"timeouts: {attempt: 200ms}", "", "", half.substr(0, 30), "phase: first_byte"},
      {"timeouts: {idle: 200ms}", "", "", half, "phase: relay"},
      {"", "defaults: {deadline: 200ms, retry: {attempts: 1}}\n", "", "", "deadline"},
      {"", "defaults: {deadline: 200ms, retry: {attempts: 1}}\n", "", half, "deadline"},
      {"", "", "x-tollgate-timeout-ms: 200\r\n", "", "deadline"},
      // It may shorten only.
      {"", "defaults: {deadline: 200ms, retry: {attempts: 1}}\n", "x-tollgate-timeout-ms: 3600000\r\n", "", "deadline"},
  };
  for (const Timer& timer : timers) {
    SCOPED_TRACE(timer.provider_keys + timer.more_config + timer.request_fields + timer.sent);
    RawUpstream upstream;
    GatewayUnderTest gateway(config_for(upstream.port(), timer.provider_keys) + timer.more_config);
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m"), timer.request_fields));
    RawSocket connection = upstream.accept();
    const UpstreamRequest request = RawUpstream::read_request(connection);
    EXPECT_TRUE(request.field("x-tollgate-timeout-ms").empty());
    connection.send(timer.sent);
    expect_error(client.read_answer(), 504, "upstream_timeout", timer.phase);
    EXPECT_TRUE(connection.wait_closed());
    EXPECT_TRUE(gateway.wait_for_metric(
        R"(tollgate_requests_total{tenant="default",route="none",task="none",model="m",outcome="timeout",stream="false"})",
        1));
  }
}

TEST(Timers, of_a_model_go_over_those_of_its_provider) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()) + "  quick: {provider: up, timeouts: {attempt: 200ms}}\n");
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("quick")));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  expect_error(client.read_answer(), 504, "upstream_timeout", "provider 'up'");
}

TEST(Timers, for_the_first_token_do_not_hold_for_an_answer_that_is_no_stream) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "timeouts: {first_token: 200ms}"));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{");
  EXPECT_FALSE(client.socket().receive(std::chrono::milliseconds(500)).has_value());
  connection.send("}");
  EXPECT_EQ(client.read_answer().body, "{}");
}

// --- large requests ---

TEST(LargeRequest, is_answered_while_it_is_still_being_sent) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  const std::string body = "{\"model\":\"m\",\"input\":\"" + std::string(20'000'000, 'x') + "\"}";
  client.send(post("/v1/embeddings", body));
  RawSocket connection = upstream.accept();
  std::string head;
  ASSERT_TRUE(connection.receive_until(head, "\r\n\r\n"));
  // It has seen enough, and reads no more of it.
  connection.send(json_answer(R"({"error":{"message":"too large"}})", 413));
  const Answer got = client.read_answer();
  EXPECT_EQ(got.status, 413);
  EXPECT_EQ(got.body, R"({"error":{"message":"too large"}})");
  // Half a request lies on that connection: it carries no other.
  EXPECT_TRUE(connection.wait_closed());
}

TEST(LargeRequest, that_nobody_reads_is_a_504_of_that_phase) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "timeouts: {attempt: 500ms}"));
  RawClient client(gateway.address());
  client.send(post("/v1/embeddings", "{\"model\":\"m\",\"input\":\"" + std::string(20'000'000, 'x') + "\"}"));
  RawSocket connection = upstream.accept();
  expect_error(client.read_answer(), 504, "upstream_timeout", "phase: send");
}

// --- large answers ---

constexpr std::size_t whole_limit = 1024 * 1024;

struct Large {
  bool chunked;
  std::size_t size;
  bool whole;  ///< held until its end is seen
};

TEST(LargeAnswer, is_held_whole_up_to_a_mebibyte_and_streamed_beyond) {
  for (const Large& large : {Large{false, whole_limit, true}, Large{false, whole_limit + 1, false},
                             Large{true, whole_limit, true}, Large{true, 2 * whole_limit, false}}) {
    SCOPED_TRACE(std::to_string(large.size) + (large.chunked ? " chunked" : ""));
    for (const bool cut : {false, true}) {
      RawUpstream upstream;
      GatewayUnderTest gateway(config_for(upstream.port()));
      RawClient client(gateway.address());
      client.send(post("/v1/embeddings", chat_body("m")));
      RawSocket connection = upstream.accept();
      RawUpstream::read_request(connection);
      const std::string body = "\"" + std::string(large.size - 2, 'x') + "\"";
      const std::string framing =
          large.chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(body.size());
      const std::string most = body.substr(0, body.size() - 1);
      std::thread sender([&] {
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + "\r\n\r\n" +
                        (large.chunked ? chunk(most) : most));
      });
      if (large.whole) {
        sender.join();
        EXPECT_FALSE(client.socket().receive(std::chrono::milliseconds(200)).has_value());
      } else {
        EXPECT_TRUE(client.socket().receive_until(client.rest(), "\r\n\r\n"));
        sender.join();
      }
      if (cut)
        connection.close();
      else
        connection.send(large.chunked ? chunk(body.substr(body.size() - 1)) + last_chunk
                                      : body.substr(body.size() - 1));
      const Answer got = client.read_answer();
      EXPECT_EQ(got.status, cut && large.whole ? 502 : 200);
      // What was begun and is not whole must not look whole.
      EXPECT_EQ(got.complete, !cut || large.whole);
      if (!cut) {
        EXPECT_EQ(got.body, body);
      }
      if (cut) {
        EXPECT_TRUE(gateway.wait_for_metric(
            R"(tollgate_requests_total{tenant="default",route="none",task="none",model="m",outcome=")" +
                std::string(large.whole ? "upstream_error" : "truncated") + R"(",stream="false"})",
            1))
            << gateway.metrics();
      }
    }
  }
}

TEST(LargeAnswer, of_50_mb_passes_by_default) {
  std::string body = "[";
  while (body.size() < 50'000'000) body += "0.0123456789,-0.9876543210,";
  body += "0]";
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const bool chunked : {false, true}) {
    RawClient client(gateway.address());
    client.send(post("/v1/embeddings", chat_body("m")));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    std::thread sender([&] {
      connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n");
      if (!chunked) {
        connection.send("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
        connection.send(body);
        return;
      }
      connection.send("Transfer-Encoding: chunked\r\n\r\n");
      for (std::size_t at = 0; at < body.size(); at += 1'000'000) connection.send(chunk(body.substr(at, 1'000'000)));
      connection.send(last_chunk);
    });
    const Answer got = client.read_answer();
    sender.join();
    EXPECT_TRUE(got.complete);
    EXPECT_TRUE(got.body == body);
  }
}

}  // namespace
}  // namespace tollgate::test
