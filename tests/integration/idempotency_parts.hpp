#pragma once
// What the tests of Idempotency-Keys have in common: a gateway of two workers in front of an upstream that is played by
// hand, and requests that carry a key.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tollgate::test {

inline const std::string hello =
    R"({"id":"x","object":"chat.completion","choices":[{"index":0}],"usage":{"prompt_tokens":10,"completion_tokens":20}})";

inline std::string with_key(const std::string& key, const std::string& more_fields = {}) {
  return "Idempotency-Key: " + key + "\r\n" + more_fields;
}

inline std::string error_code(const Answer& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  return json.is_object() && json.contains("error") ? json["error"].value("code", "") : "";
}

inline bool is_replayed(const Answer& answer) { return answer.fields.contains("x-tollgate-idempotent-replayed"); }

inline int count(const std::string& text, const std::string& what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++found;
  return found;
}

class Idempotency : public testing::Test {
 protected:
  void start(const std::string& more_config = {}, const std::string& server_keys = {}) {
    gateway_ = std::make_unique<GatewayUnderTest>(config_for(upstream_.port()) + more_config, server_keys);
  }
  /// Sends a chat request and leaves its answer to the caller.
  RawClient send(const std::string& fields, const std::string& body = chat_body("m"),
                 const std::string& path = "/v1/chat/completions") {
    RawClient client(gateway_->address());
    client.send(post(path, body, fields + "Connection: close\r\n"));
    return client;
  }
  /// For a request that needs no upstream.
  Answer ask(const std::string& fields, const std::string& body = chat_body("m"),
             const std::string& path = "/v1/chat/completions") {
    return send(fields, body, path).read_answer();
  }
  /// Answers the next request that comes upstream.
  void answer_next(const std::string& bytes) {
    const KeepAliveUpstream::Call call = upstream_.next();
    last_ = call.request;
    upstream_.connection(call.connection).send(bytes);
  }
  Answer ask_and_answer(const std::string& fields, const std::string& bytes = json_answer(hello),
                        const std::string& body = chat_body("m")) {
    RawClient client = send(fields, body);
    answer_next(bytes);
    return client.read_answer();
  }
  bool wait_for_requests(int number) { return gateway_->wait_for_metric("tollgate_in_flight_requests", number); }
  /// How many attempts the access log tells of, once it has so many lines.
  int attempts_of(int requests) {
    eventually([&] { return count(gateway_->access_log(), "\n") >= requests; });
    return count(gateway_->access_log(), R"("attempts":1)");
  }

  KeepAliveUpstream upstream_;
  UpstreamRequest last_;
  std::unique_ptr<GatewayUnderTest> gateway_;
};

}  // namespace tollgate::test
