// Money where the client's API and its provider's are not the same: what is charged, held, refused and kept must not
// depend on which of the two anybody speaks.
#include "tollgate/base/money.hpp"

#include "support/gateway_under_test.hpp"
#include "support/keep_alive_upstream.hpp"
#include "support/raw_client.hpp"
#include "support/waiting.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>
#include <string>

namespace tollgate::test {
namespace {

using Json = nlohmann::json;
using namespace nlohmann::literals;

const std::string key = "acme-key-of-more-than-20-bytes";
// 1,000 tokens in and 500 out at 2 and 10 USD per million: 0.002 + 0.005.
const std::string price = "price: {input: 2, output: 10, source: test}";
const std::string dearer = "price: {input: 4, output: 20, source: test}";

/// What an answer has used, as neither API writes it: `prompt` is whole.
struct Tokens {
  int prompt = 1000, cached = 0, written = 0, output = 500;
  int fresh() const { return prompt - cached - written; }
};

Json chat_usage(const Tokens& tokens) {
  return {{"prompt_tokens", tokens.prompt},
          {"completion_tokens", tokens.output},
          {"total_tokens", tokens.prompt + tokens.output},
          {"prompt_tokens_details", {{"cached_tokens", tokens.cached}, {"cache_write_tokens", tokens.written}}}};
}

Json claude_usage(const Tokens& tokens) {
  return {{"input_tokens", tokens.fresh()},
          {"cache_read_input_tokens", tokens.cached},
          {"cache_creation_input_tokens", tokens.written},
          {"output_tokens", tokens.output}};
}

std::string stream_answer(const std::string& events) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(events.size()) +
         "\r\n\r\n" + events;
}

std::string named_event(const Json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

std::string chat_event(const Json& choices, const Json& usage = nullptr) {
  Json chunk{
      {"id", "c"}, {"object", "chat.completion.chunk"}, {"created", 1}, {"model", "gpt-x"}, {"choices", choices}};
  if (!usage.is_null()) chunk["usage"] = usage;
  return "data: " + chunk.dump() + "\n\n";
}

std::string chat_piece(const std::string& text) {
  return chat_event(Json::array({{{"index", 0}, {"delta", {{"content", text}}}, {"finish_reason", nullptr}}}));
}

const std::string chat_finish =
    chat_event(Json::array({{{"index", 0}, {"delta", Json::object()}, {"finish_reason", "stop"}}}));
const std::string chat_done = "data: [DONE]\n\n";

/// As Claude begins: the prompt is counted, of the answer no more than its first token.
std::string claude_begin(Tokens tokens) {
  tokens.output = 1;
  return named_event({{"type", "message_start"},
                      {"message",
                       {{"id", "msg_1"},
                        {"type", "message"},
                        {"role", "assistant"},
                        {"model", "claude-x"},
                        {"content", Json::array()},
                        {"stop_reason", nullptr},
                        {"stop_sequence", nullptr},
                        {"usage", claude_usage(tokens)}}}}) +
         named_event(
             {{"type", "content_block_start"}, {"index", 0}, {"content_block", {{"type", "text"}, {"text", ""}}}});
}

std::string claude_piece(const std::string& text) {
  return named_event(
      {{"type", "content_block_delta"}, {"index", 0}, {"delta", {{"type", "text_delta"}, {"text", text}}}});
}

std::string claude_end(const Tokens& tokens) {
  return named_event({{"type", "content_block_stop"}, {"index", 0}}) +
         named_event({{"type", "message_delta"},
                      {"delta", {{"stop_reason", "end_turn"}, {"stop_sequence", nullptr}}},
                      {"usage", {{"output_tokens", tokens.output}}}}) +
         named_event({{"type", "message_stop"}});
}

/// One of two on either side.
enum class Api { chat, messages };

std::string path_of(Api api) { return api == Api::chat ? "/v1/chat/completions" : "/v1/messages"; }
/// The model that speaks it.
std::string model_of(Api api) { return api == Api::chat ? "gpt" : "claude"; }
Api other_than(Api api) { return api == Api::chat ? Api::messages : Api::chat; }

/// What a provider answers in its own API.
std::string answer_in(Api api, bool stream, const Tokens& tokens = {}) {
  if (api == Api::chat && stream)
    return stream_answer(chat_piece("Hel") + chat_piece("lo") + chat_finish +
                         chat_event(Json::array(), chat_usage(tokens)) + chat_done);
  if (stream)
    return stream_answer(claude_begin(tokens) + claude_piece("Hel") + claude_piece("lo") + claude_end(tokens));
  const Json text{{"type", "text"}, {"text", "Hello"}};
  const Json said{{"role", "assistant"}, {"content", "Hello"}};
  const Json completion{{"id", "c"},
                        {"object", "chat.completion"},
                        {"created", 1},
                        {"model", "gpt-x"},
                        {"choices", Json::array({{{"index", 0}, {"message", said}, {"finish_reason", "stop"}}})},
                        {"usage", chat_usage(tokens)}};
  const Json message{{"id", "msg_1"},
                     {"type", "message"},
                     {"role", "assistant"},
                     {"model", "claude-x"},
                     {"content", Json::array({text})},
                     {"stop_reason", "end_turn"},
                     {"stop_sequence", nullptr},
                     {"usage", claude_usage(tokens)}};
  return json_answer((api == Api::chat ? completion : message).dump());
}

/// How a request goes: the client's API, its provider's, and whether it is a stream.
struct Way {
  Api client, provider;
  bool stream;
  std::string name() const {
    return (client == Api::chat ? "chat-" : "messages-") + model_of(provider) + (stream ? "-stream" : "-whole");
  }
};

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const Api client : {Api::chat, Api::messages})
    for (const Api provider : {Api::chat, Api::messages})
      for (const bool stream : {false, true}) ways.push_back({client, provider, stream});
  return ways;
}

