// Every endpoint but chat, end to end over a socket. Each is held against the wire format, not against the code that
// makes it: base64 is unpacked here by hand.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"
#include "simulator/words.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

class Endpoints : public ::testing::Test {
 protected:
  Reply post(const std::string& path, const std::string& body) {
    Client client(server_.port());
    client.post(path, body);
    return client.read();
  }
  Reply get(const std::string& path) {
    Client client(server_.port());
    client.get(path);
    return client.read();
  }

  void SetUp() override { server_.start(); }
  Server server_{fast()};
};

std::vector<float> floats_of_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>((bits >> (count -= 8)) & 0xFF);
  }
  std::vector<float> values;
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) word |= std::uint32_t{static_cast<unsigned char>(bytes[i + k])} << (8 * k);
    values.push_back(std::bit_cast<float>(word));
  }
  return values;
}

TEST_F(Endpoints, completions_answer_whole_and_streamed) {
  const json whole = post("/v1/completions", R"({"model":"sim,tokens=5","prompt":"one two three"})").json();
  EXPECT_EQ(whole["object"], "text_completion");
  const std::string text = whole["choices"][0]["text"];
  EXPECT_EQ(count_words(text), 5u);
  EXPECT_EQ(whole["usage"]["prompt_tokens"], 3);

  const Reply stream = post("/v1/completions",
                            R"({"model":"sim,tokens=5","prompt":"one two three","stream":true,
                                "stream_options":{"include_usage":true}})");
  const std::vector<std::string> events = events_of(stream.body);
  ASSERT_EQ(events.size(), 8u) << "five words, finish, usage, done";
  std::string joined;
  for (std::size_t i = 0; i < 6; ++i) joined += json::parse(events[i])["choices"][0]["text"].get<std::string>();
  EXPECT_EQ(joined, text);
  EXPECT_EQ(json::parse(events[5])["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json::parse(events[6])["usage"]["completion_tokens"], 5);
  EXPECT_EQ(events[7], "[DONE]");
}

TEST_F(Endpoints, embeddings_are_the_same_vector_as_floats_and_as_base64) {
  const std::string input = R"({"model":"embed","input":["red apple","green"],"dimensions":8)";
  const json floats = post("/v1/embeddings", input + "}").json();
  const json packed = post("/v1/embeddings", input + R"(,"encoding_format":"base64"})").json();
  EXPECT_EQ(floats["object"], "list");
  ASSERT_EQ(floats["data"].size(), 2u);
  EXPECT_EQ(floats["data"][1]["index"], 1);
  EXPECT_EQ(floats["usage"]["prompt_tokens"], 3);
  EXPECT_EQ(floats["usage"]["total_tokens"], 3);
  EXPECT_NE(floats["data"][0]["embedding"], floats["data"][1]["embedding"]);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto listed = floats["data"][i]["embedding"].get<std::vector<float>>();
    EXPECT_EQ(listed, floats_of_base64(packed["data"][i]["embedding"]));
    ASSERT_EQ(listed.size(), 8u);
    double length = 0;
    for (const float value : listed) length += static_cast<double>(value) * value;
    EXPECT_NEAR(length, 1, 1e-5);
  }
}

TEST_F(Endpoints, responses_answer_whole) {
  const json body = post("/v1/responses", R"({"model":"sim,tokens=4","input":"one two"})").json();
  EXPECT_EQ(body["object"], "response");
  EXPECT_EQ(body["status"], "completed");
  EXPECT_EQ(count_words(body["output"][0]["content"][0]["text"].get<std::string>()), 4u);
  EXPECT_EQ(body["usage"]["input_tokens"], 2);
  EXPECT_EQ(body["usage"]["output_tokens"], 4);
  EXPECT_EQ(body["usage"]["total_tokens"], 6);
  const json cut = post("/v1/responses", R"({"model":"sim,tokens=4","input":"x","max_output_tokens":2})").json();
  EXPECT_EQ(cut["status"], "incomplete");
  EXPECT_EQ(cut["incomplete_details"]["reason"], "max_output_tokens");
}

TEST_F(Endpoints, responses_stream_named_numbered_events_up_to_completed) {
  const Reply reply =
      post("/v1/responses", R"({"model":"sim,tokens=3","input":[{"role":"user","content":"one two"}],"stream":true})");
  EXPECT_NE(reply.body.find("event: response.created\ndata: "), std::string::npos);
  EXPECT_EQ(reply.body.find("[DONE]"), std::string::npos);
  const std::vector<std::string> events = events_of(reply.body);
  std::string text;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const json event = json::parse(events[i]);
    EXPECT_EQ(event["sequence_number"], i);
    if (event["type"] == "response.output_text.delta") text += event["delta"].get<std::string>();
  }
  const json last = json::parse(events.back());
  EXPECT_EQ(last["type"], "response.completed");
  EXPECT_EQ(last["response"]["usage"]["output_tokens"], 3);
  EXPECT_EQ(last["response"]["output"][0]["content"][0]["text"], text);
}

TEST_F(Endpoints, moderations_answer_one_result_per_input) {
  const json body = post("/v1/moderations", R"({"input":["a","b"]})").json();
  EXPECT_EQ(body["model"], "omni-moderation-latest-sim");
  ASSERT_EQ(body["results"].size(), 2u);
  EXPECT_EQ(body["results"][0]["flagged"], false);
  const json parts = post("/v1/moderations", R"({"input":[{"type":"text","text":"a b"}]})").json();
  EXPECT_EQ(parts["results"].size(), 1u);
}

TEST_F(Endpoints, models_are_listed_and_found_one_by_one) {
  const json list = get("/v1/models?limit=5").json();
  EXPECT_EQ(list["object"], "list");
  EXPECT_EQ(list["data"][0]["id"], "sim-small");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_EQ(get("/v1/models/sim-large").json()["id"], "sim-large");
  const Reply unknown = get("/v1/models/nobody");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.json()["error"]["code"], "model_not_found");
}

TEST_F(Endpoints, anything_else_is_an_openai_404_or_405) {
  const Reply unknown = post("/v1/nothing", "{}");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.json()["error"]["code"], "unknown_url");
  const Reply wrong_method = get("/v1/chat/completions");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.json()["error"]["type"], "invalid_request_error");
}

}  // namespace
}  // namespace tollgate::simulator
