// An upstream that gives back what it was sent in confidence, in each place where its words go: the client, the access
// log and the metrics never show it.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

const std::string json_head = "Content-Type: application/json\r\n";

std::string escaped(const std::string& text, const char* format) {
  std::string out;
  for (const char byte : text) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned>(byte));
    out += buffer;
  }
  return out;
}

/// All that an upstream might answer that knows `echo`, what the gateway authenticates with.
std::vector<std::string> answers_with(const std::string& echo) {
  const std::string error = R"({"error":{"message":"wrong: )" + echo + R"(","code":"invalid_api_key","param":null}})";
  const std::string status = "HTTP/1.1 400 Bad Request\r\n", chunked = "Transfer-Encoding: chunked\r\n\r\n";
  std::vector<std::string> answers;
  // A 429 cools the credential, so it has a test of its own below.
  for (const int code : {400, 401, 403, 404, 409, 422, 500, 503, 529}) answers.push_back(json_answer(error, code));
  answers.push_back(json_answer(error));
  answers.push_back(json_answer("\n " + error));
  answers.push_back(json_answer("Authorization: " + echo, 502));
  answers.push_back(json_answer(std::string(2'000'000, ' ') + error, 500));
  std::string chunks;
  for (std::size_t at = 0; at < error.size(); at += 7) chunks += chunk(error.substr(at, 7));
  answers.push_back(status + json_head + chunked + chunks + last_chunk);
  answers.push_back(status + json_head + chunked + chunks.substr(0, chunks.size() / 2) + "zz\r\n");
  for (const std::string name : {"X-Request-Id", "OpenAI-Model", "Retry-After", "WWW-Authenticate", "Set-Cookie"})
    answers.push_back(status + json_head + name + ": " + echo + "\r\nContent-Length: 2\r\n\r\n{}");
  answers.push_back("HTTP/1.1 200 OK\r\nX-Request-Id: " + echo.substr(echo.find(' ') + 1) + "\r\n" + json_head +
                    "Content-Length: 2\r\n\r\n{}");
  answers.push_back("HTTP/1.1 400 " + echo + "\r\nContent-Length: 2\r\n\r\n{}");
  answers.push_back("HTTP/1.1 302 Found\r\nLocation: /?" + echo + "\r\nContent-Length: 0\r\n\r\n");
  answers.push_back("HTTP/1.1 200 OK\r\n" + echo + "\r\n\r\n");
  answers.push_back(echo + "\r\n\r\n");
  return answers;
}

class Secrets : public testing::Test {
 protected:
  /// What the client gets, every byte, for an answer to one request. The connections are new.
  std::string told(const std::string& body, const std::string& answer) {
    RawClient client(gateway_.address());
    client.send(post("/v1/chat/completions", body, "Connection: close\r\n"));
    const KeepAliveUpstream::Call call = upstream_.next();
    EXPECT_EQ(call.request.field("authorization"), "Bearer " + key_);
    RawSocket& connection = upstream_.connection(call.connection);
    connection.send(answer);
    connection.close();
    std::string all;
    while (client.read_more()) {
    }
    EXPECT_FALSE(client.rest().empty()) << answer.substr(0, 200);
    return client.rest();
  }

  /// In no spelling.
  void expect_without_key(const std::string& text) {
    for (const std::string& spelled : {key_, escaped(key_, "\\u%04x"), escaped(key_, "%%%02X")})
      EXPECT_EQ(text.find(spelled), std::string::npos) << text.substr(0, 2000);
  }

  const std::string key_ = std::string("test/provider+key") + "-of-this=test";
  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_{config_for(upstream_.port(), "credentials: [{name: main, key: \"" + key_ + "\"}]")};
};

TEST_F(Secrets, that_an_error_gives_back_stay_here) {
  int tried = 0;
  for (const std::string& spelled : {key_, escaped(key_, "\\u%04x"), escaped(key_, "%%%02X")}) {
    for (const std::string& answer : answers_with("Bearer " + spelled)) {
      SCOPED_TRACE(answer.substr(0, 200));
      expect_without_key(told(chat_body("m"), answer));
      RecordProperty("answers", ++tried);
    }
  }
  EXPECT_TRUE(gateway_.wait_for_log("\"status\":529"));
  expect_without_key(gateway_.access_log());
  expect_without_key(gateway_.metrics());
}

TEST_F(Secrets, that_an_error_event_gives_back_stay_here) {
  const std::string error = "data: {\"error\":{\"message\":\"wrong: " + key_ + "\"}}\n\n";
  const std::string hello = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n";
  for (const std::string& events : {error, hello + error}) {
    const std::string got = told(chat_body("m", true), stream_head + chunk(events) + last_chunk);
    EXPECT_NE(got.find("wrong: [redacted]"), std::string::npos) << got;
    expect_without_key(got);
  }
}

TEST_F(Secrets, leave_the_rest_of_the_error_as_it_was) {
  const std::string got =
      told(chat_body("m"), json_answer(R"({ "error" : {"message":"wrong: )" + key_ + "\"} }\n", 429));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 429 ")) << got;
  EXPECT_TRUE(got.ends_with("{ \"error\" : {\"message\":\"wrong: [redacted]\"} }\n")) << got;
}

}  // namespace
}  // namespace tollgate::test
