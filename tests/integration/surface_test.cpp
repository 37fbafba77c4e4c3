// What the gateway answers by itself and what it tells about itself: models, health, metrics, administration, and an
// access log that holds nothing of what passed through.
#include "stream_parts.hpp"
#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/raw_client.hpp"
#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

namespace tollgate::test {
namespace {

using nlohmann::json;

Answer ask(const std::string& address, const std::string& request) {
  RawClient client(address);
  client.send(request);
  return client.read_answer();
}

/// One exchange with the upstream, which sends `answer`.
Answer exchange(GatewayUnderTest& gateway, RawUpstream& upstream, const std::string& request,
                const std::string& answer) {
  RawClient client(gateway.address());
  client.send(request);
  RawSocket connection = upstream.accept();
  RawUpstream::read_request(connection);
  connection.send(answer);
  return client.read_answer();
}

// --- models ---

TEST(Models, are_listed_as_openai_lists_them) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()) +
                           "  org/deep/model: {provider: up}\nroutes:\n  auto: {match: [gpt-4o], primary: m}\n");
  const json list = json::parse(ask(gateway.address(), get("/v1/models")).body);
  EXPECT_EQ(list.at("object"), "list");
  std::vector<std::string> ids;
  for (const json& model : list.at("data")) {
    ids.push_back(model.at("id"));
    EXPECT_EQ(model.at("object"), "model");
    EXPECT_TRUE(model.at("created").is_number_integer());
    EXPECT_TRUE(model.at("owned_by").is_string());
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"auto", "m", "org/deep/model"}));

  for (const std::string id : {"auto", "m", "org/deep/model", "gpt-4o", "up/whatever/it:is"}) {
    for (const std::string prefix : {"/v1/models/", "/models/", "//v1//models/"}) {
      const Answer got = ask(gateway.address(), get(prefix + id));
      EXPECT_EQ(got.status, 200) << prefix << id;
      EXPECT_EQ(json::parse(got.body).at("id"), id);
    }
  }
  Answer unknown = ask(gateway.address(), get("/v1/models/nope"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(json::parse(unknown.body).at("/error/code"_json_pointer), "model_not_found");
  EXPECT_EQ(json::parse(ask(gateway.address(), get("/models")).body), list);
  EXPECT_EQ(ask(gateway.address(), get("/v1/models?limit=1")).status, 200);
}

// --- health ---

TEST(Health, is_told_on_every_plane_without_details) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  for (const std::string& address : {gateway.address(), gateway.admin_address(), gateway.metrics_address()}) {
    EXPECT_EQ(ask(address, get("/health/live")).body, R"({"status":"live"})");
    EXPECT_EQ(ask(address, get("/health/ready")).body, R"({"status":"ready"})");
  }
  // Each plane has its own paths and no others.
  EXPECT_EQ(ask(gateway.address(), get("/metrics")).status, 404);
  EXPECT_EQ(ask(gateway.address(), get("/admin/v1/config")).status, 404);
  EXPECT_EQ(ask(gateway.metrics_address(), get("/admin/v1/config")).status, 404);
  EXPECT_EQ(ask(gateway.metrics_address(), get("/v1/models")).status, 404);
  EXPECT_EQ(ask(gateway.admin_address(), post("/v1/chat/completions", chat_body("m"))).status, 404);
  EXPECT_EQ(ask(gateway.admin_address(), get("/metrics")).status, 200);
}

// --- metrics ---

/// The names in the table of docs/metrics.md, the first column's.
std::set<std::string> documented_metrics() {
  std::ifstream file(test::in_project("docs/metrics.md"));
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("| `tollgate_") || line.starts_with("| `process_") ||
        (line.starts_with("| `gen_ai_") && line.find("| histogram |") != line.npos))
      names.insert(line.substr(3, line.find('`', 3) - 3));
  return names;
}

