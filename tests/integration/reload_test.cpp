// A reload changes all or nothing and disturbs nobody: not a request in flight, not a connection of a provider that
// stayed the same.
#include "tollgate/simulator/server.hpp"

#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/quick_simulator.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <thread>

namespace tollgate::test {
namespace {

namespace fs = std::filesystem;

const std::string generation = "tollgate_config_generation";
const std::string succeeded = "tollgate_config_reloads_total{result=\"success\"}";
const std::string failed = "tollgate_config_reloads_total{result=\"failure\"}";

/// Asks until the admin API's rate has room for it.
Answer reload(const GatewayUnderTest& gateway) {
  Answer answer;
  eventually([&] {
    RawClient admin(gateway.admin_address());
    admin.send(post("/admin/v1/reload", "", "Connection: close\r\n"));
    answer = admin.read_answer();
    return answer.status != 429;
  });
  return answer;
}

Answer ask(RawClient& client, const std::string& model, bool stream = false) {
  client.send(post("/v1/chat/completions", chat_body(model, stream)));
  return client.read_answer();
}

void put(const GatewayUnderTest& gateway, const std::string& config) {
  // Whole or not at all, whenever the gateway looks.
  gateway.folder().write("next.yaml", gateway.whole_config(config));
  fs::rename(gateway.folder().path() / "next.yaml", gateway.folder().path() / "routes.yaml");
}

std::string faulty(int number, const std::string& good) {
  const std::array<std::string, 6> faulty{good + "routes:\n  r: {primary: nobody}\n",
                                          good + "modles: {}\n",
                                          good + "routes: [\n",
                                          good + "models: {}\n",
                                          "providers: {up: {}}\n",
                                          good + "defaults: {deadline: soon}\n"};
  return faulty[static_cast<std::size_t>(number) % faulty.size()];
}

// --- under load ---

/// Clients that keep their connection and call all the time, JSON and streams in turn, until told to stop.
class Load {
 public:
  Load(const std::string& address, int clients) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this, address] { call_all_the_time(address); });
  }
  ~Load() { stop(); }

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  int answered() const { return answered_; }

 private:
  void call_all_the_time(const std::string& address) {
    RawClient client(address);
    for (bool stream = false; !stopping_; stream = !stream) {
      const Answer answer = ask(client, "m", stream);
      const bool good =
          answer.status == 200 && answer.complete && (!stream || answer.body.ends_with("data: [DONE]\n\n"));
      if (!good) {
        ADD_FAILURE() << answer.head << answer.body;
        return;
      }
      ++answered_;
    }
  }

  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> answered_{0};
};

TEST(ReloadUnderLoad, four_hundred_times_one_in_four_invalid_fails_no_request) {
  constexpr int clients = 4, reloads = 400;  // beyond the admin API's burst, 50 a second
  simulator::Server upstream(quick_simulator(8));
  const std::string good = config_for(upstream.start());
  GatewayUnderTest gateway(good);
  Load load(gateway.address(), clients);
  std::uint64_t accepted = 0, refused = 0;
  for (int i = 0; i < reloads && !testing::Test::HasFailure(); ++i) {
    const bool valid = i % 4 != 3;
    put(gateway, valid ? good + "  extra-" + std::to_string(i) + ": {provider: up}\n" : faulty(i / 4, good));
    const Answer answer = reload(gateway);
    EXPECT_EQ(answer.status, valid ? 200 : 422) << answer.body;
    EXPECT_EQ(answer.body.find("\"faults\":[]") != std::string::npos, valid) << answer.body;
    ++(valid ? accepted : refused);
  }
  load.stop();

  std::cout << load.answered() << " requests during " << accepted + refused << " reloads (" << refused
            << " refused), upstream connections " << upstream.gauges().connections_accepted << "\n";
  RecordProperty("requests", load.answered());
  EXPECT_GT(load.answered(), reloads / 10);
  EXPECT_GE(gateway.metric(succeeded),
            static_cast<double>(accepted));  // the file watch may have been quicker now and then
  EXPECT_GE(gateway.metric(failed), static_cast<double>(refused));
  EXPECT_TRUE(eventually([&] { return gateway.metric(generation) == gateway.metric(succeeded) + 1; }));
  // The pool outlives every reload: no client's call needed more than the connection of its last one, or the one
  // before.
  EXPECT_LE(upstream.gauges().connections_accepted, 4U * clients);
}

// --- what a request in flight sees ---

