// The shipped configuration on the built-in simulator, and every fault that the simulator knows as a client of the
// gateway sees it: a real status, an error event or a visibly broken answer, and never a short answer that looks whole.
#include "tollgate/simulator/fault.hpp"

#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

namespace tollgate::test {
namespace {

using nlohmann::json;

std::string shipped_config() {
  std::ostringstream text;
  text << std::ifstream(test::in_project("config/routes.yaml")).rdbuf();
  std::string config = text.str();
  const std::string relative = "prices: ";  // the text moves into a folder of its own
  return config.insert(config.find(relative) + relative.size(), test::in_project("config/"));
}

std::vector<std::string> data_of(const std::string& body) {
  std::vector<std::string> all;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("data: ")) all.push_back(line.substr(6));
  return all;
}

class Shipped : public testing::Test {
 protected:
  Answer ask(const std::string& request) {
    client_.send(request);
    Answer got = client_.read_answer();
    EXPECT_TRUE(got.complete);
    return got;
  }

  GatewayUnderTest gateway_{[](const std::filesystem::path& folder) {
    return shipped_config() +
           "\nserver: {listen: [\"127.0.0.1:0\"]}\nadmin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: "
           "\"127.0.0.1:0\"}\nlog: {access: " +
           (folder / "access.log").string() + ", level: error}\n";
  }};
  RawClient client_{gateway_.address()};
};

TEST_F(Shipped, answers_a_chat_by_route_match_model_and_wildcard) {
  // The route's primary fails now and then; its fallback answers instead.
  const std::vector<std::pair<std::string, std::set<std::string>>> who_may_answer{
      {"auto", {"flaky", "sim"}},   {"gpt-4o-mini", {"flaky", "sim"}}, {"gpt-5.5", {"flaky"}},
      {"claude-opus-4.7", {"sim"}}, {"sim/anything", {"sim"}},
  };
  for (const auto& [model, providers] : who_may_answer) {
    Answer got =
        ask(post("/v1/chat/completions",
                 R"({"model":")" + model + R"(","max_tokens":3,"messages":[{"role":"user","content":"hi"}]})"));
    EXPECT_EQ(got.status, 200) << got.body;
    const json answer = json::parse(got.body);
    EXPECT_EQ(answer.at("object"), "chat.completion");
    EXPECT_FALSE(answer.at("/choices/0/message/content"_json_pointer).get<std::string>().empty());
    EXPECT_EQ(answer.at("/usage/completion_tokens"_json_pointer), 3);
    EXPECT_TRUE(providers.contains(got.fields["x-tollgate-provider"])) << got.fields["x-tollgate-provider"];
  }
}

TEST_F(Shipped, hides_that_one_call_in_four_fails) {
  for (int call = 0; call < 16; ++call) {
    const bool stream = call % 2 == 0;
    const Answer got =
        ask(post("/v1/chat/completions",
                 R"({"model":"auto","max_tokens":3,"messages":[{"role":"user","content":"hi"}],"stream":)" +
                     std::string(stream ? "true}" : "false}")));
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.body.ends_with("data: [DONE]\n\n"), stream) << got.body;
  }
  const double ok =
      gateway_.metric(R"(tollgate_attempts_total{target="flaky/gpt-5.5",credential="none",outcome="ok"})");
  const double failed =
      gateway_.metric(R"(tollgate_attempts_total{target="flaky/gpt-5.5",credential="none",outcome="upstream_error"})");
  EXPECT_GT(ok, 0);
  EXPECT_GT(failed, 0);
}

TEST_F(Shipped, streams_a_chat_with_usage_only_where_asked) {
  const std::string start =
      R"({"model":"auto","stream":true,"max_tokens":5,"messages":[{"role":"user","content":"hi"}])";
  std::string content;
  for (const bool asked : {false, true}) {
    Answer got =
        ask(post("/v1/chat/completions", start + (asked ? R"(,"stream_options":{"include_usage":true}})" : "}")));
    EXPECT_EQ(got.fields["content-type"], "text/event-stream");
    const auto events = data_of(got.body);
    ASSERT_GE(events.size(), 7u) << got.body;
    EXPECT_EQ(events.back(), "[DONE]");
    std::string text;
    int usages = 0;
    for (const std::string& data : events) {
      if (data == "[DONE]") continue;
      const json chunk = json::parse(data);
      if (chunk.contains("usage") && chunk["usage"].is_object()) {
        ++usages;
        EXPECT_TRUE(chunk.at("choices").empty());
      } else {
        text += chunk.value("/choices/0/delta/content"_json_pointer, std::string());
      }
    }
    EXPECT_EQ(usages, asked ? 1 : 0);
    EXPECT_TRUE(content.empty() || content == text);
    content = text;
  }
}

