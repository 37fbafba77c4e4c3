// A request's way there and back: which target it goes to, what crosses, what stays. Providers cache prompts by their
// bytes, so a body has to arrive as it was sent but for the values that are spliced.
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <thread>

namespace tollgate::test {
namespace {

class Relay : public testing::Test {
 protected:
  /// Sends the body and gives back the request that the upstream got for it.
  UpstreamRequest sent_on(const std::string& body, const std::string& path = "/v1/chat/completions") {
    client_.send(post(path, body));
    const KeepAliveUpstream::Call call = upstream_.next();
    upstream_.connection(call.connection).send(json_answer("{}"));
    EXPECT_EQ(client_.read_answer().status, 200);
    return call.request;
  }

  /// The error object that the gateway answers with by itself.
  nlohmann::json refused(const std::string& body, int status, const std::string& path = "/v1/chat/completions") {
    client_.send(post(path, body));
    const Answer got = client_.read_answer();
    EXPECT_EQ(got.status, status) << got.body;
    const auto json = nlohmann::json::parse(got.body, nullptr, false);
    return json.is_object() ? json.value("error", nlohmann::json::object()) : nlohmann::json::object();
  }

  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_{
      config_for(upstream_.port()) +
      "  named: {provider: up, name: real-name}\n  \"pre-*\": {provider: up}\n  \"old-*\": {provider: up, name: new}\n"
      "routes:\n  auto: {match: [gpt-4o, \"gpt-4-*\"], primary: named}\n"};
  RawClient client_{gateway_.address()};
};

TEST_F(Relay, sends_the_body_as_it_came_and_the_answer_as_it_came) {
  const std::string body =
      "{ \"messages\" : [ ] ,\t\"model\":\"m\", \"temperature\":1.0, \"seed\":1e2, \"x\":\"\\u00e9\" }\n";
  client_.send(post("/v1/chat/completions", body));
  const KeepAliveUpstream::Call call = upstream_.next();
  EXPECT_EQ(call.request.body, body);
  EXPECT_TRUE(call.request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")) << call.request.head;
  const std::string answer = "{ \"id\": 1.0,  \"choices\":[{}], \"model\" : \"gpt-dated\", \"e\":1e2 }\n\n";
  upstream_.connection(call.connection).send(json_answer(answer));
  const Answer got = client_.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, answer);
}

TEST_F(Relay, replaces_the_model_by_the_name_that_the_target_knows) {
  const std::vector<std::pair<std::string, std::string>> names{{"m", "m"},
                                                               {"named", "real-name"},
                                                               {"up/gpt-5.5", "gpt-5.5"},
                                                               {"up/org/model:free", "org/model:free"},
                                                               {"pre-x", "pre-x"},
                                                               {"old-x", "new"},
                                                               {"auto", "real-name"},
                                                               {"gpt-4o", "real-name"},
                                                               {"gpt-4-1", "real-name"},
                                                               {"up/a:devops", "a:devops"}};
  for (const auto& [requested, upstream] : names)
    EXPECT_EQ(sent_on("{\"messages\":[],\"model\":\"" + requested + "\",\"x\":1.0}").body,
              "{\"messages\":[],\"model\":\"" + upstream + "\",\"x\":1.0}");
  // However the name is written.
  EXPECT_EQ(sent_on(R"({"model" : "n\u0061med" })").body, R"({"model" : "real-name" })");
  EXPECT_EQ(sent_on(R"({"mod\u0065l":"auto"})").body, R"({"mod\u0065l":"real-name"})");
  EXPECT_EQ(sent_on(R"({"model":"up/\"quoted\\"})").body, R"({"model":"\"quoted\\"})");
}

TEST_F(Relay, removes_the_task_type_unless_the_call_is_stored) {
  EXPECT_EQ(sent_on(R"({"model":"m","metadata":{"task_type":"devops","a":"b"}})").body,
            R"({"model":"m","metadata":{"a":"b"}})");
  EXPECT_EQ(sent_on(R"({"model":"m","metadata":{"a":"b","task_type":"devops"}})").body,
            R"({"model":"m","metadata":{"a":"b"}})");
  EXPECT_EQ(sent_on(R"({"model":"m","store":true,"metadata":{"task_type":"devops"}})").body,
            R"({"model":"m","store":true,"metadata":{"task_type":"devops"}})");
  EXPECT_EQ(sent_on(R"({"model":"m","metadata":{"a":"b"}})").body, R"({"model":"m","metadata":{"a":"b"}})");
  const auto alone = nlohmann::json::parse(sent_on(R"({"model":"m","metadata":{"task_type":"devops"},"n":1})").body);
  EXPECT_FALSE(alone.value("/metadata/task_type"_json_pointer, nlohmann::json()).is_string()) << alone;
}

TEST_F(Relay, refuses_what_two_readers_read_differently) {
  for (const char* body : {R"({"model":"m","model":"named"})", R"({"model":"m","x":1,"mod\u0065l":"m"})",
                           R"({"model":"m","Model":"named"})"})
    EXPECT_EQ(refused(body, 400).value("param", ""), "model") << body;
  EXPECT_EQ(refused(R"({"model":"m","stream":true,"stream":false})", 400).value("param", ""), "stream");
  EXPECT_EQ(refused(R"({"model":7})", 400).value("param", ""), "model");
  EXPECT_EQ(upstream_.accepted(), 0u);
}

TEST_F(Relay, asks_for_a_model) {
  for (const char* body : {R"({"messages":[]})", R"({"model":""})"}) {
    const auto error = refused(body, 400);
    EXPECT_EQ(error.value("param", ""), "model") << body;
    EXPECT_NE(error.value("message", "").find("model"), std::string::npos);
  }
}

TEST_F(Relay, names_near_models_to_who_asks_for_an_unknown_one) {
  const auto near = refused(R"({"model":"nmaed"})", 404);
  EXPECT_EQ(near.value("code", ""), "model_not_found");
  EXPECT_EQ(near.value("param", ""), "model");
  EXPECT_NE(near.value("message", "").find("did you mean 'named'"), std::string::npos) << near;
  EXPECT_NE(refused(R"({"model":"zzzzzzzzzzzz"})", 404).value("message", "").find("/v1/models"), std::string::npos);
  // What a client names comes back in the message: cut, and as valid JSON.
  const auto hostile = refused("{\"model\":\"\\u0000\\\"\\n" + std::string(5000, 'x') + "\"}", 404);
  EXPECT_LT(hostile.value("message", "").size(), 500u);
}

TEST_F(Relay, keeps_the_query_and_the_path_below_the_base) {
  EXPECT_TRUE(sent_on(chat_body("m"), "/v1/chat/completions?api-version=2024-10-21&x=%2F&y")
                  .head.starts_with("POST /v1/chat/completions?api-version=2024-10-21&x=%2F&y HTTP/1.1\r\n"));
  for (const char* path :
       {"/v1/images/generations", "/v1/moderations", "/v1/rerank", "/v1/audio/speech", "/v1/a/b/c", "/v1/x.y~z"})
    EXPECT_TRUE(sent_on(chat_body("m"), path).head.starts_with("POST " + std::string(path) + " HTTP/1.1\r\n")) << path;
  // What SDKs make of base_url.
  for (const char* path : {"/chat/completions", "//chat/completions", "/v1//chat/completions", "//v1/chat/completions"})
    EXPECT_TRUE(sent_on(chat_body("m"), path).head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")) << path;
}

TEST_F(Relay, lets_no_path_leave_the_base) {
  for (const char* path : {"/v1/../../admin", "/v1/x/../y", "/v1/%2e%2e/x", "/v1/..%2fx", "/v1/x/..", "/v1/./x",
                           "/v1/@evil.example/", "/v1/x#y", "/v1/\\evil"}) {
    RawClient client(gateway_.address());
    client.send(post(path, chat_body("m")));
    const int status = path == std::string("/v1/@evil.example/") ? 0 : 400;
    if (status == 0) {
      // Odd, but a path below the base all the same.
      const KeepAliveUpstream::Call call = upstream_.next();
      EXPECT_TRUE(call.request.head.starts_with("POST /v1/@evil.example/ HTTP/1.1\r\n"));
      upstream_.connection(call.connection).send(json_answer("{}"));
      continue;
    }
    EXPECT_EQ(client.read_answer().status, status) << path;
  }
}

TEST_F(Relay, gives_every_attempt_an_id_of_its_own_and_asks_for_no_encoding) {
  const UpstreamRequest first = sent_on(chat_body("m")), second = sent_on(chat_body("m"));
  EXPECT_EQ(first.field("x-client-request-id").size(), 36u);
  EXPECT_NE(first.field("x-client-request-id"), second.field("x-client-request-id"));
  EXPECT_EQ(first.field("accept-encoding"), "identity");
}

TEST_F(Relay, passes_an_answer_that_is_encoded_all_the_same) {
  client_.send(post("/v1/embeddings", chat_body("m")));
  const KeepAliveUpstream::Call call = upstream_.next();
  const std::string bytes("\x1f\x8b\x08\x00\x00\xff\x00", 7);
  upstream_.connection(call.connection)
      .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n" +
            bytes);
  Answer got = client_.read_answer();
  EXPECT_EQ(got.body, bytes);
  EXPECT_EQ(got.fields["content-encoding"], "gzip");
}

// --- bodies of every kind ---

/// JSON text with whatever JSON allows: white space, escapes, number forms, nesting, odd keys.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  /// A request whose `model` is written as `model`; the same text again for another name.
  std::string body(const std::string& model, const std::string& more = {}) {
    std::string text = space() + "{" + space();
    const int before = upto(4), after = upto(4);
    for (int i = 0; i < before; ++i) text += member("b" + std::to_string(i)) + "," + space();
    text += "\"model\"" + space() + ":" + space() + "\"" + model + "\"" + space();
    if (!more.empty()) text += ",\"more\":\"" + more + "\"";
    for (int i = 0; i < after; ++i) text += "," + space() + member("a" + std::to_string(i));
    return text + space() + "}" + space();
  }

