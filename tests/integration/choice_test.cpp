// Whom a request is sent to by what it is: what it needs of a model, how long it is, and which conversation it goes on.
// Conversations are told apart at simulated providers, since a choice by cost needs answers that take some time.
#include "choice_parts.hpp"
#include "support/waiting.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <set>

namespace tollgate::test {
namespace {

const std::string user_says_hello = R"("messages":[{"role":"user","content":"hello"}])";
const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"weather"}}])";
const std::string schema = R"(,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}})";
const std::string picture =
    R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}])";

/// Three providers that answer by themselves, with a status that the test may change.
class ChoiceTest : public testing::Test {
 protected:
  struct Provider {
    std::atomic<int> status = 200;
    std::atomic<int> asked = 0;
    AnsweringUpstream upstream{[this](const UpstreamRequest&) {
      ++asked;
      return status == 200 ? json_answer(good) : failed_answer(status);
    }};
  };

  /// `models`: what follows in the configuration.
  void start(const std::string& models, const std::string& defaults = "retry: {attempts: 3, backoff: {base: 1ms}}",
             const std::string& circuit = "failures: 1000, min_requests: 1000000") {
    std::string text = "defaults: {" + defaults + "}\nproviders:\n";
    for (const char* name : {"a", "b", "c"})
      text += provider_at(name, provider(name).upstream.port(), "circuit: {" + circuit + "}");
    gateway_ = std::make_unique<GatewayUnderTest>(text + models);
    client_ = std::make_unique<RawClient>(gateway_->address());
  }
  void start_fallbacks(const std::string& of_one, const std::string& of_two, const std::string& of_three) {
    start("models:\n  one: {provider: a" + of_one + "}\n  two: {provider: b" + of_two + "}\n  three: {provider: c" +
          of_three +
          "}\nroutes:\n  auto: {primary: one, fallbacks: [two, three]}\n  pair: {primary: one, fallbacks: "
          "[two]}\n");
  }

  Provider& provider(const std::string& name) { return providers_.at(static_cast<std::size_t>(name[0] - 'a')); }

  Answer ask(const std::string& model, const std::string& members) {
    client_->send(post("/v1/chat/completions", R"({"model":")" + model + "\"," + members + "}"));
    return client_->read_answer();
  }

  std::array<Provider, 3> providers_;
  std::unique_ptr<GatewayUnderTest> gateway_;
  std::unique_ptr<RawClient> client_;
};

struct Need {
  std::string feature, members, named;
};

class Feature : public ChoiceTest, public testing::WithParamInterface<Need> {};

TEST_P(Feature, that_the_primary_lacks_goes_to_the_fallback) {
  const std::string without = ", features: {" + GetParam().feature + ": false}";
  start_fallbacks(without, "", "");
  expect_by(ask("auto", GetParam().members), "b", "1", "unsupported_feature");
  expect_by(ask("pair", GetParam().members), "b", "1", "unsupported_feature");
  expect_by(ask("auto", user_says_hello), "a", "1", "primary");
  start_fallbacks(without, without, "");
  expect_by(ask("auto", GetParam().members), "c", "1", "unsupported_feature");
}

TEST_P(Feature, that_a_fallback_lacks_goes_past_it) {
  start_fallbacks("", ", features: {" + GetParam().feature + ": false}", "");
  provider("a").status = 500;
  expect_by(ask("auto", GetParam().members), "c", "3", "retry_exhausted");
}

TEST_P(Feature, that_nobody_has_is_the_clients_mistake) {
  const std::string without = ", features: {" + GetParam().feature + ": false}";
  start_fallbacks(without, without, without);
  for (const char* model : {"auto", "pair", "one"}) {
    const Answer got = ask(model, GetParam().members);
    EXPECT_EQ(got.status, 400) << got.body;
    EXPECT_NE(got.body.find("\"unsupported_feature\""), std::string::npos) << got.body;
    EXPECT_NE(got.body.find(GetParam().named), std::string::npos) << got.body;
  }
  EXPECT_EQ(ask("auto", user_says_hello).status, 200);
  EXPECT_EQ(provider("a").asked + provider("b").asked + provider("c").asked, 1);
}

INSTANTIATE_TEST_SUITE_P(Each, Feature,
                         testing::Values(Need{"tools", user_says_hello + tools, "tools"},
                                         Need{"vision", picture, "pictures"},
                                         Need{"json_schema", user_says_hello + schema, "json_schema"}),
                         [](const auto& info) { return info.param.feature; });

std::string long_text(std::size_t bytes) {
  return R"("messages":[{"role":"user","content":")" + std::string(bytes, 'x') + "\"}]";
}

TEST_F(ChoiceTest, goes_to_a_larger_model_at_once_where_the_request_is_too_long) {
  start_fallbacks(", context: 1000", ", context: 2000", ", context: 100000");
  expect_by(ask("auto", long_text(100)), "a", "1", "primary");
  expect_by(ask("auto", long_text(6000)), "b", "1", "context_window");
  expect_by(ask("auto", long_text(60000)), "c", "1", "context_window");
  // What it wants to be answered counts as well.
  expect_by(ask("auto", long_text(100) + R"(,"max_tokens":1500)"), "b", "1", "context_window");
}

TEST_F(ChoiceTest, asks_a_model_that_stands_alone_whatever_the_estimate_says) {
  start_fallbacks(", context: 10", ", context: 20", ", context: 5");
  expect_by(ask("one", long_text(60000)), "a", "1", "primary");
  // Where all are too small it is the primary's turn, as ever.
  expect_by(ask("auto", long_text(60000)), "a", "1", "primary");
}

