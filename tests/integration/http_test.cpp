// HTTP as clients speak it, over the wire: connections that are kept, requests ahead of their turn, methods, bodies,
// and what is refused. The table of refused heads is tested with the parser; here a part of it shows that a refusal
// ends the connection.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

class Http : public testing::Test {
 protected:
  explicit Http(const std::string& server_keys = {})
      : gateway_(config_for(upstream_.port()), server_keys), client_(gateway_.address()) {}

  /// Lets the upstream answer the next request and gives back that request.
  UpstreamRequest serve(const std::string& answer = json_answer("{}")) {
    const KeepAliveUpstream::Call call = upstream_.next();
    upstream_.connection(call.connection).send(answer);
    return call.request;
  }

  /// One of the gateway's own errors: status, code, and the envelope whole.
  static void expect_error(Answer got, int status, const std::string& code) {
    EXPECT_EQ(got.status, status) << got.head << got.body;
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.fields["content-type"], "application/json");
    EXPECT_FALSE(got.fields["x-request-id"].empty());
    const auto json = nlohmann::json::parse(got.body, nullptr, false);
    ASSERT_TRUE(json.is_object() && json.contains("error")) << got.body;
    const auto& error = json.at("error");
    for (const char* key : {"message", "type", "param", "code"}) EXPECT_TRUE(error.contains(key)) << key;
    EXPECT_EQ(error.at("code").is_null() ? "" : error.at("code").get<std::string>(), code) << got.body;
    EXPECT_FALSE(error.at("message").get<std::string>().empty());
  }

  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_;
  RawClient client_;
};

TEST_F(Http, keeps_the_connection_for_the_next_request) {
  for (int i = 0; i < 5; ++i) {
    client_.send(post("/v1/chat/completions", chat_body("m")));
    serve();
    Answer got = client_.read_answer();
    EXPECT_EQ(got.status, 200);
    EXPECT_FALSE(got.fields.contains("connection"));
    EXPECT_FALSE(got.fields["date"].empty());
  }
  EXPECT_EQ(upstream_.accepted(), 1u);
}

TEST_F(Http, closes_when_the_client_says_so) {
  client_.send(post("/v1/chat/completions", chat_body("m"), "Connection: close\r\n"));
  serve();
  Answer got = client_.read_answer();
  EXPECT_EQ(got.fields["connection"], "close");
  EXPECT_TRUE(client_.socket().wait_closed());
}

TEST_F(Http, answers_ten_pipelined_requests_in_order) {
  std::string all;
  for (int i = 0; i < 10; ++i)
    all += post("/v1/chat/completions", R"({"model":"m","user":")" + std::to_string(i) + "\"}");
  client_.send(all);
  for (int i = 0; i < 10; ++i) {
    const UpstreamRequest request = serve(json_answer("{\"answer\":" + std::to_string(i) + "}"));
    EXPECT_EQ(nlohmann::json::parse(request.body).at("user"), std::to_string(i));
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client_.read_answer().body, "{\"answer\":" + std::to_string(i) + "}");
}

TEST_F(Http, takes_requests_of_other_kinds_between_pipelined_ones) {
  client_.send(get("/v1/models") + post("/v1/chat/completions", chat_body("m")) + get("/health/live") +
               post("/v1/nowhere", "{}") + get("/v1/models/m"));
  serve();
  EXPECT_EQ(client_.read_answer().status, 200);
  EXPECT_EQ(client_.read_answer().body, "{}");
  EXPECT_EQ(client_.read_answer().body, "{\"status\":\"live\"}");
  expect_error(client_.read_answer(), 400, "missing_required_parameter");
  EXPECT_EQ(client_.read_answer().status, 200);
}

TEST_F(Http, takes_a_request_that_comes_byte_by_byte) {
  for (const char byte : post("/v1/chat/completions", chat_body("m"))) ASSERT_TRUE(client_.send(std::string(1, byte)));
  EXPECT_EQ(serve().body, chat_body("m"));
  EXPECT_EQ(client_.read_answer().status, 200);
}

TEST_F(Http, says_continue_to_a_client_that_waits_for_it) {
  const std::string body = chat_body("m");
  const std::string whole = post("/v1/chat/completions", body, "Expect: 100-continue\r\n");
  client_.send(whole.substr(0, whole.size() - body.size()));
  EXPECT_EQ(client_.read_answer().status, 100);
  client_.send(body);
  const UpstreamRequest request = serve();
  EXPECT_EQ(request.body, body);
  EXPECT_TRUE(request.field("expect").empty());
  EXPECT_EQ(client_.read_answer().status, 200);
  // Refused by its head alone, a body is not asked for.
  client_.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\nExpect: "
      "100-continue\r\n\r\n");
  expect_error(client_.read_answer(), 413, "request_too_large");
  EXPECT_TRUE(client_.socket().wait_closed());
}