 private:
  int upto(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit + 1)); }
  std::string pick(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  std::string space() { return pick({"", "", "", " ", "\n", "\t", "\r\n", "  "}); }
  std::string string() {
    std::string text = "\"";
    for (int i = upto(6); i > 0; --i)
      text += pick({"a", "\\u0041", "\\\"", "\\\\", "\\/", "/", "\\n", "\\ud83d\\ude00", "\u6f22", "\U0001F600",
                    "\\u0000", "</", "&", "\x7f"});
    return text + "\"";
  }
  std::string member(const std::string& name) {
    return pick({"\"" + name + "\"", "\"\\u0078" + name + "\"", "\"\u00e9" + name + "\"", "\"" + name + " \\\" \""}) +
           space() + ":" + space() + value(3);
  }
  std::string value(int depth) {
    if (depth == 0 || upto(2) > 0)
      return pick(
          {"1", "1.0", "-0", "1e2", "1E+2", "0.1", "12345678901234567890", "1e400", "true", "false", "null", string()});
    std::string text;
    const bool array = upto(1) == 0;
    for (int i = 0, count = upto(3); i < count; ++i)
      text += (i > 0 ? "," + space() : space()) + (array ? value(depth - 1) : member("k" + std::to_string(i)));
    return (array ? "[" : "{") + text + space() + (array ? "]" : "}");
  }

  std::mt19937 random_;
};

TEST_F(Relay, keeps_two_hundred_generated_bodies_outside_the_splice) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const std::string sent = Generator(seed).body("named"), expected = Generator(seed).body("real-name");
    ASSERT_EQ(sent_on(sent).body, expected) << "seed " << seed;
  }
}

TEST_F(Relay, keeps_a_body_of_20_mb_outside_the_splice) {
  std::string large;
  while (large.size() < 20'000'000) large += "prose \u6f22\u5b57 \\u0041\\n \U0001F600 ";
  const std::string sent = Generator(7).body("named", large), expected = Generator(7).body("real-name", large);
  std::thread sender([&] { client_.send(post("/v1/chat/completions", sent)); });
  const KeepAliveUpstream::Call call = upstream_.next();
  sender.join();
  upstream_.connection(call.connection).send(json_answer("{}"));
  EXPECT_EQ(client_.read_answer().status, 200);
  EXPECT_TRUE(call.request.body == expected);
}

}  // namespace
}  // namespace tollgate::test