std::string body_for(const std::string& model, bool stream = false, const Json& more = Json::object()) {
  Json body{{"model", model},
            {"max_tokens", 500},
            {"stream", stream},
            {"messages", Json::array({{{"role", "user"}, {"content", "hi"}}})}};
  body.update(more);
  return body.dump();
}

/// Empty: the answer does not tell.
std::string cost_field(const Answer& answer) {
  const auto found = answer.fields.find("x-tollgate-cost-usd");
  return found == answer.fields.end() ? "" : found->second;
}

/// Anthropic's SDKs read the type, and its people the message; nothing else may stand around them.
void expect_envelope(const Answer& answer, int status, const std::string& type, const std::string& code) {
  EXPECT_EQ(answer.status, status);
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  const Json json = Json::parse(answer.body, nullptr, false);
  ASSERT_TRUE(json.is_object()) << answer.body;
  EXPECT_EQ(json.value("type", ""), "error");
  EXPECT_EQ(json.value("/error/type"_json_pointer, ""), type) << answer.body;
  EXPECT_NE(json.value("/error/message"_json_pointer, ""), "");
  EXPECT_EQ(json.value("/error/details/error_code"_json_pointer, ""), code) << answer.body;
  EXPECT_EQ(json.value("request_id", "none"), answer.fields.at("request-id"));
}

/// A gateway in front of a Claude and a GPT, both played by the test.
class TranslatedMoney : public testing::Test {
 protected:
  struct Setting {
    std::string gpt = price, claude = price;
    std::string tenant{};                        ///< further keys of the one there is, each a line
    std::string more = "request_tags: [way]\n";  ///< further keys of the file
  };
  void start(const Setting& setting) {
    const std::string patient = "    circuit: {failures: 1000, min_requests: 1000000}\n";
    const std::string retry = "retry: {attempts: 2, backoff: {base: 1ms, max: 1ms}}";
    gateway_ = std::make_unique<GatewayUnderTest>(
        "providers:\n  anthropic:\n    protocol: anthropic\n    base_url: http://127.0.0.1:" +
        std::to_string(claude_.port()) + "\n" + patient + "  openai:\n    base_url: http://127.0.0.1:" +
        std::to_string(gpt_.port()) + "/v1\n" + patient + "models:\n  gpt: {provider: openai, name: gpt-x, " +
        setting.gpt + "}\n  claude: {provider: anthropic, name: claude-opus-4-6, " + setting.claude +
        "}\nroutes:\n  to-claude: {primary: gpt, fallbacks: [claude], " + retry +
        "}\n  to-gpt: {primary: claude, fallbacks: [gpt], " + retry +
        "}\n  cut: {primary: claude, on_overrun: end}\ntenants:\n  acme:\n    keys: [{name: ci, secret: " + key +
        ", may_delegate: true}]\n" + setting.tenant + setting.more);
  }