TEST_F(Http, answers_head_like_get_without_the_body) {
  client_.send(get("/v1/models"));
  Answer with = client_.read_answer();
  client_.send("HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/health/live"));
  Answer without = client_.read_answer(true);
  EXPECT_EQ(without.status, 200);
  EXPECT_EQ(without.fields["content-length"], with.fields["content-length"]);
  // Had it a body, this would not be an answer.
  EXPECT_EQ(client_.read_answer().body, "{\"status\":\"live\"}");
}

TEST_F(Http, serves_http_1_0_clients) {
  const std::string body = chat_body("m");
  const std::string head = "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n";
  for (int i = 0; i < 2; ++i) {
    client_.send(head + "Connection: keep-alive\r\n\r\n" + body);
    serve();
    Answer got = client_.read_answer();
    EXPECT_EQ(got.body, "{}");
    EXPECT_EQ(got.fields["connection"], "keep-alive");
    EXPECT_FALSE(got.fields.contains("transfer-encoding"));
  }
  client_.send(head + "\r\n" + body);
  serve();
  Answer got = client_.read_answer();
  EXPECT_EQ(got.body, "{}");
  EXPECT_EQ(got.fields["connection"], "close");
  EXPECT_TRUE(client_.socket().wait_closed());
}

TEST_F(Http, answers_options_without_cors) {
  client_.send(
      "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Answer all = client_.read_answer(), one = client_.read_answer();
  EXPECT_EQ(all.status, 204);
  EXPECT_NE(all.fields["allow"].find("POST"), std::string::npos);
  EXPECT_EQ(one.status, 204);
  EXPECT_EQ(one.fields["allow"], "POST, OPTIONS");
  EXPECT_FALSE(one.fields.contains("access-control-allow-origin"));
  EXPECT_FALSE(one.fields.contains("content-length"));
}

TEST_F(Http, names_unknown_paths_and_methods) {
  client_.send(post("/v2/chat/completions", "{}"));
  expect_error(client_.read_answer(), 404, "unknown_url");
  RawClient second(gateway_.address());
  second.send(get("/v1/chat/completions"));
  Answer got = second.read_answer();
  EXPECT_EQ(got.fields["allow"], "POST, OPTIONS");
  expect_error(got, 405, "method_not_allowed");
  // Without a body there is nothing to be in doubt about: the connection goes on.
  second.send("DELETE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
  got = second.read_answer();
  EXPECT_EQ(got.fields["allow"], "GET, HEAD, OPTIONS");
  expect_error(got, 405, "method_not_allowed");
  second.send(post("/coffee", "") + "BREW /coffee HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect_error(second.read_answer(), 404, "unknown_url");
  expect_error(second.read_answer(), 404, "unknown_url");
}

TEST_F(Http, refuses_bodies_that_it_cannot_read) {
  struct Refused {
    std::string fields, body;
    int status;
    std::string code;
  };
  const std::vector<Refused> all{
      {"Content-Encoding: gzip\r\nContent-Type: application/json\r\n", "{}", 415, "unsupported_media_type"},
      {"Content-Encoding: br\r\n", "{}", 415, "unsupported_media_type"},
      {"Content-Type: text/plain\r\n", chat_body("m"), 415, "unsupported_media_type"},
      {"Content-Type: multipart/form-data; boundary=x\r\n", "--x--", 415, "unsupported_media_type"},
      {"Content-Type: application/json\r\n", "", 400, ""},
      {"Content-Type: application/json\r\n", "[]", 400, ""},
      {"Content-Type: application/json\r\n", "{\"model\":", 400, ""},
      {"Content-Type: application/json\r\n", "{} {}", 400, ""},
  };
  for (const Refused& refused : all) {
    SCOPED_TRACE(refused.fields + refused.body);
    RawClient client(gateway_.address());
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + refused.fields +
                "Content-Length: " + std::to_string(refused.body.size()) + "\r\n\r\n" + refused.body);
    expect_error(client.read_answer(), refused.status, refused.code);
  }
  EXPECT_EQ(upstream_.accepted(), 0u);
}

TEST_F(Http, takes_json_under_its_other_names) {
  for (const char* type : {"Content-Type: application/json; charset=utf-8\r\n", "Content-Type: APPLICATION/JSON\r\n",
                           "Content-Type: application/vnd.api+json\r\n", "Content-Encoding: identity\r\n", ""}) {
    RawClient client(gateway_.address());
    const std::string body = chat_body("m");
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + std::string(type) +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(serve().body, body);
    EXPECT_EQ(client.read_answer().status, 200) << type;
  }
}

// --- chunked requests ---

std::string chunked_post(const std::string& chunks, const std::string& fields = {}) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         "application/json\r\nTransfer-Encoding: chunked\r\n" +
         fields + "\r\n" + chunks;
}

TEST_F(Http, takes_chunked_bodies_and_sends_them_with_their_length) {
  const std::string body = chat_body("m");
  const std::string chunks = chunk(body.substr(0, 7)) + chunk(body.substr(7, 1)) + chunk(body.substr(8)) + last_chunk;
  // Two of them in one write, the second byte by byte.
  client_.send(chunked_post(chunks) + chunked_post("").substr(0, 10));
  UpstreamRequest request = serve();
  EXPECT_EQ(request.body, body);
  EXPECT_EQ(request.field("content-length"), std::to_string(body.size()));
  EXPECT_TRUE(request.field("transfer-encoding").empty());
  EXPECT_EQ(client_.read_answer().status, 200);
  for (const char byte : chunked_post(chunks).substr(10)) ASSERT_TRUE(client_.send(std::string(1, byte)));
  EXPECT_EQ(serve().body, body);
  EXPECT_EQ(client_.read_answer().status, 200);
}

TEST_F(Http, refuses_chunked_bodies_with_anything_odd) {
  const std::string body = chat_body("m");
  const std::string good = chunk(body);
  const std::vector<std::string> odd_ones{good + "0\r\nX-Trailer: 1\r\n\r\n",
                                          good + "0;a=b\r\n\r\n",
                                          "5;a=b\r\n" + body.substr(0, 5) + "\r\n" + chunk(body.substr(5)) + last_chunk,
                                          "zz\r\n",
                                          "-1\r\n",
                                          "0x5\r\n" + body.substr(0, 5) + "\r\n" + last_chunk,
                                          "5\n" + body.substr(0, 5) + "\n0\n\n",
                                          "ffffffffffffffff1\r\n",
                                          "1\r\n{}\r\n" + last_chunk,
                                          good + "0\r\n\rX",
                                          " 5\r\n" + body.substr(0, 5) + "\r\n" + last_chunk};
  for (const std::string& odd : odd_ones) {
    SCOPED_TRACE(odd);
    RawClient client(gateway_.address());
    // What follows on that connection may be anything, and is never served.
    client.send(chunked_post(odd) + post("/v1/chat/completions", chat_body("m", false)));
    expect_error(client.read_answer(), 400, "");
    EXPECT_EQ(client.socket().receive_to_end(), "");
  }
  EXPECT_EQ(upstream_.accepted(), 0u);
}

// --- hostile heads ---

std::vector<std::string> hostile_heads() {
  const auto with = [](const std::string& fields) {
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
  };
  const auto line = [](const std::string& first) { return first + "\r\nHost: localhost\r\n\r\n"; };
  return {
      with("Content-Length: 5\r\nContent-Length: 5\r\n"),
      with("Content-Length: 5\r\nContent-Length: 6\r\n"),
      with("Content-Length: 5, 5\r\n"),
      with("Content-Length: +5\r\n"),
      with("Content-Length: -5\r\n"),
      with("Content-Length: 0x5\r\n"),
      with("Content-Length: 05\r\n"),
      with("Content-Length:\r\n"),
      with("Content-Length: 9223372036854775808\r\n"),
      with("Content-Length: 5 5\r\n"),
      with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
      with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      with("Transfer-Encoding: identity\r\n"),
      with("Transfer-Encoding: chunked, identity\r\n"),
      with("Transfer-Encoding: xchunked\r\n"),
      with("Transfer-Encoding: \x0b"
           "chunked\r\n"),
      with("Transfer-Encoding : chunked\r\n"),
      with("Transfer_Encoding: chunked\r\n"),
      with("X: a\r\n Transfer-Encoding: chunked\r\n"),
      with("X: a\nTransfer-Encoding: chunked\r\n"),
      with("X: a\rTransfer-Encoding: chunked\r\n"),
      with(std::string("X: a\0b\r\n", 8)),
      with("X: \x01\r\n"),
      with("X: \xc3\xa9\r\n"),
      with(": x\r\n"),
      with("no colon\r\n"),
      with("X@Y: 1\r\n"),
      with("Host: other\r\n"),
      with("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
      with("Connection: Content-Length\r\nContent-Length: 5\r\n"),
      with("Connection: authorization\r\n"),
      with("x-tollgate-task: a\r\nX-Tollgate-Task: b\r\n"),
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a b\r\n\r\n",
      "POST /v1/chat/completions HTTP/1.1\r\nHost:\r\n\r\n",
      "POST /v1/chat/completions HTTP/1.1\r\n\r\n",
      line("GET http://localhost/v1/models HTTP/1.1"),
      line("CONNECT localhost:443 HTTP/1.1"),
      line("GET  /v1/models HTTP/1.1"),
      line("GET /v1/models HTTP/1.1 "),
      line("GET /v1/models"),
      line("GET /v1/models http/1.1"),
      line("GET /v1/models HTTP/2.0"),
      line("GET /v1/models#x HTTP/1.1"),
      line("GET /v1/m\xc3\xb6"
           "dels HTTP/1.1"),
      line("G(T /v1/models HTTP/1.1"),
      "\x16\x03\x01\x02\x00\x01" + std::string(60, '\x01'),
      line("GET * HTTP/1.1"),
      "GET /v1/models HTTP/1.1\nHost: localhost\n\n",
  };
}

TEST_F(Http, ends_the_connection_at_a_hostile_head_and_serves_nothing_behind_it) {
  const auto heads = hostile_heads();
  EXPECT_GE(heads.size(), 40u);
  for (const std::string& head : heads) {
    for (const bool after_a_good_one : {false, true}) {
      SCOPED_TRACE(head + (after_a_good_one ? " (second)" : ""));
      RawClient client(gateway_.address());
      client.send((after_a_good_one ? get("/health/live") : "") + head + post("/v1/chat/completions", chat_body("m")) +
                  get("/v1/models"));
      if (after_a_good_one) {
        EXPECT_EQ(client.read_answer().status, 200);
      }
      Answer got = client.read_answer();
      EXPECT_TRUE(got.status == 400 || got.status == 505) << got.head;
      EXPECT_EQ(got.fields["connection"], "close");
      expect_error(got, got.status, "bad_http_request");
      EXPECT_EQ(client.rest() + client.socket().receive_to_end(), "");
    }
  }
  EXPECT_EQ(upstream_.accepted(), 0u);
  RecordProperty("heads", static_cast<int>(heads.size()));
}

TEST_F(Http, names_the_limit_that_a_head_is_over) {
  struct Over {
    std::string request;
    int status;
  };
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  for (const Over& over :
       {Over{get("/" + std::string(9000, 'a')), 414},
        Over{get("/v1/models", "X: " + std::string(40'000, 'a') + "\r\n"), 431}, Over{get("/v1/models", many), 431}}) {
    RawClient client(gateway_.address());
    client.send(over.request);
    expect_error(client.read_answer(), over.status, "bad_http_request");
    EXPECT_EQ(client.socket().receive_to_end(), "");
  }
}

TEST_F(Http, refuses_targets_that_two_readers_read_differently) {
  for (const std::string path : {"/v1/../admin", "/v1/./models", "/v1/%2e%2e/x", "/v1/a%2Fb", "/v1/a\\b", "/v1/%5c",
                                 "/v1/%zz", "/v1/%", "/v1/a;b", "/v1/%00"}) {
    RawClient client(gateway_.address());
    client.send(post(path, chat_body("m")));
    expect_error(client.read_answer(), 400, "");
  }
  EXPECT_EQ(upstream_.accepted(), 0u);
}

// --- limits on bodies ---

class HttpSmall : public Http {
 protected:
  HttpSmall()
      : Http("max_body: 64KiB\nmax_bodies: 64KiB\nheader_timeout: 300ms\nbody_timeout: 300ms\nkeep_alive: 300ms") {}
};

TEST_F(HttpSmall, names_the_limit_that_a_body_is_over) {
  const std::string body = "{\"model\":\"m\",\"input\":\"" + std::string(80'000, 'x') + "\"}";
  for (const std::string& request : {post("/v1/embeddings", body), chunked_post(chunk(body) + last_chunk)}) {
    RawClient client(gateway_.address());
    client.send(request);
    const Answer got = client.read_answer();
    expect_error(got, 413, "request_too_large");
    EXPECT_NE(got.body.find("server.max_body"), std::string::npos);
    EXPECT_TRUE(client.socket().wait_closed());
  }
  EXPECT_EQ(upstream_.accepted(), 0u);
}

TEST_F(HttpSmall, cuts_clients_that_do_not_go_on) {
  client_.send("POST /v1/chat/comp");
  expect_error(client_.read_answer(), 408, "bad_http_request");
  EXPECT_TRUE(client_.socket().wait_closed());
  RawClient second(gateway_.address());
  second.send("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  expect_error(second.read_answer(), 408, "request_timeout");
  EXPECT_TRUE(second.socket().wait_closed());
  RawClient silent(gateway_.address());
  EXPECT_TRUE(silent.socket().wait_closed());
  RawClient idle(gateway_.address());
  idle.send(get("/health/live"));
  EXPECT_EQ(idle.read_answer().status, 200);
  EXPECT_TRUE(idle.socket().wait_closed());
}

}  // namespace
}  // namespace tollgate::test