TEST(Metrics, that_the_docs_name_are_there_after_traffic) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "credentials: [{name: main, key: test-key-1}]"));
  const std::string stream = token("a") + finish_event + usage_event + done_event;
  EXPECT_EQ(exchange(gateway, upstream, post("/v1/chat/completions", chat_body("m", true)),
                     stream_head + chunk(stream) + last_chunk)
                .status,
            200);
  ask(gateway.admin_address(), post("/admin/v1/reload", ""));
  ASSERT_TRUE(gateway.wait_for_metric(
      R"(tollgate_requests_total{tenant="default",route="none",task="none",model="m",outcome="ok",stream="true"})", 1));

  Answer scrape = ask(gateway.metrics_address(), get("/metrics"));
  EXPECT_EQ(scrape.fields["content-type"], "text/plain; version=0.0.4");
  const auto names = documented_metrics();
  EXPECT_GE(names.size(), 20u);
  for (const std::string& name : names) EXPECT_NE(scrape.body.find("# TYPE " + name + " "), std::string::npos) << name;
  // And the docs name all that is there.
  std::istringstream lines(scrape.body);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(names.contains(line.substr(7, line.find(' ', 7) - 7))) << line;
    }

  EXPECT_EQ(gateway.metric(R"(tollgate_attempts_total{target="up/m",credential="main",outcome="ok"})"), 1);
  EXPECT_EQ(gateway.metric(R"(tollgate_request_duration_seconds_count{route="none",model="m",stream="true"})"), 1);
  EXPECT_EQ(gateway.metric(R"(tollgate_time_to_first_token_seconds_count{route="none",model="m"})"), 1);
  EXPECT_EQ(gateway.metric("tollgate_config_generation"), 2);
  EXPECT_EQ(gateway.metric(R"(tollgate_config_reloads_total{result="success"})"), 1);
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_streams_active", 0));
  EXPECT_TRUE(gateway.wait_for_metric("tollgate_in_flight_requests", 0));
}

TEST(Metrics, count_every_outcome_under_configured_names_only) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()) + "routes:\n  auto: {primary: m}\n");
  exchange(gateway, upstream, post("/v1/chat/completions", chat_body("auto")), json_answer("{}"));
  for (int i = 0; i < 20; ++i) {
    ask(gateway.address(), post("/v1/chat/completions", chat_body("unknown-" + std::to_string(i))));
    ask(gateway.address(), get("/unknown/" + std::to_string(i)));
  }
  EXPECT_TRUE(gateway.wait_for_metric(
      R"(tollgate_requests_total{tenant="default",route="auto",task="none",model="m",outcome="ok",stream="false"})",
      1));
  EXPECT_TRUE(gateway.wait_for_metric(
      R"(tollgate_requests_total{tenant="default",route="none",task="none",model="none",outcome="client_error",stream="false"})",
      40));
  EXPECT_EQ(gateway.metrics().find("unknown"), std::string::npos);
}

// --- administration ---

constexpr const char* admin_token = "test-admin-token-of-thirty-two-bytes";
constexpr const char* metrics_token = "test-metrics-token";

GatewayUnderTest::WholeConfig guarded_config(std::uint16_t port) {
  return [port](const std::filesystem::path& folder) {
    return "version: 1\nserver: {listen: [\"127.0.0.1:0\"]}\nadmin: {listen: \"127.0.0.1:0\", token: " +
           std::string(admin_token) + "}\nmetrics: {listen: \"127.0.0.1:0\", token: " + metrics_token +
           "}\nlog: {access: " + (folder / "access.log").string() +
           ", level: debug}\ndefaults: {retry: {attempts: 1}}\n" +
           config_for(port,
                      "credentials: [{name: main, key: canary-provider-key}]\nheaders: {X-Extra: canary-extra-header}");
  };
}

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