TEST_F(Shipped, answers_the_other_endpoints) {
  json answer = json::parse(ask(post("/v1/completions", R"({"model":"auto","prompt":"hi","max_tokens":2})")).body);
  EXPECT_EQ(answer.at("object"), "text_completion");
  answer = json::parse(ask(post("/v1/embeddings", R"({"model":"text-embedding-3-small","input":["a","b"]})")).body);
  EXPECT_EQ(answer.at("data").size(), 2u);
  answer = json::parse(ask(post("/v1/responses", R"({"model":"auto","input":"hi","max_output_tokens":2})")).body);
  EXPECT_EQ(answer.at("object"), "response");
  answer = json::parse(ask(post("/v1/moderations", R"({"model":"auto","input":"hi"})")).body);
  EXPECT_EQ(answer.at("results").size(), 1u);
  const Answer stream =
      ask(post("/v1/responses", R"({"model":"auto","input":"hi","stream":true,"max_output_tokens":40})"));
  const auto events = data_of(stream.body);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(json::parse(events.front()).at("type"), "response.created");
  EXPECT_TRUE(json::parse(events.back()).at("type") == "response.completed" ||
              json::parse(events.back()).at("type") == "response.incomplete");
  EXPECT_EQ(stream.body.find("[DONE]"), std::string::npos);
}

TEST_F(Shipped, lists_its_models) {
  const json list = json::parse(ask(get("/v1/models")).body);
  EXPECT_EQ(list.at("object"), "list");
  std::set<std::string> names;
  for (const auto& model : list.at("data")) names.insert(model.at("id"));
  EXPECT_EQ(names, (std::set<std::string>{"auto", "gpt-5.5", "claude-opus-4.7", "text-embedding-3-small"}));
}

// --- faults ---

/// What a client sees of a fault: a status with a code, or a 200 that ends in an error event, or a good answer.
struct Seen {
  int status;
  std::string code;  ///< of the error body; of the error event where the status is 200; empty: no error
  std::string outcome;
};

struct Cell {
  std::string fault;
  Seen json, stream;
};

const Seen good{200, "", "ok"};
const Seen bad_gateway{502, "upstream_error", "upstream_error"};
const Seen timed_out{504, "upstream_timeout", "timeout"};
const Seen cut{200, "upstream_error", "truncated"};
const Seen limited{429, "rate_limit_exceeded", "upstream_error"};

const std::vector<Cell> cells{
    {"none", good, good},
    {"rate_limit", limited, limited},
    {"rate_limit_date", limited, limited},
    {"rate_limit_ms", limited, limited},
    {"rate_limit_plain", limited, limited},
    {"quota", {429, "insufficient_quota", "upstream_error"}, {429, "insufficient_quota", "upstream_error"}},
    {"error_500", {500, "null", "upstream_error"}, {500, "null", "upstream_error"}},
    {"error_502", {502, "html", "upstream_error"}, {502, "html", "upstream_error"}},
    {"error_503", {503, "server_is_overloaded", "upstream_error"}, {503, "server_is_overloaded", "upstream_error"}},
    {"error_529", {529, "overloaded", "upstream_error"}, {529, "overloaded", "upstream_error"}},
    {"unauthorized", {502, "upstream_auth_failed", "upstream_error"}, {502, "upstream_auth_failed", "upstream_error"}},
    {"payment_required",
     {402, "billing_hard_limit_reached", "client_error"},
     {402, "billing_hard_limit_reached", "client_error"}},
    {"forbidden", {502, "upstream_auth_failed", "upstream_error"}, {502, "upstream_auth_failed", "upstream_error"}},
    {"bad_request", {400, "context_length_exceeded", "client_error"}, {400, "context_length_exceeded", "client_error"}},
    {"hang_before_head", timed_out, timed_out},
    {"hang_mid_stream", timed_out, {200, "upstream_timeout", "truncated"}},
    {"reset_before_head", bad_gateway, bad_gateway},
    {"reset_mid_stream", bad_gateway, cut},
    {"close_before_head", bad_gateway, bad_gateway},
    {"close_before_content", bad_gateway, bad_gateway},
    {"close_mid_stream", bad_gateway, cut},
    {"end_without_done", bad_gateway, good},
    {"short_without_done", bad_gateway, cut},
    {"malformed_event", bad_gateway, cut},
    {"error_event", {502, "server_error", "upstream_error"}, {200, "server_error", "upstream_error"}},
    {"error_first", {502, "server_error", "upstream_error"}, {502, "server_error", "upstream_error"}},
    {"role_then_hang", timed_out, timed_out},
    {"slow_bytes", good, good},
    {"garbage_head", bad_gateway, bad_gateway},
    // The stream says [DONE] before its framing turns out wrong, so nothing of it is missing.
    {"wrong_length", bad_gateway, good},
    {"empty_choices", bad_gateway, bad_gateway},
};