const std::string equal_targets = "models:\n  m: {targets: [{provider: a}, {provider: b}, {provider: c}]}\n";

/// A conversation after some turns; its beginning is 5 KiB long.
std::string conversation(const std::string& subject, int turns, std::size_t bytes = 5000) {
  std::string messages = R"("messages":[{"role":"system","content":")" + std::string(bytes, 's') +
                         R"("},{"role":"user","content":"about )" + subject + "\"}";
  for (int i = 0; i < turns; ++i)
    messages += R"(,{"role":"assistant","content":"well"},{"role":"user","content":"turn )" + std::to_string(i) + "\"}";
  return messages + "]";
}

class Affinity : public ChoiceTest {
 protected:
  /// Providers whose answers take as long as each other's.
  void start_simulated(const std::string& defaults) {
    std::string text = "defaults: {retry: {attempts: 3}, " + defaults + "}\nproviders:\n";
    for (const std::string name : {"a", "b", "c"})
      text += "  " + name + ": {simulator: {first_token: 40ms, tokens_per_second: 1000000, answer_tokens: 1}}\n";
    gateway_ = std::make_unique<GatewayUnderTest>(text + equal_targets);
    client_ = std::make_unique<RawClient>(gateway_->address());
  }

  Answer turn(const std::string& members) { return ask("m", members); }
  std::string by(const Answer& got) {
    EXPECT_EQ(got.status, 200) << got.body;
    return got.fields.at("x-tollgate-provider");
  }
  /// By the rule it is left where it costs more than twice as much as another, which a busy machine may bring about.
  bool must_stay(const std::string& home) {
    double own = 0, least = 1e12;
    for (const auto& target : target_views(*gateway_)) {
      const double estimate = target.at("first_token_us");
      if (target.at("target") == home + "/m") own = estimate;
      least = std::min(least, estimate);
    }
    return own < 1.8 * least;
  }
};

TEST_F(Affinity, keeps_a_conversation_at_one_target) {
  start_simulated("affinity: true");
  int bound = 0;
  for (const std::string subject : {"bees", "bread", "rain", "stars"}) {
    const std::string home = by(turn(conversation(subject, 0)));
    for (int i = 1; i < 10; ++i) {
      const bool stays = must_stay(home);
      const Answer got = turn(conversation(subject, i));
      if (!stays) continue;
      expect_by(got, home, "1", "affinity");
      ++bound;
    }
  }
  EXPECT_GT(bound, 0);
}

TEST_F(Affinity, goes_by_the_key_of_the_prompt_cache_where_there_is_one) {
  start_simulated("affinity: true");
  const std::string key = R"("prompt_cache_key":"k1",)";
  const std::string home = by(turn(key + conversation("first", 0)));
  int bound = 0;
  for (int i = 0; i < 20; ++i) {
    const bool stays = must_stay(home);
    const Answer got = turn(key + conversation(std::to_string(i), 0));
    if (!stays) continue;
    expect_by(got, home, "1", "affinity");
    ++bound;
  }
  EXPECT_GT(bound, 0);
}

TEST_F(Affinity, spreads_conversations_over_all_targets) {
  start_simulated("affinity: true");
  std::map<std::string, int> by_target;
  for (int i = 0; i < 60; ++i) ++by_target[by(turn(conversation(std::to_string(i), 0)))];
  for (const std::string name : {"a", "b", "c"}) EXPECT_GE(by_target[name], 5) << name;
}

TEST_F(Affinity, does_not_bind_where_it_is_turned_off_or_little_would_be_cached) {
  start_simulated("affinity: false");
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) {
    const Answer got = turn(conversation("bees", i % 5));
    EXPECT_EQ(got.fields.at("x-tollgate-reason"), "weighted");
    seen.insert(by(got));
  }
  EXPECT_EQ(seen.size(), 3u);

  start_simulated("affinity: true");
  seen.clear();
  for (int i = 0; i < 60; ++i) {
    const Answer got = turn(conversation("bees", 1, 1000));
    EXPECT_EQ(got.fields.at("x-tollgate-reason"), "weighted");
    seen.insert(by(got));
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(Affinity, leaves_a_target_whose_circuit_is_open_and_finds_back) {
  start(equal_targets, "retry: {attempts: 3, backoff: {base: 1ms, max: 1ms}}",
        "failures: 1, open_for: 500ms, probes: 1");
  const std::string home = by(turn(conversation("bees", 0)));
  provider(home).status = 500;
  const int before = provider(home).asked;
  EXPECT_TRUE(eventually([&] {
    EXPECT_NE(by(turn(conversation("bees", 1))), home);
    return provider(home).asked > before;
  }));
  const int asked = provider(home).asked;
  const Answer left = turn(conversation("bees", 2));
  EXPECT_NE(by(left), home);
  EXPECT_EQ(left.fields.at("x-tollgate-attempts"), "1");
  EXPECT_EQ(provider(home).asked, asked);

  // A failure makes a target dear for a while. It is no dearer than the others once these have failed as well.
  for (Provider& each : providers_) each.status = &each == &provider(home) ? 200 : 500;
  EXPECT_TRUE(eventually([&] { return turn(conversation("bees", 3)).status == 200; }));
  for (Provider& each : providers_) each.status = 200;
  for (int i = 4; i < 8; ++i) {
    const Answer got = turn(conversation("bees", i));
    EXPECT_EQ(by(got), home);
  }
}

}  // namespace
}  // namespace tollgate::test