std::string two_upstreams(std::uint16_t first, std::uint16_t second, const std::string& primary) {
  const auto provider = [](const std::string& name, std::uint16_t port) {
    return "  " + name + ": {base_url: \"http://127.0.0.1:" + std::to_string(port) + "/v1\"}\n";
  };
  return "providers:\n" + provider("one", first) + provider("two", second) +
         "models:\n  first: {provider: one}\n  second: {provider: two}\nroutes:\n  r: {primary: " + primary + "}\n";
}

TEST(Reload, leaves_a_request_in_flight_with_the_configuration_it_began_with) {
  RawUpstream one, two;
  GatewayUnderTest gateway(two_upstreams(one.port(), two.port(), "first"));
  RawClient began_before(gateway.address());
  began_before.send(post("/v1/chat/completions", chat_body("r", true)));
  RawSocket old_stream = one.accept();
  RawUpstream::read_request(old_stream);
  old_stream.send(stream_head + chunk(token("before")));
  std::string seen;
  ASSERT_TRUE(began_before.socket().receive_until(seen, "before"));

  put(gateway, two_upstreams(one.port(), two.port(), "second"));
  ASSERT_EQ(reload(gateway).status, 200);

  RawClient begins_after(gateway.address());
  begins_after.send(post("/v1/chat/completions", chat_body("r")));
  RawSocket connection = two.accept();
  EXPECT_NE(RawUpstream::read_request(connection).body.find("\"second\""), std::string::npos);
  connection.send(json_answer("{}"));
  const Answer after = begins_after.read_answer();
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.fields.at("x-tollgate-provider"), "two");

  old_stream.send(chunk(token("after") + finish_event + done_event) + last_chunk);
  EXPECT_TRUE(began_before.socket().receive_until(seen, "[DONE]"));
  EXPECT_NE(seen.find("after"), std::string::npos);
  EXPECT_NE(seen.find("X-Tollgate-Provider: one"), std::string::npos);
}

TEST(Reload, lets_a_stream_end_whose_provider_is_gone) {
  RawUpstream one, two;
  GatewayUnderTest gateway(two_upstreams(one.port(), two.port(), "first"));
  RawClient client(gateway.address());
  client.send(post("/v1/chat/completions", chat_body("r", true)));
  RawSocket stream = one.accept();
  RawUpstream::read_request(stream);
  stream.send(stream_head + chunk(token("before")));
  std::string seen;
  ASSERT_TRUE(client.socket().receive_until(seen, "before"));

  put(gateway, config_for(two.port()));
  ASSERT_EQ(reload(gateway).status, 200);
  RawClient other(gateway.address());
  EXPECT_EQ(ask(other, "r").status, 404);

  stream.send(chunk(token("after") + finish_event + done_event) + last_chunk);
  EXPECT_TRUE(client.socket().receive_until(seen, "[DONE]"));
  EXPECT_TRUE(stream.wait_closed());  // its pool went with it
}

TEST(Reload, keeps_the_connections_of_a_provider_that_did_not_change) {
  KeepAliveUpstream upstream;
  const std::string before = config_for(upstream.port(), "pool: {idle: 1m}");
  GatewayUnderTest gateway(before);
  RawClient client(gateway.address());
  const auto connection_of_next_call = [&] {
    client.send(post("/v1/chat/completions", chat_body("m")));
    const std::size_t connection = upstream.next().connection;
    upstream.connection(connection).send(json_answer("{}"));
    EXPECT_EQ(client.read_answer().status, 200);
    return connection;
  };
  EXPECT_EQ(connection_of_next_call(), 0U);
  put(gateway, before + "  other: {provider: up}\n");
  ASSERT_EQ(reload(gateway).status, 200);
  EXPECT_EQ(connection_of_next_call(), 0U);
  put(gateway, config_for(upstream.port(), "pool: {idle: 1m}\ntimeouts: {idle: 7s}"));
  ASSERT_EQ(reload(gateway).status, 200);
  EXPECT_EQ(connection_of_next_call(), 0U);
  // What the connection depends on has changed: the old one is closed.
  put(gateway, config_for(upstream.port(), "pool: {idle: 1m}\nheaders: {x-team: blue}"));
  ASSERT_EQ(reload(gateway).status, 200);
  EXPECT_EQ(connection_of_next_call(), 1U);
  EXPECT_TRUE(!upstream.connection(0).is_open() || upstream.connection(0).wait_closed());
}

