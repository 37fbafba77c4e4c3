// What would become of a request, asked of a configuration with routes, tasks, tenants and a fallback, whose providers
// nobody reaches.
#include "harness.hpp"

namespace tollgate::server::admin {
namespace {

const std::string routing_yaml =
    "version: 1\n"
    "defaults: {deadline: 2m}\n"
    "providers:\n"
    "  p: {base_url: \"http://127.0.0.1:1/v1\", credentials: [{name: x, key: test-key-1}, {name: y, key: "
    "test-key-2}]}\n"
    "  q: {base_url: \"http://127.0.0.1:1/v1\"}\n"
    "models: {m: {provider: p}, other: {provider: q}, \"w/*\": {provider: q}}\n"
    "routes:\n"
    "  auto: {primary: m, fallbacks: [other], match: [\"gpt-*\"], classifier: true, tasks: {translate: {primary: "
    "other}}}\n"
    "  strict: {primary: m, unknown_task: reject, tasks: {coding: {primary: other}}, retry: {attempts: 5}}\n"
    "tenants:\n"
    "  free: {}\n"
    "  bound: {deny: {models: [other]}}\n"
    "  shut: {allow: {routes: [strict]}}\n";

class ExplainedRoute : public testing::Test {
 protected:
  json explain(const std::string& body) {
    const AdminReply reply = api_.ask("POST", "/admin/v1/route", body, config::AdminRole::read);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body);
  }
  json named(const std::string& model, const std::string& more = {}) {
    return explain(R"({"request":{"model":")" + model + R"(","messages":[]})" + more + "}");
  }
  void force(const std::string& target, const std::string& state, const std::string& more = {}) {
    const AdminReply reply =
        api_.ask("POST", "/admin/v1/targets/circuit",
                 R"({"target":")" + target + R"(","state":")" + state + R"(","reason":"drill")" + more + "}");
    EXPECT_EQ(reply.status, 200) << reply.body;
  }
  static std::vector<std::string> targets_of(const json& told) {
    std::vector<std::string> names;
    for (const json& each : told.at("candidates"))
      names.push_back(each.at("target").get<std::string>() + " " + each.at("credential").get<std::string>());
    return names;
  }

