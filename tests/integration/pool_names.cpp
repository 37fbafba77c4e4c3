// Providers found by name: every address is tried, a name that cannot be had is an error of its own, and no name delays
// another.
#include "tollgate/simulator/server.hpp"

#include "pool_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/silent_address.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace tollgate::test {
namespace {

io::Addresses addresses(const std::vector<std::string>& literals) {
  io::Addresses all;
  for (const std::string& literal : literals) all.push_back(*io::Address::parse(literal));
  return all;
}

std::string named(const std::string& host, std::uint16_t port, const std::string& more = {}) {
  return "providers:\n  up:\n    base_url: http://" + host + ":" + std::to_string(port) + "/v1\n" + more +
         "models:\n  m: {provider: up}\n";
}

TEST(Names, whose_first_address_refuses_are_reached_by_the_second) {
  RawUpstream upstream;
  const io::Lookup two = [](const std::string&) -> Result<io::Addresses> {
    return addresses({"127.0.0.2", "127.0.0.1"});
  };
  GatewayUnderTest gateway(named("two.test", upstream.port()), {}, two);
  RawClient client(gateway.address());
  client.send(request("one"));
  RawSocket connection = upstream.accept();
  EXPECT_EQ(RawUpstream::read_request(connection).field("host"), "two.test:" + std::to_string(upstream.port()));
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Names, whose_first_address_is_silent_are_reached_by_the_second_in_time) {
  RawUpstream upstream;
  const SilentAddress silent("127.0.0.2", upstream.port());
  const io::Lookup two = [](const std::string&) -> Result<io::Addresses> {
    return addresses({"127.0.0.2", "127.0.0.1"});
  };
  GatewayUnderTest gateway(named("two.test", upstream.port(), "    timeouts: {connect: 1s}\n"), {}, two);
  RawClient client(gateway.address());
  client.send(request("one"));
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(json_answer("{}"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Names, all_of_whose_addresses_are_silent_time_out_while_connecting) {
  RawUpstream upstream;
  const SilentAddress first("127.0.0.2", upstream.port()), second("127.0.0.3", upstream.port());
  const io::Lookup two = [](const std::string&) -> Result<io::Addresses> {
    return addresses({"127.0.0.2", "127.0.0.3"});
  };
  GatewayUnderTest gateway(named("two.test", upstream.port(), "    timeouts: {connect: 300ms}\n"), {}, two);
  RawClient client(gateway.address());
  client.send(request("one"));
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("phase: connect"), std::string::npos) << answer.body;
}

TEST(Names, that_do_not_resolve_are_an_upstream_error) {
  const io::Lookup none = [](const std::string&) -> Result<io::Addresses> {
    return Failure{FailureKind::upstream_error, Source::upstream, "no such name"};
  };
  GatewayUnderTest gateway(named("nowhere.test", 80), {}, none);
  RawClient client(gateway.address());
  for (int i = 0; i < 3; ++i) {
    client.send(request("one"));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(error_code(answer), "upstream_error");
    EXPECT_NE(answer.body.find("could not be resolved"), std::string::npos) << answer.body;
  }
}

TEST(Names, that_nobody_answers_for_delay_no_other_name) {
  RawUpstream upstream;
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  const io::Lookup lookup = [ended](const std::string& host) -> Result<io::Addresses> {
    if (host == "silent.test") ended.wait();
    return addresses({"127.0.0.1"});
  };
  const std::string port = std::to_string(upstream.port());
  GatewayUnderTest gateway("providers:\n  a: {base_url: \"http://silent.test:" + port +
                               "/v1\", timeouts: {connect: 2s}}\n  b: {base_url: \"http://good.test:" + port +
                               "/v1\"}\nmodels:\n  silent: {provider: a}\n  m: {provider: b}\n",
                           {}, lookup);
  RawClient stuck(gateway.address()), other_loop(gateway.address()), same_loop(gateway.address());
  stuck.send(post("/v1/chat/completions", chat_body("silent")));
  ASSERT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 1));
  same_loop.send(request("good"));
  RawSocket connection = upstream.accept();
  EXPECT_TRUE(carries(RawUpstream::read_request(connection), "good"));
  connection.send(json_answer("{}"));
  EXPECT_EQ(same_loop.read_answer().status, 200);
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 1));  // the other is still stuck
  const Answer answer = stuck.read_answer();
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("phase: connect"), std::string::npos) << answer.body;
  end.set_value();
}

TEST(Names, that_have_moved_are_found_again) {
  simulator::Server upstream(quick_simulator(1));
  const auto asked = std::make_shared<std::atomic<int>>(0);
  const io::Lookup moving = [asked](const std::string&) -> Result<io::Addresses> {
    return addresses({++*asked == 1 ? "127.0.0.2" : "127.0.0.1"});
  };
  GatewayUnderTest gateway(named("moving.test", upstream.start()), {}, moving);
  RawClient client(gateway.address());
  const auto status = [&] {
    client.send(post("/v1/chat/completions", chat_body("m")));
    return client.read_answer().status;
  };
  EXPECT_EQ(status(), 502);
  // The failure to connect asks for the name again, long before its refresh is due.
  EXPECT_TRUE(eventually([&] { return status() == 200; }));
}

}  // namespace
}  // namespace tollgate::test
