// The truth in numbers, over HTTP and in process: what is counted, and that looking changes nothing of it.
// Counts are waited for by the journal, so nothing here guesses at a time.
#include "tollgate/base/digest.hpp"
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;
using nlohmann::json;

/// What the simulator calls a key.
std::string name_of_key(const std::string& key) { return to_hex(sha256(key)).substr(0, 8); }

json stats_of(Client& client) {
  client.get("/stats");
  const Reply reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.fields.at("content-type"), "application/json");
  return reply.json();
}

TEST(Stats, count_finished_requests_by_outcome_and_by_credential) {
  Server server(fast());
  Client client(server.start());
  const auto ask = [&](const std::string& model, const std::string& fields) {
    client.post("/v1/chat/completions", chat(model), fields);
    client.read();
  };
  ask("sim,tokens=3", "Authorization: Bearer one\r\n");
  ask("sim,fault=error_503", "Authorization: Bearer one\r\n");
  ask("sim,tokens=4", "Authorization: Bearer two\r\n");
  ask("sim,fault=error_503", "");
  {
    Client leaving(server.port());
    leaving.post("/v1/chat/completions", chat("sim,fault=hang_before_head"));
    ASSERT_TRUE(server.wait_until([&] { return server.gauges().requests_received == 5; }));
  }
  ASSERT_TRUE(server.wait_until([&] { return server.gauges().requests_active == 0; }));

  const json stats = stats_of(client);
  EXPECT_EQ(stats["finished"]["requests"], 5);
  EXPECT_EQ(stats["finished"]["outcomes"], json({{"complete", 2}, {"error_503", 2}, {"client_gone", 1}}));
  EXPECT_EQ(stats["finished"]["faults"], json({{"error_503", 2}, {"hang_before_head", 1}}));
  EXPECT_EQ(stats["finished"]["statuses"], json({{"200", 2}, {"503", 2}, {"0", 1}}));
  EXPECT_EQ(stats["finished"]["completion_tokens"], 7);
  EXPECT_EQ(stats["requests"], json({{"received", 5}, {"active", 0}}));
  EXPECT_EQ(stats["credentials"].size(), 3u);
  EXPECT_EQ(stats["credentials"][name_of_key("one")]["outcomes"], json({{"complete", 1}, {"error_503", 1}}));
  EXPECT_EQ(stats["credentials"][name_of_key("two")]["completion_tokens"], 4);
  EXPECT_EQ(stats["credentials"]["none"]["requests"], 2);
  EXPECT_EQ(server.stats().all.requests, 5u);
}

TEST(Stats, remember_more_than_the_truth_log_keeps) {
  Options options;
  options.truth_kept = 1;
  Server server(fast(), options);
  Client client(server.start());
  for (int i = 0; i < 3; ++i) {
    client.get("/v1/models");
    client.read();
  }
  ASSERT_TRUE(server.wait_until([&] { return server.stats().all.requests == 3; }));
  EXPECT_EQ(stats_of(client)["finished"]["requests"], 3);
}

TEST(Stats, are_not_changed_by_being_looked_at) {
  config::SimulatorSettings settings = fast();
  settings.accepts = {config::Secret("right")};
  Server server(settings);
  server.script({{}, *parse_steering("fault=error_500", ';'), {}});
  Client client(server.start());
  EXPECT_EQ(stats_of(client)["requests"]["received"], 0);
  EXPECT_EQ(stats_of(client)["finished"]["requests"], 0) << "neither counted nor asked for a key";
  EXPECT_TRUE(stats_of(client)["schedule"].is_null()) << "the day has not begun";
  EXPECT_EQ(server.scripts_left(), 1u);
  EXPECT_EQ(server.gauges().requests_received, 0u);
}

TEST(Stats, tell_what_the_schedule_says_now) {
  config::SimulatorSettings settings = fast();
  config::SimulatorPhase outage;
  outage.failure_rate = 1;
  outage.slow = 4;
  outage.faults = {{"error_503", 1}};
  settings.schedule = {outage};
  Server server(settings);
  Client client(server.start());
  client.get("/v1/models");
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(stats_of(client)["schedule"].is_null()) << "a GET does not begin the day";
  client.post("/v1/embeddings", R"({"model":"m","input":"x"})");
  EXPECT_EQ(client.read().status, 503);
  const json schedule = stats_of(client)["schedule"];
  EXPECT_EQ(schedule["failure_rate"], 1);
  EXPECT_EQ(schedule["slow"], 4);
  EXPECT_GE(schedule["since_first_request_ms"].get<int>(), 0);
}

}  // namespace
}  // namespace tollgate::simulator
