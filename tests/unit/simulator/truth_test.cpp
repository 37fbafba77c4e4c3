// The truth log in memory and in its file. A gateway's accounting is judged by it, so every field is checked against
// what the client itself saw.
#include "tollgate/simulator/truth.hpp"

#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

TEST(Truth, tells_what_was_asked_and_what_was_sent) {
  Server server(fast());
  Client client(server.start());
  client.post("/v1/chat/completions?x=1", chat("sim,tokens=7", R"(,"stream":true)"),
              "X-Client-Request-Id: attempt-9\r\n");
  const Reply reply = client.read();
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 1; }));
  const TruthEntry entry = server.truth()[0];
  EXPECT_EQ(entry.ordinal, 1u);
  EXPECT_EQ(entry.client_request_id, "attempt-9");
  EXPECT_EQ(entry.method, "POST");
  EXPECT_EQ(entry.endpoint, "/v1/chat/completions");
  EXPECT_EQ(entry.model, "sim,tokens=7");
  EXPECT_TRUE(entry.stream);
  EXPECT_EQ(entry.prompt_tokens, 2u);
  EXPECT_EQ(entry.completion_tokens, 7u);
  EXPECT_EQ(entry.status, 200u);
  EXPECT_EQ(entry.ended, "complete");
  EXPECT_EQ(entry.fault, "");
  EXPECT_GT(entry.bytes_sent, reply.body.size());
  EXPECT_LE(entry.received, entry.first_byte);
  EXPECT_LE(entry.first_byte, entry.finished);
}

TEST(Truth, counts_every_byte_on_the_wire) {
  Server server(fast());
  Client client(server.start());
  server.script({{}, {}, json_replay(200, "{}")});
  client.get("/v1/models");
  client.read();
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 1; }));
  EXPECT_EQ(server.truth()[0].bytes_sent, json_replay(200, "{}").pieces[0].size());
}

TEST(Truth, forgets_the_oldest_entries_beyond_its_limit) {
  Options options;
  options.truth_kept = 3;
  Server server(fast(), options);
  Client client(server.start());
  for (int i = 0; i < 5; ++i) {
    client.get("/v1/models");
    client.read();
  }
  ASSERT_TRUE(
      server.wait_until([&] { return server.gauges().requests_active == 0 && server.truth().back().ordinal == 5; }));
  EXPECT_EQ(server.truth().size(), 3u);
  EXPECT_EQ(server.truth().front().ordinal, 3u);
}

TEST(Truth, is_appended_to_a_file_line_by_line) {
  const auto path = std::filesystem::path(::testing::TempDir()) / ("truth-" + std::to_string(::getpid()) + ".jsonl");
  std::filesystem::remove(path);
  Options options;
  options.truth_file = path.string();
  for (int run = 0; run < 2; ++run) {
    Server server(fast(), options);
    Client client(server.start());
    client.post("/v1/chat/completions", chat("sim,tokens=3"), "x-client-request-id: id-\xFF\r\n");
    client.read();
    server.stop();
  }
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  std::filesystem::remove(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1]["completion_tokens"], 3);
  EXPECT_EQ(lines[1]["ended"], "complete");
  EXPECT_EQ(lines[1]["client_request_id"], "id-\uFFFD") << "bytes that are not UTF-8 do not break the line";
  EXPECT_GE(lines[1]["finished_us"].get<std::int64_t>(), lines[1]["first_byte_us"].get<std::int64_t>());
}

TEST(Truth, keeps_requests_as_they_arrived_when_told_to) {
  Options options;
  options.requests_kept = 2;
  Server server(fast(), options);
  Client client(server.start());
  const std::string body = R"({ "model" : "sim" ,"messages":[{}], "x":1.50e1 })";
  client.post("/v1/chat/completions?a=b", body, "X-Odd-Name: Value\r\n");
  client.read();
  ASSERT_EQ(server.requests().size(), 1u);
  const ReceivedRequest request = server.requests()[0];
  EXPECT_EQ(request.target, "/v1/chat/completions?a=b");
  EXPECT_EQ(request.body, body);
  EXPECT_EQ(request.fields[2], (std::pair<std::string, std::string>("X-Odd-Name", "Value")));
  EXPECT_EQ(request.connection, 1u);
}

TEST(Truth, cannot_be_written_where_there_is_no_directory) {
  Options options;
  options.truth_file = "/no/such/directory/truth.jsonl";
  EXPECT_THROW(Server(fast(), options), std::invalid_argument);
}

}  // namespace
}  // namespace tollgate::simulator