  RawClient ask(Api api, const std::string& body, const std::string& fields = {}, const std::string& below = {}) {
    RawClient client(gateway_->address());
    const std::string own = api == Api::chat ? "Authorization: Bearer " + key : "x-api-key: " + key;
    client.send(post(path_of(api) + below, body, own + "\r\n" + fields + "Connection: close\r\n"));
    return client;
  }
  Answer refused(Api api, const std::string& body, const std::string& fields = {}) {
    return ask(api, body, fields).read_answer();
  }
  KeepAliveUpstream& upstream(Api api) { return api == Api::chat ? gpt_ : claude_; }
  UpstreamRequest serve(Api api, const std::string& answer) {
    const KeepAliveUpstream::Call call = upstream(api).next();
    upstream(api).connection(call.connection).send(answer);
    return call.request;
  }
  /// Asks, and lets the provider answer.
  Answer get_answer(const Way& way, const std::string& body, const std::string& fields = {},
                    const Tokens& tokens = {}) {
    RawClient client = ask(way.client, body, fields);
    serve(way.provider, answer_in(way.provider, way.stream, tokens));
    return client.read_answer();
  }
  Answer get_answer(const Way& way) { return get_answer(way, body_for(model_of(way.provider), way.stream)); }

  /// The ledger's report once so many requests are in it: a row for each group, by its name.
  Json ledger(const std::string& by, int requests) {
    Json report;
    EXPECT_TRUE(eventually([&] {
      RawClient client(gateway_->admin_address());
      client.send(get("/admin/v1/usage?by=" + by, "Connection: close\r\n"));
      report = Json::parse(client.read_answer().body, nullptr, false);
      if (!report.is_object() || report.value("/totals/requests"_json_pointer, 0) < requests) return false;
      // Rows and totals are two questions, and something may be written between them.
      int attempts = 0;
      for (const Json& row : report["data"]) attempts += row["attempts"].get<int>();
      return attempts >= report["totals"]["attempts"];
    })) << report.dump();
    EXPECT_EQ(report["totals"]["requests"], requests);
    Json rows{{"totals", report["totals"]}};
    for (const Json& row : report["data"]) rows[row["group"][by].get<std::string>()] = row;
    return rows;
  }
  double cost_metric(const std::string& model) {
    return gateway_->metric(R"(tollgate_cost_usd_total{tenant="acme",task="none",model=")" + model + "\"}");
  }
  double tokens_metric(const std::string& model, const std::string& kind) {
    return gateway_->metric(R"(tollgate_tokens_total{tenant="acme",task="none",model=")" + model + R"(",kind=")" +
                            kind + "\"}");
  }
  double budget_metric(const std::string& what) {
    return gateway_->metric("tollgate_budget_" + what + R"(_usd{tenant="acme",budget="pot"})");
  }
  void expect_nothing_held() {
    EXPECT_TRUE(gateway_->wait_for_metric("tollgate_in_flight_requests", 0));
    EXPECT_EQ(budget_metric("reserved"), 0);
  }

  KeepAliveUpstream claude_, gpt_;
  std::unique_ptr<GatewayUnderTest> gateway_;
};

std::string budget_of(const std::string& amount) {
  return "    budgets: [{name: pot, amount: " + amount + " USD, window: total}]\n";
}

// --- what is charged ---

/// At rates that leave half a nano-dollar, worked out by hand.
struct Bill {
  Tokens tokens;
  std::string usd;
};
const std::string odd_price =
    "price: {input: 2.15, cached_input: 0.2155, cache_write: 2.6875, output: 10.01, source: test}";