TEST(Admin, asks_for_its_token_where_one_is_set) {
  RawUpstream upstream;
  GatewayUnderTest gateway(guarded_config(upstream.port()));
  struct Try {
    std::string address, path, token;
  };
  for (const Try& one : {Try{gateway.admin_address(), "/admin/v1/config", admin_token},
                         Try{gateway.admin_address(), "/metrics", admin_token},
                         Try{gateway.metrics_address(), "/metrics", metrics_token}}) {
    EXPECT_EQ(ask(one.address, get(one.path, bearer(one.token))).status, 200);
    const std::string cut = one.token.substr(0, one.token.size() - 1);
    for (const std::string& fields : {std::string(), bearer("wrong"), bearer(cut), bearer(one.token + "x"),
                                      "Authorization: Basic " + one.token + "\r\n",
                                      "Authorization: " + one.token + "\r\n", "X-Api-Key: " + one.token + "\r\n"}) {
      Answer got = ask(one.address, get(one.path, fields));
      EXPECT_EQ(got.status, 401) << fields;
      EXPECT_EQ(json::parse(got.body).at("/error/code"_json_pointer), "invalid_api_key");
      EXPECT_EQ(got.fields["www-authenticate"], "Bearer");
      EXPECT_EQ(got.body.find(one.token), std::string::npos);
    }
  }
  // The tokens of one plane are nothing on another, and the data plane asks for none.
  EXPECT_EQ(ask(gateway.admin_address(), get("/admin/v1/config", bearer(metrics_token))).status, 401);
  EXPECT_EQ(ask(gateway.metrics_address(), get("/metrics", bearer(admin_token))).status, 401);
  EXPECT_EQ(ask(gateway.admin_address(), post("/admin/v1/reload", "")).status, 401);
  EXPECT_EQ(ask(gateway.address(), get("/v1/models")).status, 200);
}

TEST(Admin, shows_the_configuration_without_its_secrets) {
  RawUpstream upstream;
  GatewayUnderTest gateway(guarded_config(upstream.port()));
  const Answer got = ask(gateway.admin_address(), get("/admin/v1/config", bearer(admin_token)));
  const json config = json::parse(got.body);
  EXPECT_EQ(got.body.find("canary"), std::string::npos) << got.body;
  EXPECT_EQ(got.body.find(admin_token), std::string::npos);
  EXPECT_EQ(got.body.find(metrics_token), std::string::npos);
  EXPECT_NE(got.body.find("620s"), std::string::npos) << "a default: " << got.body;
}

TEST(Admin, reloads_on_demand_and_reports_what_is_wrong) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  gateway.rewrite_config(config_for(upstream.port()) + "  second: {provider: up}\n");
  json report = json::parse(ask(gateway.admin_address(), post("/admin/v1/reload", "")).body);
  EXPECT_EQ(report.at("accepted"), true);
  EXPECT_EQ(report.at("generation"), 2);
  EXPECT_TRUE(report.at("faults").empty());

  gateway.rewrite_config(config_for(upstream.port()) + "  third: {provider: nobody, nme: x}\n");
  const Answer refused = ask(gateway.admin_address(), post("/admin/v1/reload", ""));
  EXPECT_EQ(refused.status, 422);
  report = json::parse(refused.body);
  EXPECT_EQ(report.at("accepted"), false);
  EXPECT_EQ(report.at("generation"), 2);
  EXPECT_EQ(report.at("faults").size(), 2u);
  EXPECT_NE(report.at("faults").dump().find("did you mean"), std::string::npos);
  EXPECT_EQ(gateway.metric(R"(tollgate_config_reloads_total{result="failure"})"), 1);
  EXPECT_EQ(gateway.metric("tollgate_config_last_reload_successful"), 0);
}

TEST(Admin, refuses_web_pages_and_foreign_hosts) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port()));
  EXPECT_EQ(
      ask(gateway.admin_address(), "POST /admin/v1/reload HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
          .status,
      403);
  EXPECT_EQ(ask(gateway.admin_address(), post("/admin/v1/reload", "", "Origin: https://evil.example\r\n")).status, 403);
  EXPECT_EQ(gateway.metric("tollgate_config_generation"), 1);
}

