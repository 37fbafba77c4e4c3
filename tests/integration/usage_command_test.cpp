// `tollgate usage` as a person or a script runs it: its outputs and its exit code, on a ledger's files and on a running
// gateway.
#include "tollgate/io/ledger_store.hpp"

#include "app/admin_client.hpp"
#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"
#include "support/raw_upstream.hpp"
#include "support/tollgate_process.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace tollgate::test {
namespace {

Outcome usage(const std::string& arguments, const std::string& address = "127.0.0.1:1") {
  return run_program(test::tollgate_binary(), "usage " + arguments,
                     "env -u TOLLGATE_ADMIN_TOKEN TOLLGATE_ADMIN_URL='http://" + address + "'");
}

/// Three attempts on the first of November 2026; one of them has no price, one is estimated.
class Ledger {
 public:
  explicit Ledger(const std::string& where) {
    auto store = io::LedgerStore::open(where);
    EXPECT_TRUE(store) << store.error().message;
    io::LedgerBatch batch;
    for (const char* tenant : {"acme", "acme", "umbrella, \"inc\"\x1B[2J"}) {
      const std::string id = std::to_string(batch.requests.size());
      io::RequestRow request;
      request.of.request_id = "request " + id;
      request.of.tenant = tenant;
      request.of.end_user = 0xABC;
      request.began_at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 1);
      io::AttemptRow attempt;
      attempt.of = request.of;
      attempt.attempt_id = "attempt " + id;
      attempt.began_at = request.began_at;
      attempt.usage.input = 1'234'567;
      attempt.estimated = id == "1";
      if (id != "2") attempt.cost = Money{id == "0" ? 12'000'000'000 : 1};
      batch.requests.push_back(request);
      batch.attempts.push_back(attempt);
    }
    const auto written = (*store)->write(batch);
    EXPECT_TRUE(written) << written.error().message;
  }
};

const std::string november = " --since 2026-11-01 --until 2026-12-01";

TEST(UsageCommand, prints_aligned_columns_and_totals_and_says_what_is_no_exact_price) {
  const TemporaryFolder folder;
  const std::string where = folder.path().string();
  const Ledger ledger(where);
  const Outcome run = usage("--by tenant --ledger " + where + november);
  EXPECT_EQ(run.code, 0) << run.errors;
  EXPECT_EQ(run.out,
            "TENANT               REQUESTS  ATTEMPTS    INPUT  CACHED  OUTPUT  REASONING      COST USD  WASTED USD  "
            "UNPRICED  ESTIMATED USD  RECOVERED USD\n"
            "acme                        2         2  2469134       0       0          0  12.000000001           0  "
            "       0    0.000000001              0\n"
            "umbrella, \"inc\"?[2J         1         1  1234567       0       0          0             0           0  "
            "       1              0              0\n"
            "TOTAL                       3         3  3703701       0       0          0  12.000000001           0  "
            "       1    0.000000001              0\n");
  EXPECT_NE(run.errors.find("from 2026-11-01T00:00:00Z until 2026-12-01T00:00:00Z\n"), std::string::npos) << run.errors;
  EXPECT_NE(run.errors.find("1 attempts are estimated"), std::string::npos) << run.errors;
  EXPECT_NE(run.errors.find("1 attempts have no price"), std::string::npos) << run.errors;
}

TEST(UsageCommand, prints_csv_that_survives_any_name_and_json_as_the_admin_api_has_it) {
  const TemporaryFolder folder;
  const std::string where = folder.path().string();
  const Ledger ledger(where);
  const Outcome csv = usage("--by tenant,user --csv --ledger " + where + november);
  EXPECT_EQ(csv.code, 0);
  EXPECT_TRUE(csv.out.starts_with("tenant,user,requests,attempts,tokens.input,")) << csv.out;
  EXPECT_NE(csv.out.find("\r\n\"umbrella, \"\"inc\"\"\x1B[2J\",0000000000000abc,1,1,1234567,"), std::string::npos);
  const Outcome json = usage("--where tenant=acme --json --ledger " + where + november);
  EXPECT_EQ(nlohmann::json::parse(json.out).at("totals").at("cost_usd"), "12.000000001");
}

TEST(UsageCommand, reads_the_ledger_of_a_configuration_and_the_one_of_a_running_gateway) {
  RawUpstream upstream;
  const TemporaryFolder storage;
  const std::string config = config_for(upstream.port()) + "storage: {path: " + (storage.path() / "t.db").string() +
                             "}\ntenants: {acme: {}}\n";
  const Ledger ledger((storage.path() / "ledger").string());
  const std::string file = (storage.path() / "routes.yaml").string();
  std::ofstream(file) << "version: 1\n" << config;
  const Outcome from_file = usage("--by tenant --json --config " + file + november);
  EXPECT_EQ(from_file.code, 0) << from_file.errors;
  const TollgateProcess gateway(test::tollgate_binary(), config);
  const Outcome from_gateway = usage("--by tenant --json" + november, gateway.admin_address());
  EXPECT_EQ(from_gateway.code, 0) << from_gateway.errors;
  EXPECT_EQ(nlohmann::json::parse(from_gateway.out), nlohmann::json::parse(from_file.out));
}

TEST(UsageCommand, says_what_is_wrong) {
  const TemporaryFolder folder;
  const std::string here = " --ledger " + folder.path().string();
  EXPECT_EQ(usage("--by colour" + here).code, 2);
  EXPECT_EQ(usage("--since never" + here).code, 2);
  EXPECT_EQ(usage("--json --csv" + here).code, 2);
  const Outcome missing = usage("--ledger /nonexistent/ledger");
  EXPECT_EQ(missing.code, 1);
  EXPECT_EQ(missing.errors, "tollgate: there is no ledger at /nonexistent/ledger\n");
  EXPECT_EQ(usage("").code, 1) << "nobody listens there";
}

}  // namespace
}  // namespace tollgate::test
