// GET /admin/v1/usage: parameters in, the ledger's figures out. The harness holds every answer against the shape that
// the document promises.
#include "tollgate/io/ledger_store.hpp"
#include "tollgate/io/usage_desk.hpp"

#include "harness.hpp"

#include <cstdio>

namespace tollgate::server::admin {
namespace {

/// Two tenants on the first of November.
void write_rows(const std::filesystem::path& folder) {
  auto store = io::LedgerStore::open(folder.string());
  ASSERT_TRUE(store) << store.error().message;
  io::LedgerBatch batch;
  for (const char* tenant : {"acme", "umbrella"}) {
    io::RequestRow request;
    request.of.request_id = std::string("request of ") + tenant;
    request.of.tenant = tenant;
    request.of.tags = "team=red,cost=1";
    request.began_at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 1);
    io::AttemptRow attempt;
    attempt.of = request.of;
    attempt.attempt_id = std::string("attempt of ") + tenant;
    attempt.began_at = request.began_at;
    attempt.usage.input = 1000;
    attempt.usage.output = 10;
    attempt.waste = pipeline::Waste::hedge;
    attempt.estimated = true;
    attempt.cost = Money{tenant[0] == 'a' ? 1'500'000'001 : 7};
    batch.requests.push_back(request);
    batch.attempts.push_back(attempt);
  }
  const auto written = (*store)->write(batch);
  ASSERT_TRUE(written) << written.error().message;
}

TEST(AdminUsage, tells_the_figures_of_groups_and_of_all_with_exact_dollars) {
  Harness api;
  write_rows(api.ledger());
  const json report = api.get("/admin/v1/usage?by=tenant&since=2026-11-01&until=2026-11-02");
  EXPECT_EQ(report.at("since"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(report.at("until"), "2026-11-02T00:00:00Z");
  EXPECT_EQ(report.at("read"), "sums");
  EXPECT_EQ(report.at("truncated"), false);
  const json& first = report.at("data").at(0);
  EXPECT_EQ(report.at("data").size(), 2u);
  EXPECT_EQ(first.at("group"), json({{"tenant", "acme"}}));
  EXPECT_EQ(first.at("cost_usd"), "1.500000001");
  EXPECT_EQ(first.at("wasted_usd").at("hedge"), "1.500000001");
  EXPECT_EQ(first.at("tokens").at("input"), 1000);
  EXPECT_EQ(report.at("totals").at("cost_usd"), "1.500000008");
  EXPECT_EQ(report.at("totals").at("requests"), 2);
  EXPECT_EQ(report.at("totals").at("estimated_attempts"), 2);
}

TEST(AdminUsage, counts_each_attempt_once_in_the_totals_of_a_report_by_tag) {
  Harness api;
  write_rows(api.ledger());
  const json report = api.get("/admin/v1/usage?by=tag&since=2026-11-01&until=2026-11-02");
  EXPECT_EQ(report.at("data").size(), 2u);
  EXPECT_EQ(report.at("data").at(0).at("requests"), 2);
  EXPECT_EQ(report.at("totals").at("requests"), 2);
  EXPECT_EQ(report.at("totals").at("cost_usd"), "1.500000008");
}

TEST(AdminUsage, picks_what_is_equal_and_says_when_there_is_more) {
  Harness api;
  write_rows(api.ledger());
  const std::string time = "&since=2026-11-01&until=2026-11-02";
  EXPECT_EQ(api.get("/admin/v1/usage?where=tenant%3Dacme,tag%3Dteam%3Dred" + time).at("totals").at("requests"), 1);
  const json cut = api.get("/admin/v1/usage?by=tenant&limit=1" + time);
  EXPECT_EQ(cut.at("data").size(), 1u);
  EXPECT_EQ(cut.at("truncated"), true);
  EXPECT_EQ(cut.at("totals").at("requests"), 2);
  EXPECT_EQ(api.get("/admin/v1/usage?by=tag,user" + time).at("read"), "rows");
  EXPECT_EQ(api.get("/admin/v1/usage?where=tenant%3Dnobody" + time).at("totals").at("requests"), 0);
}

TEST(AdminUsage, says_which_parameter_is_wrong) {
  Harness api;
  for (const auto& [query, parameter] : {std::pair{"by=colour", "by"},
                                         {"by=tenant,tenant", "by"},
                                         {"since=yesterday", "since"},
                                         {"until=1d&since=1h", "until"},
                                         {"where=tenant", "where"},
                                         {"where=hour%3D1", "where"},
                                         {"where=user%3Danna", "where"},
                                         {"limit=0", "limit"}}) {
    const AdminReply reply = api.ask("GET", std::string("/admin/v1/usage?") + query);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(Harness::error(reply).at("param"), parameter) << query;
  }
}

TEST(AdminUsage, is_a_conflict_where_nothing_is_stored_and_empty_where_nothing_was_used) {
  Harness without(Stored::no);
  EXPECT_EQ(without.ask("GET", "/admin/v1/usage").status, 409);
  Harness api;
  EXPECT_EQ(api.get("/admin/v1/usage?by=tenant").at("data"), json::array());
}

TEST(AdminUsage, tells_nobody_the_words_of_a_damaged_file) {
  Harness api;
  std::filesystem::create_directory(api.ledger());
  const std::string path = (api.ledger() / "ledger-2026-11.db").string();
  FILE* file = std::fopen(path.c_str(), "wb");
  for (int i = 0; i < 1000; ++i) std::fputs("no database ", file);
  std::fclose(file);
  const AdminReply reply = api.ask("GET", "/admin/v1/usage?since=2026-11-01&until=2026-11-02");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body.find("ledger-"), std::string::npos);
}

TEST(UsageDesk, refuses_what_is_more_than_its_queue_takes) {
  Folder folder;
  io::UsageDeskOptions options;
  options.most_waiting = 1;
  io::UsageDesk desk(folder.path.string(), options);
  std::promise<void> entered, go_on;
  std::promise<std::string> code;
  desk.ask({}, [&](const Result<io::UsageReport>&) {
    entered.set_value();
    go_on.get_future().wait();
  });
  entered.get_future().wait();
  std::promise<void> second;
  desk.ask({}, [&](const Result<io::UsageReport>& report) {
    EXPECT_TRUE(report);
    second.set_value();
  });
  desk.ask({}, [&](const Result<io::UsageReport>& report) { code.set_value(report ? "" : report.error().code); });
  EXPECT_EQ(code.get_future().get(), "too_many_queries");
  go_on.set_value();
  second.get_future().wait();
}

}  // namespace
}  // namespace tollgate::server::admin