const std::array bills{Bill{{1001, 0, 0, 507}, "0.00722722"},        // 2,152,150 + 5,075,070
                       Bill{{1001, 403, 0, 507}, "0.006447617"},     // 1,285,700 + 86,846.5 + 5,075,070
                       Bill{{1001, 403, 101, 507}, "0.006501904"}};  // 1,068,550 + 86,846.5 + 271,437.5 + 5,075,070

TEST_F(TranslatedMoney, of_the_same_tokens_is_the_same_whoever_speaks_what) {
  for (const auto& [tokens, usd] : bills) {
    start({.gpt = odd_price, .claude = odd_price, .tenant = budget_of("1")});
    for (const Way& way : all_ways()) {
      const Answer answer =
          get_answer(way, body_for(model_of(way.provider), way.stream),
                     "x-tollgate-include: cost\r\nx-tollgate-tags: way=" + way.name() + "\r\n", tokens);
      EXPECT_EQ(answer.status, 200) << way.name();
      EXPECT_TRUE(answer.complete) << way.name();
      EXPECT_EQ(cost_field(answer), way.stream ? "" : usd) << way.name();
      if (way.stream && way.client == Api::chat) {
        EXPECT_NE(answer.body.find("\"cost_usd\":" + usd + "}"), std::string::npos) << way.name() << answer.body;
      }
    }
    const Json rows = ledger("tag", 8);
    for (const Way& way : all_ways()) {
      ASSERT_TRUE(rows.contains("way=" + way.name())) << rows.dump();
      const Json& row = rows["way=" + way.name()];
      EXPECT_EQ(row["cost_usd"], usd) << way.name();
      EXPECT_EQ(row["attempts"], 1) << way.name();
      EXPECT_EQ(row["tokens"]["input"], tokens.prompt) << way.name();
      EXPECT_EQ(row["tokens"]["cached_input"], tokens.cached) << way.name();
      EXPECT_EQ(row["tokens"]["cache_write"], tokens.written) << way.name();
      EXPECT_EQ(row["tokens"]["output"], tokens.output) << way.name();
      EXPECT_EQ(row["estimated_attempts"], 0) << way.name();
    }
  }
}

TEST_F(TranslatedMoney, of_an_error_under_a_200_is_nothing) {
  start({.tenant = budget_of("1")});
  const std::string claude_error = R"({"type":"error","error":{"type":"overloaded_error","message":"no"}})";
  const std::string gpt_error = R"({"error":{"type":"overloaded_error","message":"no","code":null,"param":null}})";
  for (const Way& way : all_ways()) {
    if (way.stream) continue;
    RawClient client = ask(way.client, body_for(model_of(way.provider)));
    serve(way.provider, json_answer(way.provider == Api::chat ? gpt_error : claude_error));
    const Answer answer = client.read_answer();
    EXPECT_GE(answer.status, 503) << way.name();
    const Json error = Json::parse(answer.body, nullptr, false);
    EXPECT_EQ(error.value("/error/message"_json_pointer, ""), "no") << way.name() << answer.body;
    EXPECT_EQ(error.value("type", ""), way.client == Api::messages ? "error" : "") << way.name();
  }
  expect_nothing_held();
  EXPECT_EQ(budget_metric("spent"), 0);
  EXPECT_EQ(ledger("model", 4)["totals"]["cost_usd"], "0");
}

TEST_F(TranslatedMoney, is_the_same_in_metrics_ledger_and_budget) {
  const auto& [tokens, usd] = bills.back();
  start({.gpt = odd_price, .claude = odd_price, .tenant = budget_of("1")});
  for (const Way& way : all_ways()) get_answer(way, body_for(model_of(way.provider), way.stream), "", tokens);
  expect_nothing_held();
  const auto dollars_of = [&usd](int requests) {
    return static_cast<double>(parse_money(usd)->nanos * requests) / 1e9;
  };
  const Json rows = ledger("model", 8);
  for (const std::string model : {"gpt", "claude"}) {
    EXPECT_DOUBLE_EQ(cost_metric(model), dollars_of(4)) << model;
    EXPECT_EQ(rows[model]["cost_usd"], MoneyText(Money{parse_money(usd)->nanos * 4}).text()) << model;
    EXPECT_EQ(tokens_metric(model, "input_uncached"), 4 * tokens.fresh()) << model;
    EXPECT_EQ(tokens_metric(model, "cache_read"), 4 * tokens.cached) << model;
    EXPECT_EQ(tokens_metric(model, "cache_write"), 4 * tokens.written) << model;
    EXPECT_EQ(tokens_metric(model, "output_visible"), 4 * tokens.output) << model;
    EXPECT_EQ(gateway_->metric("tollgate_estimated_requests_total{model=\"" + model + "\"}"), 0);
  }
  EXPECT_DOUBLE_EQ(budget_metric("spent"), dollars_of(8));
}

