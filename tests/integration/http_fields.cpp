// Header fields and who may ask: what crosses to the provider and back, whose requests are refused, and the ids of a
// request.
#include "support/gateway_under_test.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

std::string lower(std::string text) {
  for (char& byte : text) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
  return text;
}

std::string code_of(const Answer& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  return json.is_object() ? json.value("/error/code"_json_pointer, std::string("null")) : answer.body;
}

/// A request with these fields beside Host; "Host: localhost" where `host` is empty.
std::string chat_with(const std::string& fields, const std::string& host = "localhost") {
  const std::string body = chat_body("m");
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(Fields, cross_to_the_provider_by_the_list_only) {
  RawUpstream upstream;
  GatewayUnderTest gateway(
      config_for(upstream.port(), "credentials: [{name: main, key: provider-key-1}]\nheaders: {X-Extra: from-config}"));
  RawClient client(gateway.address());
  client.send(chat_with(
      "Authorization: Bearer client-key-1\r\nCookie: session=1\r\nAccept: application/json\r\nUser-Agent: "
      "OpenAI/Python 3\r\n"
      "Idempotency-Key: idem-1\r\nOpenAI-Beta: assistants=v2\r\nOpenAI-Organization: org-client\r\nOpenAI-Project: "
      "p\r\n"
      "X-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\nX-Tollgate-Task: devops\r\nX-Tollgate-User: u\r\n"
      "X-Request-Id: mine-1\r\nX-Client-Request-Id: forged\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n"
      "Accept-Encoding: gzip, br\r\nAccept-Language: *\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: Basic "
      "x\r\n"
      "Traceparent: 00-1-2-03\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\nX-Unknown: 1\r\n"));
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);

  EXPECT_EQ(request.field("authorization"), "Bearer provider-key-1");
  EXPECT_EQ(request.field("host"), "127.0.0.1:" + std::to_string(upstream.port()));
  EXPECT_EQ(request.field("accept"), "application/json");
  EXPECT_EQ(request.field("content-type"), "application/json");
  EXPECT_EQ(request.field("user-agent"), "OpenAI/Python 3");
  EXPECT_EQ(request.field("idempotency-key"), "idem-1");
  EXPECT_EQ(request.field("openai-beta"), "assistants=v2");
  EXPECT_EQ(request.field("accept-encoding"), "identity");
  EXPECT_EQ(request.field("x-extra"), "from-config");
  EXPECT_EQ(request.field("x-client-request-id").size(), 36u);
  const std::string head = lower(request.head);
  for (const char* stays : {"client-key-1", "cookie", "organization", "openai-project", "stainless", "tollgate",
                            "mine-1", "forged", "forwarded", "gzip", "language", "\r\nte:", "keep-alive", "proxy",
                            "traceparent", "x-hop", "upgrade", "x-unknown", "\r\nconnection"})
    EXPECT_EQ(head.find(stays), std::string::npos) << stays << " in\n" << request.head;
  // Each of them once.
  for (const char* once : {"\r\nhost:", "\r\nauthorization:", "\r\ncontent-length:", "\r\naccept-encoding:"})
    EXPECT_EQ(head.find(once), head.rfind(once)) << once;
}

TEST(Fields, of_the_client_never_become_the_providers_credential) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(chat_with("Authorization: Bearer client-key-1\r\nX-Api-Key: client-key-1\r\nApi-Key: client-key-1\r\n"));
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  EXPECT_EQ(request.head.find("client-key-1"), std::string::npos);
  EXPECT_TRUE(request.field("authorization").empty());
}

