// A mix of faults over the wire: what is drawn is what a client sees, of streams and of whole answers alike, and the
// same seed gives the same day again.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"
#include "simulator/plan.hpp"

#include <gtest/gtest.h>

#include <set>

namespace tollgate::simulator {
namespace {

using namespace test;
using End = Reply::End;

config::SimulatorSettings troubled(std::uint64_t seed) {
  config::SimulatorSettings settings = fast(4);
  settings.failure_rate = 0.25;
  settings.seed = seed;
  settings.faults = {{"rate_limit", 1},        {"error_500", 1},        {"error_503", 1},
                     {"reset_before_head", 1}, {"hang_before_head", 1}, {"close_before_content", 1}};
  return settings;
}

/// What a client saw, in the names of the faults.
std::string name_of(const Reply& reply) {
  if (reply.end == End::reset) return "reset_before_head";
  if (reply.end == End::cut && reply.status == 200 && content_of(reply.body).empty()) return "close_before_content";
  if (reply.end != End::whole) return "something else";
  if (reply.status == 429) return "rate_limit";
  return reply.status == 200 ? "complete" : "error_" + std::to_string(reply.status);
}

/// What each of so many requests got, in order.
std::vector<std::string> day(std::uint64_t seed, bool stream, std::size_t requests) {
  Server server(troubled(seed));
  const std::uint16_t port = server.start();
  const Planner planner(troubled(seed));
  const Call call;
  std::vector<std::string> seen;
  while (seen.size() < requests) {
    const std::size_t number = seen.size() + 1;
    Client client(port);
    client.post("/v1/chat/completions", chat("sim", stream ? R"(,"stream":true)" : ""));
    // Silence is only waited for where it is planned; that it is never broken is the business of the fault's own test.
    const std::optional<Fault> planned = planner.plan(number, &call, {}).fault;
    const bool hangs = planned == Fault::hang_before_head;
    const std::string got = hangs ? "hang_before_head" : name_of(client.read());
    if (hangs) {
      EXPECT_TRUE(server.wait_until([&] { return server.gauges().requests_received == number; }));
    }
    client.close();
    EXPECT_TRUE(server.wait_until([&] { return server.truth().size() == number; }));
    const TruthEntry entry = server.truth().back();
    EXPECT_EQ(entry.ended, hangs ? "client_gone" : got);
    EXPECT_EQ(entry.fault, got == "complete" ? "" : got);
    seen.push_back(got);
  }
  const Stats stats = server.stats();
  EXPECT_EQ(stats.all.requests, requests);
  return seen;
}

TEST(Mix, is_seen_as_it_was_drawn_and_alike_by_streams_and_whole_answers) {
  const std::vector<std::string> whole = day(5, false, 80);
  EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()),
            (std::set<std::string>{"complete", "rate_limit", "error_500", "error_503", "reset_before_head",
                                   "hang_before_head", "close_before_content"}));
  EXPECT_EQ(day(5, true, 80), whole);
}

TEST(Mix, is_another_one_for_another_seed) { EXPECT_NE(day(5, false, 30), day(6, false, 30)); }

}  // namespace
}  // namespace tollgate::simulator