TEST_F(TranslatedMoney, of_a_fallback_to_the_other_api_is_that_of_the_answer_alone) {
  // An error that speaks of usage is an error all the same.
  const std::string failure = R"({"error":{"message":"no","type":"server_error"},"usage":{"prompt_tokens":900,)"
                              R"("completion_tokens":9,"input_tokens":900,"output_tokens":9}})";
  for (const Way& way : all_ways()) {
    const Api failing = other_than(way.provider);
    start({.claude = dearer, .tenant = budget_of("1")});
    RawClient client = ask(way.client, body_for("to-" + model_of(way.provider), way.stream));
    serve(failing, json_answer(failure, 500));
    serve(way.provider, answer_in(way.provider, way.stream));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200) << way.name();
    EXPECT_EQ(answer.fields.at("x-tollgate-model"), model_of(way.provider)) << way.name();
    const std::string usd = way.provider == Api::chat ? "0.007" : "0.014";
    EXPECT_EQ(cost_field(answer), way.stream ? "" : usd) << way.name();

    const Json rows = ledger("model", 1);
    EXPECT_EQ(rows["totals"]["cost_usd"], usd) << way.name();
    EXPECT_EQ(rows["totals"]["attempts"], 2) << way.name();
    EXPECT_EQ(rows["totals"]["wasted_usd"]["total"], "0") << way.name();
    EXPECT_EQ(rows["totals"]["estimated_attempts"], 0) << way.name();
    EXPECT_EQ(rows[model_of(way.provider)]["cost_usd"], usd) << way.name();
    EXPECT_EQ(rows[model_of(failing)]["cost_usd"], "0") << way.name();
    EXPECT_EQ(rows[model_of(failing)]["tokens"]["input"], 0) << way.name();
    expect_nothing_held();
    EXPECT_DOUBLE_EQ(cost_metric(model_of(way.provider)), std::stod(usd)) << way.name();
    EXPECT_EQ(cost_metric(model_of(failing)), 0) << way.name();
    EXPECT_DOUBLE_EQ(budget_metric("spent"), std::stod(usd)) << way.name();
  }
}

TEST_F(TranslatedMoney, of_a_stream_that_fails_before_its_answer_is_not_that_of_the_next) {
  const std::string begun =
      claude_begin({}) + named_event({{"type", "error"}, {"error", {{"type", "overloaded_error"}, {"message", "no"}}}});
  for (const Api client_api : {Api::chat, Api::messages}) {
    start({.tenant = budget_of("1")});
    RawClient client = ask(client_api, body_for("to-gpt", true));
    serve(Api::messages, stream_answer(begun));
    serve(Api::chat, stream_answer(chat_piece("a") + chat_piece("b") + chat_finish + chat_done));
    EXPECT_EQ(client.read_answer().fields.at("x-tollgate-model"), "gpt");
    const Json rows = ledger("model", 1);
    EXPECT_EQ(rows["claude"]["cost_usd"], "0");
    EXPECT_EQ(rows["gpt"]["estimated_attempts"], 1);
    EXPECT_GT(rows["gpt"]["tokens"]["input"], 0);
    EXPECT_LT(rows["gpt"]["tokens"]["input"], 100) << "what Claude has counted is not what the other was asked";
  }
}

// --- what is refused ---