std::string code_of(const json& body) {
  const json code = body.value("/error/code"_json_pointer, json("none"));
  return code.is_string() ? code.get<std::string>() : "null";
}

/// In the words of Seen::code.
std::string code_seen(const Answer& got, bool stream) {
  if (got.status == 200 && stream) {
    const auto events = data_of(got.body);
    if (events.empty()) return "nothing";
    const json last = json::parse(events.back(), nullptr, false);
    if (last.is_object() && last.contains("error")) return code_of(last);
    if (events.back() != "[DONE]") return "no end";
    return got.body.find("finish_reason\":\"") == std::string::npos ? "empty" : "";
  }
  if (got.body.starts_with("<html>")) return "html";
  const json body = json::parse(got.body, nullptr, false);
  if (!body.is_object()) return "broken";
  if (body.contains("error")) return code_of(body);
  return body.value("choices", json::array()).empty() ? "empty" : "";
}

class Faults : public testing::TestWithParam<Cell> {
 protected:
  void expect(const std::string& fault, const Seen& expected, bool stream) {
    SCOPED_TRACE(fault + (stream ? " of a stream" : " of a whole answer"));
    const std::string outcome =
        R"(tollgate_requests_total{tenant="default",route="none",task="none",model="sim/*",outcome=")" +
        expected.outcome + "\",stream=\"" + (stream ? "true" : "false") + "\"}";
    const double before = gateway_.metric(outcome);
    RawClient client(gateway_.address());
    client.send(post("/v1/chat/completions", chat_body("sim/x,first_token=0,rate=200,tokens=8,after=4" +
                                                           (fault == "none" ? "" : ",fault=" + fault),
                                                       stream)));
    const Answer got = client.read_answer();
    EXPECT_EQ(got.status, expected.status) << got.body;
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(code_seen(got, stream), expected.code) << got.body;
    EXPECT_TRUE(gateway_.wait_for_metric(outcome, before + 1)) << gateway_.metrics();
    EXPECT_TRUE(gateway_.wait_for_metric("tollgate_in_flight_requests", 0));
  }

  /// Timers that are short, except where the fault is slowness itself.
  static std::string config() {
    const bool slow = GetParam().fault == "slow_bytes", silent = GetParam().fault == "hang_before_head";
    return "providers:\n  sim: {simulator: {}, timeouts: {first_token: " + std::string(slow ? "20s" : "400ms") +
           ", idle: 400ms, attempt: " + (silent ? "600ms" : "30s") +
           "}}\nmodels:\n  \"sim/*\": {provider: sim, name: \"*\"}\n";
  }

  GatewayUnderTest gateway_{config()};
};

TEST_P(Faults, are_seen_as_what_they_are) {
  expect(GetParam().fault, GetParam().json, false);
  expect(GetParam().fault, GetParam().stream, true);
}

INSTANTIATE_TEST_SUITE_P(Each, Faults, testing::ValuesIn(cells), [](const auto& info) { return info.param.fault; });

TEST(FaultTable, has_them_all) {
  std::set<std::string> known, tried;
  for (const auto fault : simulator::all_faults()) known.emplace(simulator::name_of(fault));
  for (const Cell& cell : cells)
    if (cell.fault != "none") tried.insert(cell.fault);
  EXPECT_EQ(tried, known);
}

}  // namespace
}  // namespace tollgate::test
