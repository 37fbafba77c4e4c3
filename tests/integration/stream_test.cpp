// Streams whose upstream does nothing wrong, however its bytes fall: what reaches the client is what was sent, byte for
// byte, but for the usage chunk that the gateway asked for by itself.
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include <thread>

namespace tollgate::test {
namespace {

const std::string asks_for_usage =
    R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]})";

std::string sha256(const std::string& text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

/// Several clients at once, so that the gateway has read the first part of a stream before its second is sent.
class CutStreams {
 public:
  explicit CutStreams(std::size_t width) : gateway_(config_for(upstream_.port())) {
    for (std::size_t i = 0; i < width; ++i) clients_.push_back(std::make_unique<RawClient>(gateway_.address()));
  }

  std::size_t width() const { return clients_.size(); }

  /// Sends every stream as two writes and gives back what each client got.
  std::vector<Answer> run(const std::vector<std::pair<std::string, std::string>>& halves) {
    std::vector<std::size_t> connections;
    for (std::size_t i = 0; i < halves.size(); ++i) {
      clients_[i]->send(post("/v1/chat/completions", chat_body("m", true)));
      connections.push_back(upstream_.next().connection);
    }
    for (std::size_t i = 0; i < halves.size(); ++i) upstream_.connection(connections[i]).send(halves[i].first);
    for (std::size_t i = 0; i < halves.size(); ++i) upstream_.connection(connections[i]).send(halves[i].second);
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < halves.size(); ++i) answers.push_back(clients_[i]->read_answer());
    return answers;
  }

 private:
  KeepAliveUpstream upstream_;
  GatewayUnderTest gateway_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

/// Cuts `whole` at every offset of `offsets`, after `before` and with the two parts made by `cut`, and expects `body`
/// each time.
template <class Cut>
void expect_same_at_every_cut(std::size_t size, const std::string& body, Cut cut) {
  CutStreams streams(16);
  std::size_t tried = 0;
  for (std::size_t first = 1; first < size; first += streams.width()) {
    std::vector<std::pair<std::string, std::string>> halves;
    for (std::size_t at = first; at < std::min(size, first + streams.width()); ++at) halves.push_back(cut(at));
    const std::vector<Answer> answers = streams.run(halves);
    for (std::size_t i = 0; i < answers.size(); ++i, ++tried) {
      ASSERT_EQ(answers[i].status, 200) << "cut at " << first + i;
      ASSERT_TRUE(answers[i].complete) << "cut at " << first + i;
      ASSERT_EQ(sha256(answers[i].body), sha256(body)) << "cut at " << first + i << ": " << answers[i].body;
    }
  }
  EXPECT_EQ(tried, size - 1);
  testing::Test::RecordProperty("cuts", static_cast<int>(tried));
}

TEST(Stream, keeps_its_bytes_wherever_the_upstream_cuts_its_content) {
  const std::string corpus = stream_corpus();
  ASSERT_GT(corpus.size(), 2000u);
  // The last byte comes with the second write, so that every connection can be used again.
  expect_same_at_every_cut(corpus.size(), corpus, [&](std::size_t at) {
    return std::pair(stream_head + chunk(corpus.substr(0, at)), chunk(corpus.substr(at)) + last_chunk);
  });
}

TEST(Stream, keeps_its_bytes_wherever_the_upstream_cuts_head_and_framing) {
  std::string wire = stream_head;
  for (const std::string& piece : stream_corpus_events()) wire += chunk(piece);
  wire += last_chunk;
  expect_same_at_every_cut(wire.size(), stream_corpus(),
                           [&](std::size_t at) { return std::pair(wire.substr(0, at), wire.substr(at)); });
}

TEST(Stream, loses_only_the_usage_chunk_wherever_it_is_cut) {
  const std::string before = token("a") + finish_event;
  const std::string corpus = before + usage_event + done_event;
  expect_same_at_every_cut(corpus.size(), before + done_event, [&](std::size_t at) {
    return std::pair(stream_head + chunk(corpus.substr(0, at)), chunk(corpus.substr(at)) + last_chunk);
  });
}

TEST(Stream, keeps_its_bytes_when_they_come_one_at_a_time) {
  CutStreams streams(1);
  std::string wire;
  for (const char byte : stream_corpus()) wire += chunk(std::string(1, byte));
  const auto answers = streams.run({{stream_head, wire + last_chunk}});
  EXPECT_EQ(answers[0].body, stream_corpus());

  // And one byte of the connection at a time, head and framing included.
  KeepAliveUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket& connection = upstream.connection(upstream.next().connection);
  for (const char byte : stream_head + chunk(stream_corpus()) + last_chunk)
    ASSERT_TRUE(connection.send(std::string(1, byte)));
  const Answer got = client.read_answer();
  EXPECT_TRUE(got.complete);
  EXPECT_EQ(got.body, stream_corpus());
}

TEST(Stream, passes_a_data_line_of_a_megabyte_wherever_it_is_cut) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  std::string text;
  while (text.size() < 1024 * 1024) text += "\u6f22\u5b57 \U0001F600 abc ";
  const std::string corpus = role_event + token(text) + token("after") + finish_event + done_event;
  const std::size_t line = role_event.size();
  std::vector<std::size_t> cuts{
      1, line, line + 1, line + 65535, line + 65536, line + 65537, corpus.size() - done_event.size() - 1};
  for (std::size_t at = line + 12345; at < corpus.size(); at += 98765) cuts.push_back(at);
  for (const std::size_t at : cuts) {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", chat_body("m", true)));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    std::thread sender([&] {
      connection.send(stream_head + chunk(corpus.substr(0, at))) &&
          connection.send(chunk(corpus.substr(at)) + last_chunk);
    });
    const Answer got = client.read_answer();
    sender.join();
    ASSERT_TRUE(got.complete) << "cut at " << at;
    ASSERT_EQ(sha256(got.body), sha256(corpus)) << "cut at " << at;
  }
}