TEST_F(TranslatedMoney, of_a_spent_budget_is_refused_in_the_words_of_the_api_that_was_called) {
  start({.tenant = budget_of("0.0075")});
  EXPECT_EQ(get_answer({Api::messages, Api::chat, false}).fields.at("x-tollgate-budget-remaining-usd"), "0.0005");
  for (const std::string model : {"gpt", "claude", "to-claude"}) {
    for (const bool stream : {false, true}) {
      const Answer answer = refused(Api::messages, body_for(model, stream));
      expect_envelope(answer, 429, "rate_limit_error", "insufficient_quota");
      EXPECT_NE(answer.body.find("the budget 'pot' of 0.0075 USD is spent"), std::string::npos) << answer.body;
      EXPECT_EQ(answer.fields.at("x-should-retry"), "false");
      EXPECT_FALSE(answer.fields.contains("retry-after"));
    }
  }
  const Json error = Json::parse(refused(Api::chat, body_for("claude")).body)["error"];
  EXPECT_EQ(error["type"], "insufficient_quota");
  EXPECT_EQ(error["param"], "pot");
  EXPECT_EQ(ledger("model", 1)["totals"]["attempts"], 1);
}

TEST_F(TranslatedMoney, may_be_refused_as_a_bill_to_be_paid) {
  start({.tenant = budget_of("0.001"), .more = "errors: {budget_status: 402}\n"});
  expect_envelope(refused(Api::messages, body_for("gpt")), 402, "billing_error", "insufficient_quota");
  expect_envelope(refused(Api::messages, body_for("claude")), 402, "billing_error", "insufficient_quota");
}

TEST_F(TranslatedMoney, held_by_others_is_to_be_asked_for_again) {
  for (const Api provider : {Api::chat, Api::messages}) {
    start({.tenant = budget_of("0.0075")});
    RawClient first = ask(Api::messages, body_for(model_of(provider)));
    const KeepAliveUpstream::Call call = upstream(provider).next();
    const Answer answer = refused(Api::messages, body_for(model_of(other_than(provider))));
    expect_envelope(answer, 429, "rate_limit_error", "rate_limit_exceeded");
    EXPECT_EQ(answer.fields.at("retry-after"), "1");
    EXPECT_FALSE(answer.fields.contains("x-should-retry"));
    upstream(provider).connection(call.connection).send(answer_in(provider, false, {.prompt = 10, .output = 10}));
    EXPECT_EQ(first.read_answer().status, 200);
    EXPECT_EQ(get_answer({Api::messages, other_than(provider), false}).status, 200);
  }
}

TEST_F(TranslatedMoney, that_one_request_may_cost_is_limited_in_either_api) {
  start({});
  for (const Api provider : {Api::chat, Api::messages}) {
    const Way way{Api::messages, provider, false};
    const std::string body = body_for(model_of(provider));
    const Answer answer = refused(way.client, body, "x-tollgate-max-cost: 0.005\r\n");
    expect_envelope(answer, 400, "invalid_request_error", "max_cost_exceeded");
    EXPECT_NE(answer.body.find("x-tollgate-max-cost allows (0.005 USD)"), std::string::npos) << answer.body;
    EXPECT_EQ(get_answer(way, body, "x-tollgate-max-cost: 0.01\r\n").status, 200);
    const Answer broken = refused(way.client, body, "x-tollgate-max-cost: five\r\n");
    EXPECT_EQ(broken.status, 400);
    EXPECT_EQ(Json::parse(broken.body).value("/error/type"_json_pointer, ""), "invalid_request_error") << broken.body;
  }
}

// --- whose it is ---