TEST(Fields, cross_to_the_client_by_the_list_only) {
  for (const bool stream : {false, true}) {
    RawUpstream upstream;
    GatewayUnderTest gateway(config_for(upstream.port()));
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m", stream)));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    const std::string body =
        stream ? "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
               : "{}";
    connection.send(
        "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(stream ? "text/event-stream" : "application/json") +
        "\r\nSet-Cookie: a=b\r\nServer: cloudflare\r\nOpenAI-Organization: org-ours\r\nOpenAI-Project: "
        "p\r\nOpenAI-Processing-Ms: 12\r\n"
        "OpenAI-Version: 2020-10-01\r\nOpenAI-Model: gpt\r\nX-RateLimit-Limit-Requests: "
        "100\r\nX-RateLimit-Remaining-Tokens: 5\r\n"
        "CF-Ray: x\r\nAlt-Svc: h3\r\nStrict-Transport-Security: max-age=1\r\nAccess-Control-Allow-Origin: *\r\nVia: "
        "1.1 edge\r\n"
        "X-Request-Id: req_up\r\nX-Client-Request-Id: forged\r\nX-Tollgate-Provider: forged\r\nDate: Thu, 01 Jan 1970 "
        "00:00:00 GMT\r\n"
        "Keep-Alive: timeout=5\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    Answer got = client.read_answer();
    EXPECT_EQ(got.body, body);
    EXPECT_EQ(got.fields["openai-processing-ms"], "12");
    EXPECT_EQ(got.fields["openai-version"], "2020-10-01");
    EXPECT_EQ(got.fields["openai-model"], "gpt");
    EXPECT_EQ(got.fields["x-ratelimit-limit-requests"], "100");
    EXPECT_EQ(got.fields["x-ratelimit-remaining-tokens"], "5");
    EXPECT_EQ(got.fields["x-tollgate-upstream-request-id"], "req_up");
    EXPECT_EQ(got.fields["x-tollgate-provider"], "up");
    EXPECT_EQ(got.fields["x-tollgate-model"], "m");
    EXPECT_EQ(got.fields["x-tollgate-reason"], "primary");
    EXPECT_EQ(got.fields["x-tollgate-attempts"], "1");
    EXPECT_FALSE(got.fields["x-tollgate-overhead-us"].empty());
    EXPECT_NE(got.fields["x-request-id"], "req_up");
    const std::string head = lower(got.head);
    for (const char* stays : {"set-cookie", "\r\nserver:", "organization", "openai-project", "cf-ray", "alt-svc",
                              "strict-transport", "access-control", "\r\nvia", "forged", "1970", "timeout=5"})
      EXPECT_EQ(head.find(stays), std::string::npos) << stays << " in\n" << got.head;
    for (const char* once : {"\r\ncontent-type:", "\r\ndate:", "\r\nx-request-id:"})
      EXPECT_EQ(head.find(once), head.rfind(once)) << once;
  }
}

TEST(Fields, about_the_gateway_are_left_out_where_so_configured) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "response_headers: minimal");
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m")));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  Answer got = client.read_answer();
  EXPECT_EQ(lower(got.head).find("x-tollgate"), std::string::npos) << got.head;
  EXPECT_FALSE(got.fields["x-request-id"].empty());
}

TEST(Ids, of_the_client_come_back_where_they_are_clean) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  const std::vector<std::pair<std::string, std::string>> ids{{"abc-123_XYZ.~:/", "abc-123_XYZ.~:/"},
                                                             {std::string(128, 'a'), std::string(128, 'a')},
                                                             {std::string(129, 'a'), ""},
                                                             {"a b", ""},
                                                             {"a\"b", ""},
                                                             {"a\\b", ""},
                                                             {"", ""}};
  for (const auto& [sent, returned] : ids) {
    RawClient client(gateway.address());
    client.send(get("/v1/models", "X-Request-Id: " + sent + "\r\n") + chat_with("X-Request-Id: " + sent + "\r\n"));
    client.read_answer();
    RawSocket connection = upstream.accept();
    const UpstreamRequest request = RawUpstream::read_request(connection);
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    Answer got = client.read_answer();
    EXPECT_EQ(got.fields["x-client-request-id"], returned);
    EXPECT_NE(got.fields["x-request-id"], sent);
    EXPECT_NE(request.field("x-client-request-id"), sent);
    EXPECT_NE(request.field("x-client-request-id"), got.fields["x-request-id"]);
  }
}

TEST(Ids, stand_on_every_answer) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const std::string& request :
       {get("/v1/models", "X-Request-Id: mine\r\n"), get("/v1/models/nope", "X-Request-Id: mine\r\n"),
        post("/v1/chat/completions", "{}", "X-Request-Id: mine\r\n"), get("/nowhere", "X-Request-Id: mine\r\n")}) {
    RawClient client(gateway.address());
    client.send(request);
    EXPECT_EQ(client.read_answer().fields["x-request-id"].size(), 36u) << request;
  }
}