// --- the access log ---

/// The lines of the log so far, parsed.
std::vector<json> lines_of(const GatewayUnderTest& gateway) {
  std::vector<json> all;
  std::istringstream text(gateway.access_log());
  for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
  return all;
}

TEST(AccessLog, has_a_line_per_request_with_what_is_known_of_it) {
  RawUpstream upstream;
  GatewayUnderTest gateway(config_for(upstream.port(), "credentials: [{name: main, key: test-key-1}]") +
                           "routes:\n  auto: {primary: m}\n");
  const std::string stream = token("a") + finish_event + usage_event + done_event;
  Answer answer =
      exchange(gateway, upstream, post("/v1/chat/completions", chat_body("auto", true), "X-Request-Id: mine-1\r\n"),
               "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Request-Id: theirs-1\r\nConnection: "
               "close\r\nContent-Length: " +
                   std::to_string(stream.size()) + "\r\n\r\n" + stream);
  ASSERT_TRUE(gateway.wait_for_log("\"mine-1\""));
  const json line = lines_of(gateway).at(0);
  EXPECT_EQ(line.at("request_id"), answer.fields["x-request-id"]);
  EXPECT_EQ(line.at("client_request_id"), "mine-1");
  EXPECT_EQ(line.at("upstream_request_id"), "theirs-1");
  EXPECT_EQ(line.at("method"), "POST");
  EXPECT_EQ(line.at("endpoint"), "/v1/chat/completions");
  EXPECT_EQ(line.at("route"), "auto");
  EXPECT_EQ(line.at("model"), "m");
  EXPECT_EQ(line.at("target"), "up/m");
  EXPECT_EQ(line.at("credential"), "main");
  EXPECT_EQ(line.at("attempts"), 1);
  EXPECT_EQ(line.at("reused"), false);
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("outcome"), "ok");
  EXPECT_EQ(line.at("phase"), "done");
  EXPECT_EQ(line.at("stream"), true);
  EXPECT_EQ(line.at("input_tokens"), 7);
  EXPECT_EQ(line.at("output_tokens"), 5);
  EXPECT_EQ(line.at("bytes_in"), chat_body("auto", true).size());
  EXPECT_EQ(line.at("bytes_out"), answer.body.size());
  for (const char* time : {"duration_ms", "first_token_ms", "upstream_ms", "overhead_us"})
    EXPECT_TRUE(line.at(time).is_number()) << time;

  // Every field of a line is one that the docs name, and what the docs say is always there is.
  std::ifstream docs(test::in_project("docs/metrics.md"));
  const std::string text{std::istreambuf_iterator<char>(docs), {}};
  for (const auto& [name, value] : line.items()) EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;

  ask(gateway.address(), get("/v1/secret-path?secret=query"));
  ask(gateway.address(), post("/v1/chat/completions", chat_body("unknown-model")));
  ask(gateway.address(), "BROKEN\r\n\r\n");
  ASSERT_TRUE(gateway.wait_for_log("bad_http_request"));
  const auto lines = lines_of(gateway);
  ASSERT_EQ(lines.size(), 4u) << gateway.access_log();
  std::set<std::string> codes;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    codes.insert(lines[i].at("error_code"));
    EXPECT_EQ(lines[i].at("outcome"), "client_error");
    EXPECT_EQ(lines[i].at("attempts"), 0);
  }
  EXPECT_EQ(codes, (std::set<std::string>{"method_not_allowed", "model_not_found", "bad_http_request"}));
  EXPECT_EQ(gateway.access_log().find("secret"), std::string::npos);
  EXPECT_EQ(gateway.access_log().find("unknown-model"), std::string::npos);
}