TEST_F(TranslatedMoney, of_an_end_user_is_known_by_the_metadata_of_a_message) {
  const auto named = [](const std::string& user) { return Json{{"metadata", {{"user_id", user}}}}; };
  for (const Api provider : {Api::chat, Api::messages}) {
    start({.tenant = "    end_user_budgets: [{name: each, amount: 0.0075 USD, window: total}]\n"});
    const Way way{Api::messages, provider, false};
    const std::string model = model_of(provider);
    EXPECT_EQ(get_answer(way, body_for(model, false, named("alice"))).status, 200);
    const Answer spent = refused(way.client, body_for(model, false, named("alice")));
    expect_envelope(spent, 429, "rate_limit_error", "insufficient_quota");
    EXPECT_NE(spent.body.find("the budget 'each'"), std::string::npos) << spent.body;
    // Whoever asks in the other API's words is the same person.
    EXPECT_EQ(refused(Api::chat, body_for(model, false, {{"user", "alice"}})).status, 429);
    EXPECT_EQ(get_answer(way, body_for(model, false, named("bob"))).status, 200);
    EXPECT_EQ(get_answer(way, body_for(model)).status, 200) << "nobody's budget";
    EXPECT_EQ(get_answer(way, body_for(model)).status, 200);

    const Json rows = ledger("user", 4);
    EXPECT_EQ(rows.size(), 4U) << rows.dump();  // alice, bob, nobody, and the totals
    EXPECT_EQ(rows.dump().find("alice"), std::string::npos);
    for (const auto& [user, row] : rows.items()) {
      const bool is_somebody = user.size() == 16;
      EXPECT_EQ(row["cost_usd"], is_somebody ? "0.007" : user.empty() ? "0.014" : "0.028") << user;
    }
  }
}

TEST_F(TranslatedMoney, of_an_end_user_is_counted_over_both_apis) {
  start({.tenant = "    end_user_budgets: [{name: each, amount: 0.02 USD, window: total}]\n"});
  EXPECT_EQ(
      get_answer({Api::messages, Api::chat, false}, body_for("gpt", false, {{"metadata", {{"user_id", "alice"}}}}))
          .fields.at("x-tollgate-budget-remaining-usd"),
      "0.013");
  EXPECT_EQ(get_answer({Api::chat, Api::messages, false}, body_for("claude", false, {{"user", "alice"}}))
                .fields.at("x-tollgate-budget-remaining-usd"),
            "0.006");
  const Json rows = ledger("user", 2);
  EXPECT_EQ(rows.size(), 2U) << rows.dump();
}

// --- what costs nothing ---

TEST_F(TranslatedMoney, is_not_taken_for_counting_tokens) {
  start({.tenant = budget_of("0.0075")});
  const std::string max_cost = "x-tollgate-max-cost: 0.000000001\r\n";
  const auto count = [&](const std::string& fields) {
    RawClient passed_on = ask(Api::messages, body_for("claude"), fields, "/count_tokens");
    const KeepAliveUpstream::Call call = claude_.next();
    EXPECT_EQ(budget_metric("reserved"), 0);
    claude_.connection(call.connection).send(json_answer(R"({"input_tokens":1000})"));
    Answer answer = passed_on.read_answer();
    EXPECT_EQ(answer.body, R"({"input_tokens":1000})");
    EXPECT_FALSE(answer.fields.contains("x-tollgate-cost-usd"));
    answer = ask(Api::messages, body_for("gpt"), fields, "/count_tokens").read_answer();
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.fields.at("x-tollgate-warning"), "estimated_tokens");
    EXPECT_FALSE(answer.fields.contains("x-tollgate-cost-usd"));
  };
  for (int i = 0; i < 4; ++i) count(i % 2 == 0 ? "" : max_cost);
  expect_nothing_held();
  EXPECT_EQ(budget_metric("spent"), 0);
  EXPECT_EQ(gateway_->metrics().find("\ntollgate_tokens_total{"), std::string::npos);
  EXPECT_EQ(gateway_->metrics().find("\ntollgate_cost_usd_total{"), std::string::npos);

  // Of what was asked before and after one that costs, that one alone is in the ledger.
  EXPECT_EQ(get_answer({Api::messages, Api::messages, false}).fields.at("x-tollgate-cost-usd"), "0.007");
  expect_envelope(refused(Api::messages, body_for("claude")), 429, "rate_limit_error", "insufficient_quota");
  count("");
  const Json totals = ledger("model", 1)["totals"];
  EXPECT_EQ(totals["attempts"], 1);
  EXPECT_EQ(totals["cost_usd"], "0.007");
  EXPECT_EQ(totals["tokens"]["input"], 1000);
  EXPECT_EQ(totals["unpriced_attempts"], 0);
  EXPECT_EQ(tokens_metric("claude", "input_uncached"), 1000);
  EXPECT_EQ(tokens_metric("gpt", "input_uncached"), 0);
}