// --- open mode ---

TEST(OpenMode, refuses_foreign_hosts_and_takes_loopback_ones) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const std::string host :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.9.1", "[::1]", "[::1]:8080"}) {
    RawClient client(gateway.address());
    client.send("GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200) << host;
  }
  for (const std::string host :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1",
        "10.0.0.1", "0.0.0.0", "[::2]", "[::ffff:127.0.0.1]", "metadata"}) {
    RawClient client(gateway.address());
    client.send(chat_with("", host));
    const Answer got = client.read_answer();
    EXPECT_EQ(got.status, 403) << host;
    EXPECT_EQ(code_of(got), "host_not_allowed");
  }
}

TEST(OpenMode, refuses_web_pages) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const char* origin : {"https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1"}) {
    RawClient client(gateway.address());
    client.send(chat_with("Origin: " + std::string(origin) + "\r\n"));
    Answer got = client.read_answer();
    EXPECT_EQ(got.status, 403) << origin;
    EXPECT_EQ(code_of(got), "origin_not_allowed");
    EXPECT_FALSE(got.fields.contains("access-control-allow-origin"));
    client = RawClient(gateway.address());
    client.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: " + std::string(origin) +
                "\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 403);
  }
}

TEST(Cors, answers_a_preflight_of_a_listed_origin_with_what_it_asked_for) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()), "cors: {origins: [\"https://app.example\"]}");
  const std::string wanted = "authorization, content-type, x-stainless-lang, x-stainless-retry-count";
  RawClient client(gateway.address());
  client.send(
      "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: "
      "https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: " +
      wanted + "\r\n\r\n");
  Answer got = client.read_answer();
  EXPECT_EQ(got.status, 204);
  EXPECT_EQ(got.fields["access-control-allow-origin"], "https://app.example");
  EXPECT_EQ(got.fields["access-control-allow-methods"], "POST, OPTIONS");
  EXPECT_EQ(got.fields["access-control-allow-headers"], wanted);
  EXPECT_EQ(got.fields["vary"], "Origin");
  EXPECT_FALSE(got.fields.contains("access-control-allow-credentials"));
  // The request itself, and an error of it, can be read by the page.
  client.send(chat_with("Origin: https://app.example\r\n"));
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  EXPECT_TRUE(request.field("origin").empty());
  connection.send(json_answer("{}"));
  got = client.read_answer();
  EXPECT_EQ(got.fields["access-control-allow-origin"], "https://app.example");
  EXPECT_EQ(got.fields["access-control-expose-headers"], "*");
  client.send(post("/v1/chat/completions", "{}", "Origin: https://app.example\r\n"));
  got = client.read_answer();
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(got.fields["access-control-allow-origin"], "https://app.example");
  // Another origin is as foreign as ever.
  for (const char* other :
       {"https://app.example.evil", "http://app.example", "https://app.example:444", "HTTPS://APP.EXAMPLE.", "null"}) {
    RawClient foreign(gateway.address());
    foreign.send(chat_with("Origin: " + std::string(other) + "\r\n"));
    EXPECT_EQ(foreign.read_answer().status, 403) << other;
  }
}

TEST(UnixSocket, serves_whatever_host_is_named) {
  RawUpstream upstream;
  GatewayUnderTest gateway([&upstream](const std::filesystem::path& folder) {
    return "version: 1\nserver: {listen: [\"127.0.0.1:0\", \"unix:" + (folder / "tollgate.sock").string() +
           "\"]}\nadmin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \"127.0.0.1:0\"}\nlog: {access: off, level: "
           "error}\n" +
           config_for(upstream.port());
  });
  RawClient client(gateway.gateway().data_addresses().back());
  client.send(chat_with("", "whatever.example"));
  RawSocket connection = upstream.accept();
  EXPECT_EQ(RawUpstream::read_request(connection).body, chat_body("m"));
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().body, "{}");
  client.send(get("/v1/models"));
  EXPECT_EQ(client.read_answer().status, 200);
}

}  // namespace
}  // namespace tollgate::test
