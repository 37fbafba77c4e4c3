// Budgets as operators see them, and more money for one: what may be granted, that it counts at once and is kept, and
// that nothing is granted where the audit cannot say so.
#include "harness.hpp"

namespace tollgate::server::admin {
namespace {

const std::string yaml =
    "version: 1\n"
    "providers: {p: {protocol: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n"
    "models: {m: {provider: p, budgets: [{name: all, amount: 9 USD, window: total, volatile: true}]}}\n"
    "groups: {g: {budgets: [{name: year, amount: 0.5 USD, window: year}]}}\n"
    "tenants:\n"
    "  acme:\n"
    "    group: g\n"
    "    budgets: [{name: monthly, amount: 500 USD, when_spent: {downgrade_to: m}, stop_at: 550 USD}]\n"
    "    end_user_budgets: [{name: daily, amount: 1 USD, window: day}]\n"
    "    keys:\n"
    "      - {name: ci, secret: canary-secret-of-the-file-1, budgets: [{name: daily, amount: 5 USD, window: day}]}\n"
    "      - {name: ci, secret: canary-secret-of-the-file-2, budgets: [{name: daily, amount: 5 USD, window: day}]}\n"
    "  umbrella: {}\n";
constexpr const char* list = "/admin/v1/budgets";
constexpr const char* grants = "/admin/v1/budgets/tenant/acme/monthly/grants";
const std::string launch = R"({"amount":"100.25 USD","until":"2200-01-01","reason":"launch week"})";

json budget(const json& page, const std::string& id) {
  for (const json& each : page.at("data"))
    if (each.at("id") == id) return each;
  ADD_FAILURE() << id << " is not in " << page;
  return {};
}

TEST(AdminBudgets, are_listed_with_all_that_counts) {
  Harness api(Stored::yes, yaml);
  const json page = api.get(list);
  EXPECT_EQ(page.at("data").size(), 4u) << "that of two keys of one name is one; those of end users are left out";
  const json monthly = budget(page, "tenant/acme/monthly");
  EXPECT_EQ(monthly.at("amount_usd"), "500");
  EXPECT_EQ(monthly.at("limit_usd"), "500");
  EXPECT_EQ(monthly.at("stop_at_usd"), "550");
  EXPECT_EQ(monthly.at("spent_usd"), "0");
  EXPECT_EQ(monthly.at("held_usd"), "0");
  EXPECT_EQ(monthly.at("when_spent"), "downgrade");
  EXPECT_EQ(monthly.at("window"), "month");
  EXPECT_EQ(monthly.at("timezone"), "UTC");
  EXPECT_EQ(budget(page, "key/acme/ci/daily").at("owner"), "acme/ci");
  EXPECT_TRUE(budget(page, "model/m/all").at("resets_at").is_null());
  EXPECT_EQ(budget(page, "group/g/year").at("amount_usd"), "0.5");
}

TEST(AdminBudgets, are_listed_by_tenant) {
  Harness api(Stored::yes, yaml);
  EXPECT_EQ(api.get(std::string(list) + "?tenant=acme").at("data").size(), 2u);
  EXPECT_EQ(api.get(std::string(list) + "?tenant=umbrella").at("data").size(), 0u);
  const AdminReply refused = api.ask("GET", std::string(list) + "?tenant=nobody");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Harness::error(refused).at("param"), "tenant");
}

TEST(AdminBudgets, show_what_is_spent_and_what_is_held) {
  Harness api(Stored::yes, yaml);
  const SystemTime now = std::chrono::system_clock::now();
  policy::BudgetSettings settings;
  settings.name = "all";
  settings.amount = {9 * Money::nanos_per_dollar};
  settings.window = policy::Window::total;
  policy::BudgetChain chain;
  chain.put(api.budgets.list(policy::ScopeKind::model, "m", {&settings, 1}, now));
  policy::BudgetHold spent, held;
  ASSERT_FALSE(reserve(spent, chain, {2'000'000'001}, now, false));
  spent.settle({1'500'000'001}, now);
  ASSERT_FALSE(reserve(held, chain, {3'000'000'000}, now, false));
  const json all = budget(api.get(list), "model/m/all");
  EXPECT_EQ(all.at("spent_usd"), "1.500000001");
  EXPECT_EQ(all.at("held_usd"), "3");
}

TEST(AdminGrants, count_at_once_and_are_kept_with_their_row_in_the_audit) {
  Harness api(Stored::yes, yaml);
  const AdminReply reply = api.ask("POST", grants, launch);
  ASSERT_EQ(reply.status, 201) << reply.body;
  const json granted = json::parse(reply.body);
  EXPECT_EQ(granted.at("limit_usd"), "600.25");
  EXPECT_EQ(granted.at("amount_usd"), "500");
  EXPECT_EQ(granted.at("grants").at(0).at("reason"), "launch week");
  EXPECT_EQ(granted.at("grants").at(0).at("until"), "2200-01-01T00:00:00Z");
  EXPECT_EQ(api.ask("POST", "/admin/v1/budgets/tenant%2Facme%2Fmonthly/grants", launch).status, 201);
  EXPECT_EQ(budget(api.get(list), "tenant/acme/monthly").at("grants").size(), 2u);
  const json rows = api.get("/admin/v1/audit").at("data");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.at(0).at("action"), "budget.grant");
  EXPECT_EQ(rows.at(0).at("object"), "budget/tenant/acme/monthly");
  EXPECT_NE(rows.at(0).at("after").dump().find("100.25"), std::string::npos);
}

TEST(AdminGrants, are_refused_by_the_member_that_is_wrong) {
  Harness api(Stored::yes, yaml);
  const std::pair<const char*, const char*> rows[] = {
      {R"({"until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":100,"until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":"100","until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":"0 USD","until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":"-5 USD","until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":"1000000001 USD","until":"2200-01-01","reason":"x"})", "amount"},
      {R"({"amount":"1 USD","reason":"x"})", "until"},
      {R"({"amount":"1 USD","until":"tomorrow","reason":"x"})", "until"},
      {R"({"amount":"1 USD","until":"2020-01-01","reason":"x"})", "until"},
      {R"({"amount":"1 USD","until":"2200-01-01"})", "reason"},
      {R"({"amount":"1 USD","until":"2200-01-01","reason":"a\nb"})", "reason"},
      {R"({"amount":"1 USD","until":"2200-01-01","reason":"x","more":1})", "more"}};
  for (const auto& [body, param] : rows) {
    const AdminReply refused = api.ask("POST", grants, body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_EQ(Harness::error(refused).at("param"), param) << body;
  }
  EXPECT_EQ(budget(api.get(list), "tenant/acme/monthly").at("grants").size(), 0u);
}

TEST(AdminGrants, are_for_budgets_of_the_configuration) {
  Harness api(Stored::yes, yaml);
  for (const char* id : {"tenant/acme/weekly", "tenant/nobody/monthly", "acme/monthly", "end_user/acme/ff/daily"}) {
    const AdminReply refused = api.ask("POST", "/admin/v1/budgets/" + std::string(id) + "/grants", launch);
    EXPECT_EQ(refused.status, 404) << id;
    EXPECT_EQ(Harness::error(refused).at("code"), "budget_not_found");
  }
  EXPECT_EQ(api.ask("POST", "/admin/v1/budgets//grants", launch).status, 404);
  EXPECT_EQ(api.ask("GET", "/admin/v1/budgets/tenant/acme/monthly", "").status, 404);
  EXPECT_EQ(api.ask("GET", grants, "").status, 405);
}

TEST(AdminGrants, are_not_made_where_they_cannot_be_kept) {
  Harness without(Stored::no, yaml);
  EXPECT_EQ(Harness::error(without.ask("POST", grants, launch)).at("code"), "no_storage");
  Harness api(Stored::yes, yaml);
  api.break_store();
  EXPECT_EQ(api.ask("POST", grants, launch).status, 503);
  EXPECT_EQ(budget(api.get(list), "tenant/acme/monthly").at("limit_usd"), "500");
}

}  // namespace
}  // namespace tollgate::server::admin