TEST(AccessLog, and_metrics_and_diagnostics_hold_no_canary) {
  testing::internal::CaptureStderr();
  std::string seen;
  {
    RawUpstream upstream;
    GatewayUnderTest gateway(guarded_config(upstream.port()));
    const std::string prompt =
        R"({"model":"m","user":"canary-user","messages":[{"role":"user","content":"canary-prompt"}],"metadata":{"a":"canary-meta"}})";
    const std::string streamed = prompt.substr(0, prompt.size() - 1) + ",\"stream\":true}";
    const std::string fields =
        "Authorization: Bearer canary-client-key\r\nX-Api-Key: canary-client-key\r\nCookie: canary=1\r\nUser-Agent: "
        "canary-agent\r\n"
        "X-Tollgate-Task: canary-task\r\nX-Tollgate-User: canary-user\r\nReferer: http://canary/\r\nX-Forwarded-For: "
        "canary\r\n";
    const auto to = [&](const std::string& body, const std::string& query = "?key=canary-query") {
      return post("/v1/chat/completions" + query, body, fields);
    };
    const std::string cut =
        "HTTP/1.1 200 OK\r\nX-Up: canary-up\r\nContent-Type: application/json\r\nContent-Length: "
        "900\r\n\r\n{\"canary-completion\":";
    exchange(gateway, upstream, to(prompt),
             json_answer(R"({"choices":[{"message":{"content":"canary-completion"}}],"usage":{"prompt_tokens":1}})"));
    exchange(gateway, upstream, to(streamed),
             stream_head + chunk(token("canary-completion") + finish_event + done_event) + last_chunk);
    exchange(gateway, upstream, to(streamed), stream_head + chunk(token("canary-completion")) + last_chunk);
    exchange(gateway, upstream, to(streamed), stream_head + chunk(token("x") + event("canary-malformed")) + last_chunk);
    exchange(gateway, upstream, to(streamed),
             stream_head + chunk(event(R"({"error":{"message":"canary-error","code":"canary-code"}})")) + last_chunk);
    exchange(gateway, upstream, to(prompt),
             json_answer(R"({"error":{"message":"canary-error","type":"canary-type"}})", 500));
    exchange(gateway, upstream, to(prompt), json_answer(R"({"error":{"message":"canary-error"}})", 401));
    exchange(gateway, upstream, to(prompt), "canary garbage\r\n\r\n");
    {
      RawClient client(gateway.address());
      client.send(to(prompt));
      RawSocket connection = upstream.accept();
      RawUpstream::read_request(connection);
      connection.send(cut);
      connection.close();
      EXPECT_EQ(client.read_answer().status, 502);
    }
    ask(gateway.address(), to(R"({"model":"canary-model","messages":["canary-prompt"]})"));
    ask(gateway.address(), to("{\"canary-prompt"));
    ask(gateway.address(), to(R"({"model":"m","model":"canary-model"})"));
    ask(gateway.address(), get("/v1/canary-path?canary=1", fields));
    ask(gateway.address(), "CANARY /canary HTTP/1.1\r\ncanary\r\n\r\n");
    ask(gateway.admin_address(), get("/admin/v1/config", bearer("canary-wrong-token")));
    gateway.gateway().request_stop();
    gateway.join();
    seen = gateway.access_log();
    // Fourteen on the data plane; the admin's are none of it.
    EXPECT_EQ(std::count(seen.begin(), seen.end(), '\n'), 14) << seen;
  }
  const std::string diagnostics = testing::internal::GetCapturedStderr();
  EXPECT_NE(diagnostics.find("\"ready\""), std::string::npos) << diagnostics;
  for (const std::string& text : {seen, diagnostics}) {
    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
    EXPECT_EQ(text.find("CANARY"), std::string::npos) << text;
    EXPECT_EQ(text.find(admin_token), std::string::npos);
  }
}

}  // namespace
}  // namespace tollgate::test
