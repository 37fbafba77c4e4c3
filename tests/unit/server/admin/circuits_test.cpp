// Circuits by an operator's hand: what may be asked, what comes of it, what the audit says of it, and that nothing
// comes of it where the audit cannot.
#include "harness.hpp"

namespace tollgate::server::admin {
namespace {

constexpr const char* path = "/admin/v1/targets/circuit";

std::string order(const std::string& state, const std::string& more = {}) {
  return R"({"target":"p/m","state":")" + state + R"(","reason":"drill")" + more + "}";
}

json target(const json& page, const std::string& name) {
  for (const json& each : page.at("data"))
    if (each.at("target") == name) return each;
  ADD_FAILURE() << name << " is not in " << page;
  return {};
}

TEST(ForcedCircuits, are_held_until_they_are_let_go) {
  Harness api;
  EXPECT_EQ(target(api.get("/admin/v1/targets"), "p/m").at("forced"), false);
  const AdminReply held = api.ask("POST", path, order("open"), config::AdminRole::operate);
  ASSERT_EQ(held.status, 200) << held.body;
  const json shown = target(json::parse(held.body), "p/m");
  EXPECT_EQ(shown.at("circuit"), "open");
  EXPECT_EQ(shown.at("forced"), true);
  EXPECT_EQ(shown.at("reason"), "forced");
  EXPECT_TRUE(shown.at("retry_at").is_null());
  const json listed = target(api.get("/admin/v1/targets"), "p/m");
  EXPECT_EQ(listed.at("circuit"), "open");
  EXPECT_EQ(listed.at("forced"), true);
  EXPECT_EQ(target(api.get("/admin/v1/targets"), "p/other").at("forced"), false);

  EXPECT_EQ(target(json::parse(api.ask("POST", path, order("closed")).body), "p/m").at("circuit"), "closed");
  EXPECT_EQ(api.ask("POST", path, order("open")).status, 200);
  const json freed = target(json::parse(api.ask("POST", path, order("auto")).body), "p/m");
  EXPECT_EQ(freed.at("circuit"), "half_open") << "it is tried before it is trusted";
  EXPECT_EQ(freed.at("forced"), false);
}

TEST(ForcedCircuits, are_those_of_one_credential_where_one_is_named) {
  Harness api;
  EXPECT_EQ(api.ask("POST", path, order("open", R"(,"credential":"")")).status, 200) << "the provider has none";
  const AdminReply refused = api.ask("POST", path, order("open", R"(,"credential":"main")"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Harness::error(refused).at("param"), "credential");
}

TEST(ForcedCircuits, are_refused_by_the_member_that_is_wrong) {
  Harness api;
  const AdminReply unknown = api.ask("POST", path, R"({"target":"p/x","state":"open","reason":"drill"})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(Harness::error(unknown).at("code"), "target_not_found");
  const std::pair<const char*, const char*> rows[] = {
      {R"({"state":"open","reason":"drill"})", "target"},
      {R"({"target":7,"state":"open","reason":"drill"})", "target"},
      {R"({"target":"p/m","reason":"drill"})", "state"},
      {R"({"target":"p/m","state":"half_open","reason":"drill"})", "state"},
      {R"({"target":"p/m","state":"open"})", "reason"},
      {R"({"target":"p/m","state":"open","reason":""})", "reason"},
      {R"({"target":"p/m","state":"open","reason":"a\nb"})", "reason"},
      {R"({"target":"p/m","state":"open","reason":"drill","credential":7})", "credential"},
      {R"({"target":"p/m","state":"open","reason":"drill","for":"1h"})", "for"},
  };
  for (const auto& [body, param] : rows) {
    const AdminReply reply = api.ask("POST", path, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(Harness::error(reply).at("param"), param) << body;
  }
  EXPECT_EQ(api.ask("POST", path, order("open").replace(0, 1, "[")).status, 400);
  EXPECT_EQ(target(api.get("/admin/v1/targets"), "p/m").at("forced"), false);
}

TEST(ForcedCircuits, stand_in_the_audit_with_their_reason) {
  Harness api;
  api.ask("POST", path, order("open"), config::AdminRole::operate);
  api.ask("POST", path, order("auto", R"(,"credential":"")"));
  const json rows = api.get("/admin/v1/audit").at("data");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("action"), "circuit.force");
  EXPECT_EQ(rows[0].at("object"), "target/p/m");
  EXPECT_EQ(rows[0].at("role"), "operate");
  EXPECT_EQ(json::parse(rows[0].at("before").get<std::string>()),
            (json{{"", {{"circuit", "closed"}, {"forced", false}}}}));
  EXPECT_EQ(json::parse(rows[0].at("after").get<std::string>()),
            (json{{"state", "open"}, {"credential", nullptr}, {"reason", "drill"}}));
  EXPECT_EQ(json::parse(rows[1].at("before").get<std::string>()),
            (json{{"", {{"circuit", "open"}, {"forced", true}}}}));
  EXPECT_EQ(json::parse(rows[1].at("after").get<std::string>()),
            (json{{"state", "auto"}, {"credential", ""}, {"reason", "drill"}}));
}

TEST(ForcedCircuits, are_not_touched_where_the_audit_cannot_take_its_row) {
  Harness api;
  api.break_store();
  const AdminReply reply = api.ask("POST", path, order("open"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(Harness::error(reply).at("code"), "store_unavailable");
  EXPECT_EQ(target(api.get("/admin/v1/targets"), "p/m").at("forced"), false);
}

TEST(ForcedCircuits, need_no_store_where_there_is_none) {
  Harness api(Stored::no);
  EXPECT_EQ(api.ask("POST", path, order("closed")).status, 200);
  EXPECT_EQ(target(api.get("/admin/v1/targets"), "p/m").at("forced"), true);
}

}  // namespace
}  // namespace tollgate::server::admin
