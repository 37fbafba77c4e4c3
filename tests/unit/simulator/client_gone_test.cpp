// A client that leaves is noticed in every phase, at once, and the truth log says when and after how much.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"

#include <gtest/gtest.h>

namespace tollgate::simulator {
namespace {

using namespace test;

struct Phase {
  const char* name;
  const char* model;
  bool stream;
  const char* wait_for;  ///< what the client reads before it leaves; empty: only until the request has been received
  std::size_t tokens;    ///< at least so many were sent
};

class ClientGone : public ::testing::TestWithParam<std::tuple<Phase, bool>> {};

TEST_P(ClientGone, is_noticed_and_logged) {
  const auto [phase, by_reset] = GetParam();
  Server server(fast());
  Client client(server.start());
  client.post("/v1/chat/completions", chat(phase.model, phase.stream ? R"(,"stream":true)" : ""));
  ASSERT_TRUE(server.wait_until([&] { return server.gauges().requests_active == 1; }));
  ASSERT_TRUE(client.read_until(phase.wait_for));

  const SteadyTime left = std::chrono::steady_clock::now();
  by_reset ? client.reset() : client.close();
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 1 && server.open_connections() == 0; }));
  const TruthEntry entry = server.truth()[0];
  EXPECT_EQ(entry.ended, "client_gone");
  EXPECT_GE(entry.completion_tokens, phase.tokens);
  EXPECT_LT(entry.completion_tokens, 100'000u);
  EXPECT_GE(entry.finished, left);
  EXPECT_LT(entry.finished - left, seconds(2));
}

INSTANTIATE_TEST_SUITE_P(
    EveryPhase, ClientGone,
    ::testing::Combine(
        ::testing::Values(Phase{"before_the_head", "sim,fault=hang_before_head", false, "", 0},
                          Phase{"whole_answer_in_the_making", "sim,first_token=10m", false, "", 0},
                          Phase{"waiting_for_the_first_token", "sim,first_token=10m", true, "", 0},
                          Phase{"head_sent_waiting", "sim,first_token=10m,head=early", true, "\r\n\r\n", 0},
                          Phase{"between_tokens", "sim,tokens=100000,rate=0.01", true, "\"content\":\"\"", 1},
                          Phase{"mid_stream", "sim,tokens=100000,rate=200", true, "\"content\":\" ", 2},
                          Phase{"hanging", "sim,fault=hang_mid_stream,tokens=8", true, "\"content\":\" ", 4},
                          Phase{"writing_slowly", "sim,fault=slow_bytes", true, "HTTP", 0}),
        ::testing::Bool()),
    [](const auto& instance) {
      return std::string(std::get<0>(instance.param).name) + (std::get<1>(instance.param) ? "_by_reset" : "_by_close");
    });

TEST(ClientGoneMidWrite, ends_a_stream_that_nobody_reads) {
  Server server(fast());
  Client client(server.start());
  // Far more than socket buffers hold, so that the server sits in a write when the client goes.
  client.post("/v1/chat/completions", chat("sim,tokens=100000000,rate=0", R"(,"stream":true)"));
  ASSERT_TRUE(server.wait_until([&] { return server.gauges().tokens_sent > 1000; }));
  client.reset();
  ASSERT_TRUE(server.wait_until([&] { return server.truth().size() == 1; }));
  EXPECT_EQ(server.truth()[0].ended, "client_gone");
  EXPECT_LT(server.truth()[0].bytes_sent, 100'000'000u) << "an unread answer must wait for its reader";
}

}  // namespace
}  // namespace tollgate::simulator
