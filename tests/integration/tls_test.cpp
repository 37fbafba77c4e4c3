// TLS on both legs: what a client of the gateway is offered, and what the gateway asks of a provider before it says a
// word.
#include "support/certificates.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/tls_client.hpp"
#include "support/tls_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/ssl.h>

#include <thread>

namespace tollgate::test {
namespace {

/// The gateway with a certificate, and a plain upstream behind it.
class TlsListener : public testing::Test {
 protected:
  explicit TlsListener(const std::string& server_keys = {})
      : gateway_(config_for(upstream_.port()), with_certificate("first") + server_keys) {}

  std::string with_certificate(const std::string& common_name) const {
    install(common_name);
    return "tls: {certificate: " + file("cert.pem") + ", private_key: " + file("key.pem") + "}\n";
  }

  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  void install(const std::string& common_name) const {
    const Identity identity = self_signed({.common_name = common_name, .dns_names = {"localhost"}});
    folder_.write("cert.pem", identity.certificate_pem());
    folder_.write("key.pem", identity.key_pem());
  }
  UpstreamRequest serve(const std::string& answer = json_answer("{}")) {
    const KeepAliveUpstream::Call call = upstream_.next();
    upstream_.connection(call.connection).send(answer);
    return call.request;
  }

  TemporaryFolder folder_;
  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_;
};

struct Offer {
  std::string name;
  TlsWishes wishes;
  bool taken;
};

TEST_F(TlsListener, speaks_1_2_and_1_3_with_authenticated_ciphers_only) {
  const std::vector<Offer> offers{
      {"1.3", {.min_version = TLS1_3_VERSION}, true},
      {"1.2 AES-GCM", {.max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}, true},
      {"1.2 ChaCha", {.max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"}, true},
      {"1.2 CBC",
       {.max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384"},
       false},
      {"1.2 without authentication", {.max_version = TLS1_2_VERSION, .ciphers = "AECDH-AES128-SHA:@SECLEVEL=0"}, false},
      {"1.1", {.min_version = TLS1_1_VERSION, .max_version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}, false},
      {"1.0", {.min_version = TLS1_VERSION, .max_version = TLS1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}, false},
      {"HTTP/1.1 by ALPN", {.protocols = std::string("\x02h2\x08http/1.1")}, true},
      {"HTTP/2 only by ALPN", {.protocols = std::string("\x02h2")}, false},
  };
  for (const Offer& offer : offers) {
    SCOPED_TRACE(offer.name);
    TlsClient client(gateway_.address(), offer.wishes);
    EXPECT_EQ(client.shaken(), offer.taken);
    if (!client.shaken()) continue;
    EXPECT_TRUE(client.cipher().find("GCM") != std::string::npos ||
                client.cipher().find("CHACHA20") != std::string::npos)
        << client.cipher();
    client.send(get("/health/live"));
    EXPECT_EQ(client.read_answer().status, 200);
    if (!offer.wishes.protocols.empty()) {
      EXPECT_EQ(client.protocol(), "http/1.1");
    }
  }
}

TEST_F(TlsListener, gives_plain_http_nothing) {
  RawClient client(gateway_.address());
  client.send(get("/v1/models"));
  EXPECT_EQ(client.socket().receive_to_end().find("HTTP/"), std::string::npos);
}

TEST_F(TlsListener, relays_answers_and_streams_on_one_connection) {
  TlsClient client(gateway_.address());
  const std::string stream =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u6f22\"},\"finish_reason\":null}]}\n\n";
  for (int i = 0; i < 3; ++i) {
    client.send(post("/v1/chat/completions", chat_body("m")));
    EXPECT_EQ(serve().body, chat_body("m"));
    EXPECT_EQ(client.read_answer().body, "{}");
    client.send(post("/v1/chat/completions", chat_body("m", true)));
    KeepAliveUpstream::Call call = upstream_.next();
    RawSocket& connection = upstream_.connection(call.connection);
    connection.send(stream_head + chunk(stream));
    // The first event is there before the second is sent.
    Answer head = client.read_head();
    EXPECT_EQ(head.fields["content-type"], "text/event-stream");
    while (client.rest().find(stream) == std::string::npos) ASSERT_TRUE(client.read_more());
    connection.send(chunk("data: [DONE]\n\n") + last_chunk);
    while (!client.rest().ends_with("\r\n0\r\n\r\n")) ASSERT_TRUE(client.read_more());
    client.rest().clear();
  }
  EXPECT_EQ(upstream_.accepted(), 1u);
}

TEST_F(TlsListener, takes_requests_that_share_a_record) {
  TlsClient client(gateway_.address());
  const std::string first = post("/v1/chat/completions", chat_body("m"));
  const std::size_t head = first.size() - chat_body("m").size();
  // The second request lies decrypted behind the first one's body: no readiness of the socket will ever announce it.
  client.send(first.substr(0, head));
  client.send(first.substr(head) + get("/health/live") + post("/v1/chat/completions", chat_body("m")) +
              get("/v1/models"));
  serve();
  EXPECT_EQ(client.read_answer().body, "{}");
  EXPECT_EQ(client.read_answer().body, "{\"status\":\"live\"}");
  serve();
  EXPECT_EQ(client.read_answer().body, "{}");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(TlsListener, carries_large_bodies_both_ways) {
  TlsClient client(gateway_.address());
  const std::string body = "{\"model\":\"m\",\"input\":\"" + std::string(5'000'000, 'x') + "\"}";
  std::thread sender([&] { client.send(post("/v1/embeddings", body)); });
  const KeepAliveUpstream::Call call = upstream_.next();
  sender.join();
  EXPECT_TRUE(call.request.body == body);
  std::thread answerer([&] { upstream_.connection(call.connection).send(json_answer(body)); });
  const Answer got = client.read_answer();
  answerer.join();
  EXPECT_TRUE(got.complete);
  EXPECT_TRUE(got.body == body);
}

TEST_F(TlsListener, lets_the_upstream_go_when_its_client_leaves) {
  for (const bool goodbye : {true, false}) {
    TlsClient client(gateway_.address());
    client.send(post("/v1/chat/completions", chat_body("m")));
    const KeepAliveUpstream::Call call = upstream_.next();
    if (goodbye) client.notify_close();
    client.socket().close();
    EXPECT_TRUE(upstream_.connection(call.connection).wait_closed());
  }
  EXPECT_TRUE(gateway_.wait_for_metric("tollgate_in_flight_requests", 0));
}

TEST_F(TlsListener, shows_a_new_certificate_after_a_reload_and_keeps_old_connections) {
  TlsClient before(gateway_.address());
  EXPECT_EQ(before.peer_name(), "first");
  install("second");
  RawClient admin(gateway_.admin_address());
  admin.send(post("/admin/v1/reload", ""));
  const Answer report = admin.read_answer();
  EXPECT_EQ(report.status, 200) << report.body;
  EXPECT_TRUE(nlohmann::json::parse(report.body).at("needs_restart").empty()) << report.body;
  // Each event loop takes the new one over by itself, a moment after the reply.
  std::string name;
  for (int i = 0; i < 100 && name != "second"; ++i) name = TlsClient(gateway_.address()).peer_name();
  EXPECT_EQ(name, "second");
  before.send(get("/health/live"));
  EXPECT_EQ(before.read_answer().status, 200);
  // Broken ones change nothing.
  folder_.write("key.pem", "no key");
  admin.send(post("/admin/v1/reload", ""));
  EXPECT_EQ(admin.read_answer().status, 422);
  EXPECT_EQ(TlsClient(gateway_.address()).peer_name(), "second");
}

class TlsListenerQuick : public TlsListener {
 protected:
  TlsListenerQuick() : TlsListener("tls_handshake_timeout: 200ms\nmax_body: 64KiB") {}
};

TEST_F(TlsListenerQuick, cuts_a_handshake_that_does_not_end) {
  RawClient silent(gateway_.address());
  EXPECT_TRUE(silent.socket().wait_closed());
  RawClient half(gateway_.address());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  EXPECT_TRUE(half.socket().wait_closed());
}

TEST_F(TlsListenerQuick, says_why_it_refuses_a_body_that_is_still_being_sent) {
  TlsClient client(gateway_.address());
  std::thread sender([&] {
    client.send("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
                std::string(50'000, 'x'));
  });
  sender.join();
  EXPECT_EQ(client.read_answer().status, 413);
}

// --- to the provider ---

/// The gateway with a TLS provider called upstream.test, trusting one authority.
struct TlsLeg {
  TlsLeg(const Identity& identity, int version, const std::string& more = {})
      : upstream(identity, version), gateway(config(more), {}, lookup) {}

  std::string config(const std::string& more) const {
    folder.write("ca.pem", authority().certificate_pem());
    return "providers:\n  up:\n    base_url: https://upstream.test:" + std::to_string(upstream.port()) +
           "/v1\n    tls: {ca_file: " + (folder.path() / "ca.pem").string() + more +
           "}\n    credentials: [{name: main, key: test-key-1}]\nmodels:\n  m: {provider: up}\n";
  }
  static Result<io::Addresses> lookup(const std::string&) { return io::Addresses{*io::Address::parse("127.0.0.1")}; }
  static const Identity& authority() {
    static const Identity one = self_signed({.common_name = "test authority", .authority = true});
    return one;
  }
  static Identity good() { return issued_by(authority(), {.common_name = "good", .dns_names = {"upstream.test"}}); }

  TemporaryFolder folder;
  TlsUpstream upstream;
  GatewayUnderTest gateway;
};

TEST(TlsLeg, names_and_verifies_the_provider_and_resumes_its_session) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    TlsLeg leg(TlsLeg::good(), version);
    RawClient client(leg.gateway.address());
    for (int i = 0; i < 3; ++i) {
      client.send(post("/v1/chat/completions", chat_body("m")));
      TlsUpstream::Connection connection = leg.upstream.accept();
      ASSERT_TRUE(connection.shaken());
      EXPECT_EQ(connection.resumed(), i > 0);
      if (i == 0) {
        EXPECT_EQ(connection.asked_name(), "upstream.test");
      }
      for (int kept = 0; kept < 2; ++kept) {
        if (kept == 1) client.send(post("/v1/chat/completions", chat_body("m")));
        const std::string request = connection.read_request();
        EXPECT_NE(request.find("Host: upstream.test:"), std::string::npos) << request;
        EXPECT_TRUE(request.ends_with(chat_body("m")));
        connection.send(json_answer("{}"));
        EXPECT_EQ(client.read_answer().body, "{}");
      }
      connection.close(true);
    }
  }
}

struct Untrusted {
  std::string name;
  Identity identity;
  std::string why;
};

TEST(TlsLeg, says_nothing_to_a_provider_that_it_cannot_trust) {
  const std::vector<Untrusted> all{
      {"wrong name", issued_by(TlsLeg::authority(), {.dns_names = {"other.test"}}), "mismatch"},
      {"name in the subject only", issued_by(TlsLeg::authority(), {.common_name = "upstream.test"}), "mismatch"},
      {"name of a parent", issued_by(TlsLeg::authority(), {.dns_names = {"test"}}), "mismatch"},
      {"self-signed", self_signed({.dns_names = {"upstream.test"}}), "self-signed"},
      {"other authority", issued_by(self_signed({.authority = true}), {.dns_names = {"upstream.test"}}), ""},
      {"expired",
       issued_by(TlsLeg::authority(), {.dns_names = {"upstream.test"}, .valid_from_days = -10, .valid_until_days = -1}),
       "expired"},
      {"not yet valid", issued_by(TlsLeg::authority(), {.dns_names = {"upstream.test"}, .valid_from_days = 1}),
       "not yet valid"},
      {"for clients", issued_by(TlsLeg::authority(), {.dns_names = {"upstream.test"}, .extended_usage = "clientAuth"}),
       "purpose"},
  };
  for (const Untrusted& untrusted : all)
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      SCOPED_TRACE(untrusted.name);
      TlsLeg leg(untrusted.identity, version);
      RawClient client(leg.gateway.address());
      client.send(post("/v1/chat/completions", chat_body("m")));
      TlsUpstream::Connection connection = leg.upstream.accept();
      EXPECT_FALSE(connection.shaken());
      EXPECT_EQ(connection.read_request(), "");
      const Answer got = client.read_answer();
      EXPECT_EQ(got.status, 502);
      EXPECT_EQ(nlohmann::json::parse(got.body).at("error").at("code"), "upstream_error");
      EXPECT_NE(got.body.find(untrusted.why), std::string::npos) << got.body;
      EXPECT_EQ(got.body.find("test-key-1"), std::string::npos);
    }
}

TEST(TlsLeg, verifies_the_name_that_was_configured) {
  TlsLeg leg(issued_by(TlsLeg::authority(), {.dns_names = {"inside.test"}}), TLS1_3_VERSION,
             ", server_name: inside.test");
  RawClient client(leg.gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  TlsUpstream::Connection connection = leg.upstream.accept();
  ASSERT_TRUE(connection.shaken());
  EXPECT_EQ(connection.asked_name(), "inside.test");
  connection.read_request();
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(TlsLeg, tells_an_end_from_a_cut) {
  for (const bool goodbye : {true, false}) {
    TlsLeg leg(TlsLeg::good(), TLS1_3_VERSION);
    RawClient client(leg.gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m")));
    TlsUpstream::Connection connection = leg.upstream.accept();
    connection.read_request();
    // A body until the end of the connection: only TLS' goodbye says that this is all of it.
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}");
    connection.close(goodbye);
    EXPECT_EQ(client.read_answer().status, goodbye ? 200 : 502);
  }
}

TEST(TlsLeg, carries_streams_and_large_bodies) {
  TlsLeg leg(TlsLeg::good(), TLS1_3_VERSION);
  RawClient client(leg.gateway.address());
  const std::string body = "{\"model\":\"m\",\"stream\":true,\"x\":\"" + std::string(3'000'000, 'x') + "\"}";
  std::thread sender([&] { client.send(post("/v1/responses", body)); });
  TlsUpstream::Connection connection = leg.upstream.accept();
  const std::string request = connection.read_request();
  sender.join();
  EXPECT_TRUE(request.ends_with(body));
  const std::string event =
      "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"" +
      std::string(200'000, 'y') + "\"}\n\n";
  const std::string last = "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n";
  std::thread answerer([&] {
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 10; ++i) connection.send(chunk(event));
    connection.send(chunk(last) + last_chunk);
  });
  const Answer got = client.read_answer();
  answerer.join();
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += event;
  EXPECT_TRUE(got.complete);
  EXPECT_TRUE(got.body == expected + last);
}

}  // namespace
}  // namespace tollgate::test