// --- what is refused ---

TEST(Reload, of_a_bad_file_changes_nothing_and_names_each_fault) {
  RawUpstream upstream;
  const std::string good = config_for(upstream.port());
  GatewayUnderTest gateway(good);
  put(gateway, good + "  extra: {provider: upp}\nrouts: {}\n");
  const Answer answer = reload(gateway);
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("\"accepted\":false"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("\"generation\":1"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("routes.yaml:"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("models.extra.provider"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("routs"), std::string::npos) << answer.body;
  EXPECT_EQ(gateway.metric(generation), 1);
  EXPECT_GE(gateway.metric(failed), 1);
  EXPECT_EQ(gateway.metric("tollgate_config_last_reload_successful"), 0);
  RawClient client(gateway.address());
  EXPECT_EQ(ask(client, "extra").status, 404);

  put(gateway, good);
  EXPECT_EQ(reload(gateway).status, 200);
  EXPECT_EQ(gateway.metric("tollgate_config_last_reload_successful"), 1);
}

TEST(Reload, of_a_file_that_is_gone_is_refused) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  fs::remove(gateway.folder().path() / "routes.yaml");
  EXPECT_EQ(reload(gateway).status, 422);
  EXPECT_EQ(gateway.metric(generation), 1);
}

TEST(Reload, tells_which_keys_wait_for_a_restart) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  std::string text = gateway.whole_config(config_for(upstream.port()));
  text.replace(text.find("threads: 2"), 10, "threads: 3");
  gateway.folder().write("routes.yaml", text);
  const Answer answer = reload(gateway);
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"needs_restart\":[\"server.threads\"]"), std::string::npos) << answer.body;
}

// --- how it comes about ---

/// A gateway whose file is about to offer one more model, and whether that model is there.
class ReloadBy : public testing::Test {
 protected:
  std::string with_extra() const { return config_for(upstream_.port()) + "  extra: {provider: up}\n"; }
  void expect_extra_model(double generation_now = 2) {
    ASSERT_TRUE(gateway_.wait_for_metric(generation, generation_now)) << gateway_.metric(generation);
    RawClient client(gateway_.address());
    client.send(get("/v1/models/extra"));
    EXPECT_EQ(client.read_answer().status, 200);
  }
  fs::path file() const { return gateway_.folder().path() / "routes.yaml"; }

  RawUpstream upstream_;
  GatewayUnderTest gateway_{config_for(upstream_.port())};
};

TEST_F(ReloadBy, writing_the_file) {
  gateway_.rewrite_config(with_extra());
  expect_extra_model();
}

TEST_F(ReloadBy, renaming_another_file_over_it) {
  put(gateway_, with_extra());
  expect_extra_model();
}

TEST_F(ReloadBy, swapping_a_symbolic_link_on_its_way) {
  // As a Kubernetes ConfigMap does it: the file is a link into a folder that is itself a link.
  const fs::path folder = gateway_.folder().path();
  fs::create_directory(folder / "v1");
  fs::create_directory(folder / "v2");
  fs::copy(file(), folder / "v1" / "routes.yaml");
  gateway_.folder().write("v2/routes.yaml", gateway_.whole_config(with_extra()));
  fs::create_symlink("v1", folder / "data");
  fs::create_symlink("data/routes.yaml", folder / "link");
  fs::rename(folder / "link", file());
  ASSERT_TRUE(gateway_.wait_for_metric(generation, 2));

  fs::create_symlink("v2", folder / "next");
  fs::rename(folder / "next", folder / "data");
  expect_extra_model(3);
}

TEST_F(ReloadBy, the_signal) {
  put(gateway_, with_extra());
  gateway_.gateway().request_reload();
  ASSERT_TRUE(gateway_.wait_for_metric(generation, 2) || gateway_.metric(generation) == 3);
  RawClient client(gateway_.address());
  client.send(get("/v1/models/extra"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(ReloadBy, the_file_watch_refuses_half_a_file_and_takes_the_whole_one) {
  const std::string whole = gateway_.whole_config(with_extra());
  gateway_.folder().write("routes.yaml", whole.substr(0, whole.find("base_url")));
  ASSERT_TRUE(gateway_.wait_for_metric(failed, 1));
  EXPECT_EQ(gateway_.metric(generation), 1);
  gateway_.folder().write("routes.yaml", whole);
  expect_extra_model();
}

}  // namespace
}  // namespace tollgate::test
