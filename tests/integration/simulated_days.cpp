// The simulator's bad days as a client of the gateway lives through them: phases, limits and keys that come out of the
// gateway's own configuration, and what the simulator counted of it.
#include "tollgate/base/digest.hpp"
#include "tollgate/simulator/server.hpp"

#include "support/gateway_under_test.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tollgate::test {
namespace {

using nlohmann::json;

/// A gateway on its built-in simulator, told its keys in YAML's flow form.
class Day {
 public:
  explicit Day(const std::string& simulator, const std::string& more = "")
      : gateway_("providers:\n  sim: {simulator: {first_token: 0ms, tokens_per_second: 1000000, " + simulator + "}" +
                 more + "}\nmodels:\n  \"sim/*\": {provider: sim, name: \"*\"}\n") {}

  Answer ask(bool stream = false, const std::string& model = "sim/x") {
    RawClient client(gateway_.address());
    client.send(post("/v1/chat/completions", chat_body(model, stream)));
    return client.read_answer();
  }

 private:
  GatewayUnderTest gateway_;
};

std::string code_of(const Answer& answer) { return json::parse(answer.body).at("/error/code"_json_pointer); }

TEST(SimulatedDay, has_an_outage_in_its_phase) {
  Day day("schedule: [{failure_rate: 100%, faults: {error_503: 1}}, {from: 20h, failure_rate: 0%}]");
  for (const bool stream : {false, true}) {
    const Answer answer = day.ask(stream);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(code_of(answer), "server_is_overloaded");
  }
}

TEST(SimulatedDay, is_an_ordinary_one_outside_its_phases) {
  Day day("schedule: [{from: 20h, failure_rate: 100%, slow: 10}]");
  for (const bool stream : {false, true}) EXPECT_EQ(day.ask(stream).status, 200);
}

TEST(SimulatedDay, limits_the_gateways_credential_and_says_when_to_come_back) {
  Day day("limits: {requests_per_minute: 1}");
  EXPECT_EQ(day.ask().status, 200);
  Answer limited = day.ask();
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(code_of(limited), "rate_limit_exceeded");
  EXPECT_GE(std::stod(limited.fields["retry-after"]), 1);
}

TEST(SimulatedDay, knows_the_keys_it_accepts) {
  Day right("accepts: [test-key-1]", ", credentials: [{name: main, key: test-key-1}]");
  EXPECT_EQ(right.ask().status, 200);
  Day wrong("accepts: [test-key-1]", ", credentials: [{name: main, key: test-key-2}]");
  const Answer refused = wrong.ask();
  EXPECT_EQ(refused.status, 502);
  EXPECT_EQ(code_of(refused), "upstream_auth_failed");
}

TEST(SimulatedDay, can_be_read_at_the_simulator_by_outcome_and_credential) {
  config::SimulatorSettings settings = quick_simulator(4);
  config::SimulatorPhase outage;
  outage.failure_rate = 1;
  outage.faults = {{"error_503", 1}};
  settings.schedule = {outage};
  simulator::Server upstream(settings);
  const std::uint16_t port = upstream.start();
  GatewayUnderTest gateway(config_for(port, "credentials: [{name: main, key: test-key-1}]"));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("up/x")));
  EXPECT_EQ(client.read_answer().status, 503);
  client.send(post("/v1/chat/completions", chat_body("up/x,fault=none")));
  EXPECT_EQ(client.read_answer().status, 200);
  ASSERT_TRUE(upstream.wait_until([&] { return upstream.stats().all.outcomes.contains("complete"); }));

  RawClient reader("127.0.0.1:" + std::to_string(port));
  reader.send(get("/stats"));
  const json stats = json::parse(reader.read_answer().body);
  EXPECT_GE(stats["finished"]["outcomes"]["error_503"], 1);
  EXPECT_EQ(stats["finished"]["outcomes"]["complete"], 1);
  EXPECT_EQ(stats["schedule"]["failure_rate"], 1);
  const std::string credential = to_hex(sha256("test-key-1")).substr(0, 8);
  EXPECT_EQ(stats["credentials"].size(), 1u);
  EXPECT_EQ(stats["credentials"][credential]["requests"], stats["finished"]["requests"]);
}

}  // namespace
}  // namespace tollgate::test