  Harness api_{Stored::no, routing_yaml};
};

TEST_F(ExplainedRoute, tells_what_a_name_means) {
  struct Row {
    const char *name, *is, *route, *primary;
  };
  for (const Row& row : {Row{"auto", "route", "auto", "m"}, Row{"gpt-9", "match", "auto", "m"},
                         Row{"auto:translate", "route_and_task", "auto", "other"}, Row{"m", "model", nullptr, "m"},
                         Row{"w/big", "wildcard", nullptr, "w/*"}}) {
    const json told = named(row.name).at("model");
    EXPECT_EQ(told.at("requested"), row.name);
    EXPECT_EQ(told.at("is"), row.is) << row.name;
    EXPECT_EQ(told.at("route"), row.route ? json(row.route) : json()) << row.name;
    EXPECT_EQ(told.at("primary"), row.primary) << row.name;
  }
}

TEST_F(ExplainedRoute, lists_whom_it_may_ask_in_their_order_and_who_is_first) {
  const json told = named("auto");
  EXPECT_EQ(targets_of(told), (std::vector<std::string>{"p/m x", "p/m y", "q/other "}));
  EXPECT_EQ(told.at("candidates")[0].at("rank"), 0);
  EXPECT_EQ(told.at("candidates")[2].at("rank"), 1);
  EXPECT_EQ(told.at("first").at("target"), "p/m");
  EXPECT_EQ(told.at("first").at("reason"), "primary");
  EXPECT_EQ(told.at("first").at("by_chance"), true) << "of two credentials";
  EXPECT_EQ(told.at("first").at("wait_ms"), 0);
  EXPECT_EQ(told.at("deadline_ms"), 120'000);
  EXPECT_EQ(told.at("attempts"), 3);
  EXPECT_TRUE(told.at("error").is_null());
  EXPECT_EQ(named("strict").at("attempts"), 5);
}

TEST_F(ExplainedRoute, sees_what_an_operator_holds) {
  force("p/m", "open", R"(,"credential":"x")");
  json told = named("auto");
  EXPECT_EQ(told.at("candidates")[0].at("state"), "circuit_open");
  EXPECT_EQ(told.at("candidates")[0].at("forced"), true);
  EXPECT_TRUE(told.at("candidates")[0].at("usable_at").is_null());
  EXPECT_EQ(told.at("first").at("credential"), "y");
  EXPECT_EQ(told.at("first").at("by_chance"), false);
  force("p/m", "open");
  told = named("auto");
  EXPECT_EQ(told.at("first").at("target"), "q/other");
  EXPECT_EQ(told.at("first").at("reason"), "circuit_open");
}

TEST_F(ExplainedRoute, tells_the_error_where_nobody_can_be_asked) {
  force("p/m", "open");
  const json told = named("m");
  EXPECT_TRUE(told.at("first").is_null());
  EXPECT_EQ(told.at("error").at("status"), 503);
  EXPECT_EQ(told.at("error").at("error").at("code"), "no_upstream_available");
  EXPECT_EQ(told.at("candidates").size(), 2u);
}

TEST_F(ExplainedRoute, takes_nothing_of_a_circuit_that_is_tried) {
  force("p/m", "open");
  force("p/m", "auto");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(named("m").at("first").at("target"), "p/m") << i;
}

TEST_F(ExplainedRoute, tells_who_says_what_task_it_is) {
  const std::string header = R"(,"headers":{"x-tollgate-task":"translate"})";
  struct Row {
    json told;
    const char* source;
  };
  const std::string metadata = R"({"request":{"model":"auto","metadata":{"task_type":"translate"},"messages":[]}})";
  for (const Row& row : {Row{named("auto", header), "header"}, Row{named("auto:translate"), "model_name"},
                         Row{explain(metadata), "metadata"}}) {
    EXPECT_EQ(row.told.at("task").at("name"), "translate");
    EXPECT_EQ(row.told.at("task").at("source"), row.source);
    EXPECT_TRUE(row.told.at("task").at("classifier").is_null());
    EXPECT_EQ(row.told.at("first").at("target"), "q/other");
    EXPECT_EQ(row.told.at("first").at("reason"), "task");
  }
  EXPECT_TRUE(named("strict").at("task").at("source").is_null());
}

TEST_F(ExplainedRoute, tells_what_the_classifier_made_of_the_words_and_none_of_them) {
  const AdminReply reply = api_.ask(
      "POST", "/admin/v1/route",
      R"({"request":{"model":"auto","user":"canary","messages":[{"role":"user","content":"Please translate canary into French: good morning"}]}})");
  EXPECT_EQ(reply.body.find("canary"), std::string::npos);
  EXPECT_EQ(reply.body.find("good morning"), std::string::npos);
  const json task = json::parse(reply.body).at("task");
  EXPECT_EQ(task.at("name"), "translate");
  EXPECT_EQ(task.at("source"), "classifier");
  const json& found = task.at("classifier");
  EXPECT_EQ(found.at("task"), "translate");
  EXPECT_NE(found.at("rule").get<std::string>().find("translate"), std::string::npos);
  EXPECT_NE(found.at("runner_up").at("task"), "translate");
  EXPECT_GT(found.at("score"), found.at("runner_up").at("score"));
}

TEST_F(ExplainedRoute, warns_of_an_unknown_task_or_tells_the_refusal) {
  const std::string header = R"(,"headers":{"x-tollgate-task":"cooking"})";
  json told = named("auto", header);
  EXPECT_EQ(told.at("warning"), "unknown_task");
  EXPECT_EQ(told.at("task").at("source"), "header");
  EXPECT_TRUE(told.at("task").at("name").is_null());
  told = named("strict", header);
  EXPECT_EQ(told.at("error").at("status"), 400);
  EXPECT_EQ(told.at("error").at("error").at("code"), "unknown_task");
  EXPECT_TRUE(told.at("candidates").empty());
}

TEST_F(ExplainedRoute, tells_the_refusals_that_a_client_would_get) {
  EXPECT_EQ(named("nothing").at("error").at("status"), 404);
  EXPECT_TRUE(named("nothing").at("model").at("is").is_null());
  EXPECT_EQ(explain(R"({"request":{"messages":[]}})").at("error").at("error").at("param"), "model");
  EXPECT_EQ(named("auto", R"(,"tenant":"shut")").at("error").at("status"), 403);
  EXPECT_EQ(named("strict", R"(,"tenant":"shut")").at("first").at("target"), "p/m");
}

TEST_F(ExplainedRoute, leaves_out_what_the_tenant_may_not_be_given) {
  EXPECT_EQ(targets_of(named("auto", R"(,"tenant":"free")")).size(), 3u);
  EXPECT_EQ(targets_of(named("auto", R"(,"tenant":"bound")")), (std::vector<std::string>{"p/m x", "p/m y"}));
}

TEST_F(ExplainedRoute, heeds_the_time_that_a_client_has) {
  EXPECT_EQ(named("auto", R"(,"headers":{"x-tollgate-timeout-ms":"1500"})").at("deadline_ms"), 1500);
}

TEST_F(ExplainedRoute, refuses_a_question_by_the_member_that_is_wrong) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({})", "request"},
      {R"({"request":"{}"})", "request"},
      {R"({"request":{},"path":"/v1/models"})", "path"},
      {R"({"request":{},"path":"/admin/v1/keys"})", "path"},
      {R"({"request":{},"headers":{"authorization":"x"}})", "headers.authorization"},
      {R"({"request":{},"headers":{"x-tollgate-timeout-ms":"soon"}})", "headers.x-tollgate-timeout-ms"},
      {R"({"request":{},"headers":[]})", "headers"},
      {R"({"request":{},"tenant":"nobody"})", "tenant"},
      {R"({"request":{},"model":"m"})", "model"},
  };
  for (const auto& [body, param] : rows) {
    const AdminReply reply = api_.ask("POST", "/admin/v1/route", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(Harness::error(reply).at("param"), param) << body;
  }
}

}  // namespace
}  // namespace tollgate::server::admin