TEST(Stream, reaches_the_client_event_by_event) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(stream_head);
  const std::vector<std::string> events{token("one"),   token("two"), ": comment\n\n",
                                        token("three"), finish_event, done_event};
  std::string got;
  for (const std::string& next : events) {
    // The next event is sent only once this one is in the client's hands: nothing may wait for what follows.
    connection.send(chunk(next));
    ASSERT_TRUE(client.socket().receive_until(got, next)) << got;
  }
}

TEST(Stream, has_the_header_fields_that_keep_proxies_from_buffering) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("m", true)));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  const std::string body = token("a") + finish_event + done_event;
  // An upstream that knows the length of its stream does not hand it on.
  connection.send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Request-Id: req_1\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  Answer got = client.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.fields["content-type"], "text/event-stream");
  EXPECT_EQ(got.fields["cache-control"], "no-cache");
  EXPECT_EQ(got.fields["x-accel-buffering"], "no");
  EXPECT_EQ(got.fields["transfer-encoding"], "chunked");
  EXPECT_EQ(got.fields["x-tollgate-upstream-request-id"], "req_1");
  EXPECT_FALSE(got.fields["x-request-id"].empty());
  EXPECT_FALSE(got.fields.contains("content-length"));
  EXPECT_FALSE(got.fields.contains("content-encoding"));
}

TEST(Stream, to_an_http_1_0_client_is_not_chunked) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  RawClient client(gateway.address());
  const std::string body = chat_body("m", true);
  client.send(
      "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nConnection: "
      "keep-alive\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(stream_head + chunk(stream_corpus()) + last_chunk);
  Answer got = client.read_answer();
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.fields.contains("transfer-encoding"));
  EXPECT_EQ(got.fields["connection"], "close");
  EXPECT_EQ(got.body, stream_corpus());
}

// --- usage ---

struct UsageCase {
  std::string name;
  std::string request;
  bool injected;
  std::string sent, expected;
  std::string provider_keys = {};
};