// --- what breaks off ---

TEST_F(TranslatedMoney, of_a_stream_that_its_client_leaves_is_that_of_what_came) {
  for (const Way& way : all_ways()) {
    if (!way.stream) continue;
    start({.tenant = budget_of("1")});
    RawClient client = ask(way.client, body_for(model_of(way.provider), true));
    const KeepAliveUpstream::Call call = upstream(way.provider).next();
    RawSocket& connection = upstream(way.provider).connection(call.connection);
    connection.send(stream_head);
    if (way.provider == Api::messages) connection.send(chunk(claude_begin({})));
    for (const std::string piece : {"one", "two", "three", "four", "five"})
      connection.send(chunk(way.provider == Api::chat ? chat_piece(piece) : claude_piece(piece)));
    std::string seen;
    ASSERT_TRUE(client.socket().receive_until(seen, "five")) << way.name();
    client.socket().close();
    ASSERT_TRUE(connection.wait_closed()) << way.name();

    expect_nothing_held();
    const Json row = ledger("model", 1)[model_of(way.provider)];
    EXPECT_EQ(row["tokens"]["output"], 5) << way.name() << ": a token for each piece";
    EXPECT_EQ(row["estimated_attempts"], 1) << way.name();
    const int input = row["tokens"]["input"];
    if (way.provider == Api::messages) {
      EXPECT_EQ(input, 1000) << way.name() << ": what was told is believed";
    } else {
      EXPECT_GT(input, 0) << way.name();
      EXPECT_LT(input, 200) << way.name();
    }
    const std::string usd(MoneyText(Money{std::int64_t{input} * 2'000 + 5 * 10'000}).text());
    EXPECT_EQ(row["cost_usd"], usd) << way.name();
    EXPECT_EQ(row["wasted_usd"]["abandoned"], usd) << way.name();
    EXPECT_DOUBLE_EQ(budget_metric("spent"), std::stod(usd)) << way.name();
    EXPECT_DOUBLE_EQ(cost_metric(model_of(way.provider)), std::stod(usd)) << way.name();
    EXPECT_EQ(gateway_->metric("tollgate_estimated_requests_total{model=\"" + model_of(way.provider) + "\"}"), 1);
  }
}

TEST_F(TranslatedMoney, of_a_stream_that_breaks_or_is_cut_is_that_of_what_came) {
  const std::string overloaded =
      named_event({{"type", "error"}, {"error", {{"type", "overloaded_error"}, {"message", "no"}}}});
  for (const std::string end : {"", "an error", "too much"}) {
    start({.tenant = budget_of("1")});
    std::string events = claude_begin({});
    for (int i = 0; i < 5; ++i) events += claude_piece("w");
    RawClient client = ask(Api::chat, body_for("cut", true, {{"max_tokens", end == "too much" ? 3 : 500}}));
    serve(Api::messages, stream_answer(end == "an error" ? events + overloaded : events));
    client.read_answer();
    expect_nothing_held();
    const Json row = ledger("model", 1)["claude"];
    // No more is charged for than was held.
    EXPECT_EQ(row["tokens"]["output"], end == "too much" ? 3 : 5) << end;
    EXPECT_EQ(row["tokens"]["input"], 1000) << end;
    EXPECT_EQ(row["estimated_attempts"], 1) << end;
  }
}

TEST_F(TranslatedMoney, of_a_stream_that_has_ended_is_what_its_provider_reports) {
  // Fewer than the pieces, and still its word for it.
  start({.tenant = budget_of("1")});
  for (const Way& way : all_ways())
    if (way.stream) get_answer(way, body_for(model_of(way.provider), true), "", {.output = 1});
  const Json rows = ledger("model", 4);
  EXPECT_EQ(rows["totals"]["tokens"]["output"], 4);
  EXPECT_EQ(rows["totals"]["estimated_attempts"], 0);
}

}  // namespace
}  // namespace tollgate::test
