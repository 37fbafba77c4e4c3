// A target that is given only so many requests at a time: who waits, who goes first, who is sent away, and that every
// place comes back however a request ends.
#include "choice_parts.hpp"
#include "support/json_schema.hpp"
#include "support/waiting.hpp"

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace tollgate::test {
namespace {

using nlohmann::json;

const std::string patient = ", circuit: {failures: 1000, min_requests: 1000000}";

std::string said_by(const std::string& user, const std::string& model = "auto", bool stream = false) {
  return R"({"model":")" + model + R"(","messages":[],"user":")" + user + "\"" + (stream ? ",\"stream\":true}" : "}");
}

std::string user_of(const UpstreamRequest& request) { return json::parse(request.body).at("user"); }

class PlacesTest : public testing::Test {
 protected:
  std::string config(const std::string& concurrency, const std::string& fallbacks = "",
                     const std::string& more = "retry: {attempts: 1}") const {
    return "defaults: {" + more + "}\nproviders:\n" +
           provider_at("a", one_.port(), "concurrency: {" + concurrency + "}" + patient) +
           provider_at("b", two_.port(), "concurrency: {" + concurrency + "}" + patient) +
           "models:\n  one: {provider: a}\n  two: {provider: b}\n"
           "  both: {targets: [{provider: a, weight: 1000000}, {provider: b, weight: 0.001}]}\n"
           "routes:\n  auto: {primary: one, fallbacks: [" +
           fallbacks + "]}\n";
  }
  void start(const std::string& text) { gateway_ = std::make_unique<GatewayUnderTest>(text); }

  RawClient& ask(const std::string& user, const std::string& fields = {}, const std::string& model = "auto") {
    clients_.push_back(std::make_unique<RawClient>(gateway_->address()));
    clients_.back()->send(post("/v1/chat/completions", said_by(user, model), fields));
    return *clients_.back();
  }
  void expect_places(const std::string& label, int limit, int in_flight, int waiting) {
    const json wanted = {{"limit", limit}, {"in_flight", in_flight}, {"waiting", waiting}};
    EXPECT_TRUE(eventually([&] { return target_view(*gateway_, label).at("places") == wanted; }))
        << target_view(*gateway_, label) << " instead of " << wanted;
  }
  /// Lets the next one be answered; who it was.
  std::string answer_next(KeepAliveUpstream& upstream, int status = 200) {
    const auto call = upstream.next();
    upstream.connection(call.connection).send(status == 200 ? json_answer(good) : failed_answer(status));
    return user_of(call.request);
  }

  KeepAliveUpstream one_, two_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(PlacesTest, are_shared_by_all_threads_and_given_one_after_the_other) {
  start(config("limit: 1, max_wait: 10s"));
  // Clients go to the two event loops in turn.
  for (int i = 0; i < 4; ++i) {
    ask(std::to_string(i));
    expect_places("a/one", 1, 1, i);
  }
  for (int left = 3; left >= 0; --left) {
    const auto call = one_.next();
    expect_places("a/one", 1, 1, left);
    for (std::size_t i = 0; i < one_.accepted(); ++i)
      EXPECT_FALSE(one_.connection(i).receive(std::chrono::milliseconds(0)).has_value());
    one_.connection(call.connection).send(json_answer(good));
  }
  for (const auto& client : clients_) expect_by(client->read_answer(), "a", "1", "primary");
  EXPECT_LE(one_.accepted(), 2u) << "one connection for each event loop";
  expect_places("a/one", 1, 0, 0);
}

TEST_F(PlacesTest, turn_away_at_once_who_may_not_even_wait) {
  start(config("limit: 1, queue: 1, max_wait: 10s"));
  ask("holds");
  expect_places("a/one", 1, 1, 0);
  ask("waits");
  expect_places("a/one", 1, 1, 1);
  const Answer got = ask("leaves").read_answer();
  EXPECT_EQ(got.status, 503);
  EXPECT_NE(got.body.find("\"overloaded\""), std::string::npos) << got.body;
  EXPECT_EQ(got.fields.at("retry-after"), "1");
  EXPECT_EQ(got.fields.count("x-should-retry"), 0u);
  EXPECT_EQ(answer_next(one_), "holds");
  EXPECT_EQ(answer_next(one_), "waits");
}

TEST_F(PlacesTest, turn_away_who_has_waited_in_vain) {
  start(config("limit: 1, max_wait: 50ms"));
  ask("holds");
  expect_places("a/one", 1, 1, 0);
  EXPECT_EQ(ask("waits").read_answer().status, 503);
  expect_places("a/one", 1, 1, 0);
  // A short deadline leaves less time for waiting.
  start(config("limit: 1, max_wait: 1m"));
  ask("holds");
  expect_places("a/one", 1, 1, 0);
  EXPECT_EQ(ask("waits", "x-tollgate-timeout-ms: 1000\r\n").read_answer().status, 503);
}

TEST_F(PlacesTest, leave_who_has_waited_in_vain_to_the_fallback) {
  start(config("limit: 1, max_wait: 50ms", "two"));
  ask("holds");
  expect_places("a/one", 1, 1, 0);
  RawClient& client = ask("waits");
  EXPECT_EQ(answer_next(two_), "waits");
  expect_by(client.read_answer(), "b", "1", "overloaded");
}

TEST_F(PlacesTest, are_looked_for_at_an_equivalent_target_before_anybody_waits) {
  start(config("limit: 1, max_wait: 10s"));
  ask("first", {}, "both");
  const auto held = one_.next();
  RawClient& client = ask("second", {}, "both");
  EXPECT_EQ(answer_next(two_), "second");
  EXPECT_EQ(client.read_answer().fields.at("x-tollgate-provider"), "b");
  one_.connection(held.connection).send(json_answer(good));
  EXPECT_EQ(clients_[0]->read_answer().fields.at("x-tollgate-provider"), "a");
}

TEST_F(PlacesTest, go_to_the_next_one_where_a_client_leaves_in_the_queue) {
  start(config("limit: 1, max_wait: 10s"));
  RawClient& holds = ask("holds");
  expect_places("a/one", 1, 1, 0);
  RawClient& leaves = ask("leaves");
  expect_places("a/one", 1, 1, 1);
  ask("stays");
  expect_places("a/one", 1, 1, 2);
  leaves.socket().close();
  expect_places("a/one", 1, 1, 1);
  EXPECT_TRUE(
      gateway_->wait_for_log("\"status\":499,\"outcome\":\"cancelled\",\"ended_by\":\"client\",\"phase\":\"queue\""))
      << gateway_->access_log();
  EXPECT_EQ(answer_next(one_), "holds");
  EXPECT_EQ(answer_next(one_), "stays");
  EXPECT_EQ(holds.read_answer().status, 200);
  EXPECT_EQ(clients_[2]->read_answer().status, 200);
  expect_places("a/one", 1, 0, 0);
}

TEST_F(PlacesTest, go_to_high_priorities_first) {
  start(config("limit: 1, max_wait: 10s"));
  ask("holds");
  expect_places("a/one", 1, 1, 0);
  int waiting = 0;
  for (const std::string priority : {"low", "normal", "high"}) {
    ask(priority, "x-tollgate-priority: " + priority + "\r\n");
    expect_places("a/one", 1, 1, ++waiting);
  }
  for (const std::string user : {"holds", "high", "normal", "low"}) EXPECT_EQ(answer_next(one_), user);
}

TEST_F(PlacesTest, become_more_by_a_reload_at_once) {
  start(config("limit: 1, max_wait: 10s"));
  ask("holds");
  const auto held = one_.next();
  ask("waits");
  expect_places("a/one", 1, 1, 1);
  gateway_->rewrite_config(config("limit: 2, max_wait: 10s"));
  gateway_->gateway().request_reload();
  EXPECT_EQ(answer_next(one_), "waits");
  EXPECT_EQ(clients_[1]->read_answer().status, 200);
  expect_places("a/one", 2, 1, 0);
  one_.connection(held.connection).send(json_answer(good));
  expect_places("a/one", 2, 0, 0);
}

TEST_F(PlacesTest, become_fewer_where_a_target_says_that_it_has_too_much) {
  for (const int status : {503, 429, 529}) {
    start(config("limit: 10, adaptive: true"));
    // A tenth less each time; never fewer than four.
    for (const int limit : {9, 8, 7, 6, 5, 5, 4, 4, 4, 4, 4}) {
      RawClient& client = ask("x");
      answer_next(one_, status);
      EXPECT_EQ(client.read_answer().status, status);
      expect_places("a/one", limit, 0, 0);
    }
  }
  start(config("limit: 10"));
  RawClient& client = ask("x");
  answer_next(one_, 503);
  EXPECT_EQ(client.read_answer().status, 503);
  expect_places("a/one", 10, 0, 0);
}

TEST_F(PlacesTest, are_shown_as_the_document_says) {
  start(config("limit: 3"));
  RawClient operators(gateway_->admin_address());
  operators.send(get("/admin/v1/openapi.json"));
  const SchemaCheck check(json::parse(operators.read_answer().body));
  operators.send(get("/admin/v1/targets"));
  const Answer got = operators.read_answer();
  EXPECT_EQ(check.answer_fault("GET", "/admin/v1/targets", got.status, got.body), "");
  EXPECT_EQ(target_view(*gateway_, "b/both").at("places").at("limit"), 3);
}

/// How each kind of request is answered, by what it says of itself.
std::string play(const UpstreamRequest& request) {
  const json body = json::parse(request.body);
  const std::string user = body.at("user");
  if (user == "fails") return failed_answer(500);
  if (user == "breaks") return AnsweringUpstream::reset;
  if (user != "ok") return {};  // hangs, or its client leaves
  if (!body.contains("stream")) return json_answer(good);
  return stream_head +
         chunk(
             "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n"
             "data: [DONE]\n\n") +
         last_chunk;
}

/// Fifty requests, one after the other, of every kind by chance; what was answered otherwise than it should.
std::vector<std::string> ask_at_random(const std::string& address, unsigned seed) {
  const std::map<std::string, int> expected{{"ok", 200}, {"fails", 500}, {"breaks", 502}, {"hangs", 504}};
  const std::array<std::string, 8> kinds{"ok", "ok", "ok", "fails", "breaks", "hangs", "leaves", "leaves"};
  std::mt19937 chance(seed);
  std::vector<std::string> wrong;
  for (int i = 0; i < 50; ++i) {
    const std::string& kind = kinds[chance() % kinds.size()];
    RawClient client(address);
    client.send(post("/v1/chat/completions", said_by(kind, "auto", chance() % 2 == 0)));
    if (kind == "leaves") {
      // Sooner or later: in the queue, at one target, or at both.
      client.socket().receive(std::chrono::milliseconds(chance() % 60));
      continue;
    }
    const Answer got = client.read_answer();
    if (got.status != expected.at(kind)) wrong.push_back(kind + ": " + std::to_string(got.status) + " " + got.body);
  }
  return wrong;
}

TEST(PlacesLost, are_none_however_requests_end) {
  AnsweringUpstream one(play), two(play);
  const std::string keys = "concurrency: {limit: 2, queue: 1000, max_wait: 1m}, timeouts: {attempt: 100ms}" + patient;
  GatewayUnderTest gateway(
      "defaults: {retry: {attempts: 2, backoff: {base: 1ms, max: 1ms}, on_timeout: never}, hedge: {share: 50%, after: "
      "20ms}}\nproviders:\n" +
      provider_at("a", one.port(), keys) + provider_at("b", two.port(), keys) +
      "models:\n  one: {provider: a}\n  two: {provider: b}\nroutes:\n  auto: {primary: one, fallbacks: [two]}\n");
  std::array<std::vector<std::string>, 6> wrong;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < wrong.size(); ++i)
      threads.emplace_back([&, i] { wrong[i] = ask_at_random(gateway.address(), i + 1); });
  }
  for (const auto& of_one : wrong)
    for (const std::string& answer : of_one) ADD_FAILURE() << answer;

  const auto free_at = [&](const std::string& label) {
    return target_view(gateway, label).at("places") == json{{"limit", 2}, {"in_flight", 0}, {"waiting", 0}};
  };
  EXPECT_TRUE(eventually([&] { return free_at("a/one") && free_at("b/two"); }));
  EXPECT_EQ(target_view(gateway, "a/one").at("pending"), 0);
  EXPECT_EQ(target_view(gateway, "b/two").at("pending"), 0);
  // Nobody is asked there after a timeout, so these are second attempts.
  EXPECT_GT(gateway.metric("tollgate_attempts_total{target=\"b/two\",credential=\"none\",outcome=\"timeout\"}"), 0);

  // Two at a time still go through, and no third one.
  for (int round = 0; round < 3; ++round) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back(gateway.address());
      clients.back().send(post("/v1/chat/completions", said_by("hangs", "one")));
    }
    EXPECT_TRUE(eventually([&] {
      const auto places = target_view(gateway, "a/one").at("places");
      return places.at("in_flight") == 2 && places.at("waiting") == 1;
    }));
    for (RawClient& client : clients) EXPECT_EQ(client.read_answer().status, 504);
  }
  EXPECT_TRUE(eventually([&] { return free_at("a/one"); }));
}

}  // namespace
}  // namespace tollgate::test