class StreamUsage : public testing::TestWithParam<UsageCase> {};

TEST_P(StreamUsage, is_asked_for_and_shown_as_it_should) {
  const UsageCase& param = GetParam();
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), param.provider_keys));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", param.request));
  RawSocket connection = upstream.accept();
  const UpstreamRequest request = RawUpstream::read_request(connection);
  if (!param.injected) {
    EXPECT_EQ(request.body, param.request);
  }
  const auto asked = nlohmann::json::parse(request.body).value("/stream_options/include_usage"_json_pointer, false);
  EXPECT_EQ(asked, param.injected || param.request == asks_for_usage) << request.body;
  connection.send(stream_head + chunk(param.sent) + last_chunk);
  EXPECT_EQ(client.read_answer().body, param.expected);
}

const std::string azure_first =
    event(R"({"id":"","object":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]})");
const std::string bare_first = event(R"({"id":"c","object":"chat.completion.chunk","choices":[]})");
const std::string finish_with_usage = event(
    R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})");
const std::string null_usage_token =
    event(R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"usage":null})");
const std::string azure_with_usage = event(
    R"({"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})");
const std::string short_stream = token("a") + finish_event;
const std::string explicit_no = R"({"model":"m","stream":true,"stream_options":{"include_usage":false},"messages":[]})";

INSTANTIATE_TEST_SUITE_P(
    Cases, StreamUsage,
    testing::Values(
        UsageCase{"removed_where_only_the_gateway_asked", chat_body("m", true), true,
                  short_stream + usage_event + done_event, short_stream + done_event},
        UsageCase{"removed_where_the_client_said_no", explicit_no, true, short_stream + usage_event + done_event,
                  short_stream + done_event},
        UsageCase{"kept_where_the_client_asked", asks_for_usage, false, short_stream + usage_event + done_event,
                  short_stream + usage_event + done_event},
        UsageCase{"kept_on_the_finish_chunk", chat_body("m", true), true, token("a") + finish_with_usage + done_event,
                  token("a") + finish_with_usage + done_event},
        UsageCase{"null_is_no_usage_chunk", chat_body("m", true), true, null_usage_token + finish_event + done_event,
                  null_usage_token + finish_event + done_event},
        UsageCase{"azure_first_chunk_kept", chat_body("m", true), true,
                  azure_first + short_stream + usage_event + done_event, azure_first + short_stream + done_event},
        UsageCase{"empty_choices_without_usage_kept", chat_body("m", true), true,
                  bare_first + short_stream + done_event, bare_first + short_stream + done_event},
        UsageCase{"usage_beside_filter_results_kept", chat_body("m", true), true,
                  short_stream + azure_with_usage + done_event, short_stream + azure_with_usage + done_event},
        UsageCase{"not_injected_where_switched_off", chat_body("m", true), false,
                  short_stream + usage_event + done_event, short_stream + usage_event + done_event,
                  "stream_usage: off"},
        UsageCase{"not_injected_without_stream", chat_body("m"), false, short_stream + done_event,
                  short_stream + done_event}),
    [](const auto& info) { return info.param.name; });

TEST(StreamTokens, stand_in_the_log_whoever_asked_for_them) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const std::string& request : {chat_body("m", true), asks_for_usage}) {
    RawClient client(gateway.address());
    client.send(post("/v1/chat/completions", request));
    RawSocket connection = upstream.accept();
    RawUpstream::read_request(connection);
    connection.send(stream_head + chunk(short_stream + usage_event + done_event) + last_chunk);
    EXPECT_TRUE(client.read_answer().complete);
  }
  EXPECT_TRUE(gateway.wait_for_metric(
      R"(tollgate_tokens_total{tenant="default",task="none",model="m",kind="output_visible"})", 10));
  EXPECT_TRUE(gateway.wait_for_metric(
      R"(tollgate_tokens_total{tenant="default",task="none",model="m",kind="input_uncached"})", 14));
}

}  // namespace
}  // namespace tollgate::test
