// The ledger's store as a book: what goes in comes out once, in whatever way it is asked for, whatever was tried with
// the same rows again.
#include "ledger_store_parts.hpp"

#include <algorithm>
#include <limits>

namespace tollgate::io::ledger_tests {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

TEST_F(LedgerStoreTest, comes_to_the_sums_of_ten_thousand_random_rows_however_they_are_grouped) {
  open();
  Rows rows(1);
  Model model;
  for (int i = 0; i < 25; ++i) {
    const LedgerBatch batch = rows.batch(200);
    write(batch);
    model.add(batch);
  }
  expect_equal(model);
  const std::array all{tenant, key, route, task, model_, target, user, tag, day, hour};
  const auto facts = model.grouped({tenant, key, task, model_, tag, user});
  for (int i = 0; i < 60; ++i) {
    std::vector<UsageDimension> by;
    Model::Where filters;
    const auto& some = std::next(facts.begin(), static_cast<std::ptrdiff_t>(rows.below(facts.size())))->first;
    for (const UsageDimension dimension : all)
      if (rows.below(5) == 0) by.push_back(dimension);
    for (const auto& [dimension, at] : {std::pair{tenant, 0}, {key, 1}, {task, 2}, {model_, 3}, {tag, 4}, {user, 5}})
      if (rows.below(8) == 0) filters.emplace_back(dimension, some[static_cast<std::size_t>(at)]);
    const SystemTime since = day_of(2026, 10, 1 + static_cast<unsigned>(rows.below(30)));
    const SystemTime until = day_of(2026, 12, 1 + static_cast<unsigned>(rows.below(30)));
    const UsageReport made = report(by, filters, since, until);
    EXPECT_EQ(groups_of(made), model.grouped(by, filters, since, until)) << i;
    const auto total = model.grouped({}, filters, since, until);
    EXPECT_EQ(made.totals, total.empty() ? UsageSums() : total.begin()->second) << i;
  }
}

TEST_F(LedgerStoreTest, takes_rows_that_it_has_without_a_change_to_anything) {
  open();
  Rows rows(2, day_of(2026, 11, 1), hours(24 * 29));
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 10; ++i) {
    batches.push_back(rows.batch(20));
    write(batches.back());
  }
  const std::string before = dump(file());
  for (int i = 0; i < 30; ++i) {
    LedgerBatch again;
    for (const LedgerBatch& batch : batches) {
      for (const AttemptRow& row : batch.attempts)
        if (rows.below(3) == 0) again.attempts.push_back(row);
      for (const RequestRow& row : batch.requests)
        if (rows.below(3) == 0) again.requests.push_back(row);
    }
    if (i % 10 == 0) open();
    write(again);
  }
  EXPECT_EQ(dump(file()), before);
}

TEST_F(LedgerStoreTest, counts_a_row_once_that_is_twice_in_one_batch) {
  open();
  LedgerBatch batch = Rows(3).batch(5);
  Model model;
  model.add(batch);
  const LedgerBatch same = batch;
  batch.attempts.insert(batch.attempts.end(), same.attempts.begin(), same.attempts.end());
  batch.requests.insert(batch.requests.end(), same.requests.begin(), same.requests.end());
  write(batch);
  expect_equal(model);
}

TEST_F(LedgerStoreTest, changes_nothing_by_a_row_that_says_something_else_under_an_id_that_is_there) {
  open();
  LedgerBatch batch = Rows(4).batch(3);
  Model model;
  model.add(batch);
  write(batch);
  for (AttemptRow& row : batch.attempts) row.cost = Money{1}, row.recovered = true, row.usage.input = 9;
  for (RequestRow& row : batch.requests) row.status = 500;
  write(batch);
  expect_equal(model);
}

TEST_F(LedgerStoreTest, keeps_a_request_and_its_attempts_in_the_month_in_which_it_began) {
  open();
  Rows rows(5, day_of(2026, 11, 1) - hours(1), hours(1));
  Model model;
  const LedgerBatch batch = rows.batch(20);  // later attempts begin in November
  write(batch);
  model.add(batch);
  const LedgerBatch next = Rows(6, day_of(2026, 11, 1), hours(1)).batch(20);
  write(next);
  model.add(next);
  expect_equal(model);
  EXPECT_EQ(raw(file("2026-10"), "SELECT count(*) FROM requests"), "20\n");
  EXPECT_EQ(raw(file("2026-10"), "SELECT count(*) FROM attempts"), std::to_string(batch.attempts.size()) + "\n");
  EXPECT_EQ(raw(file("2026-11"), "SELECT count(*) FROM requests"), "20\n");
  EXPECT_FALSE(fs::exists(file("2026-12")));
}

TEST_F(LedgerStoreTest, takes_ids_that_are_no_uuid_by_the_time_of_the_row) {
  open();
  LedgerBatch batch = Rows(7).batch(1);
  batch.requests[0].of.request_id = "not a uuid";
  batch.requests[0].began_at = day_of(2026, 3, 9);
  batch.attempts.clear();
  write(batch);
  write(batch);
  EXPECT_EQ(raw(file("2026-03"), "SELECT count(*) FROM requests"), "1\n");
}

TEST_F(LedgerStoreTest, leaves_what_has_no_price_out_of_sums_and_balances_and_counts_it) {
  open();
  LedgerBatch batch = Rows(8, day_of(2026, 11, 1), hours(1)).batch(1);
  batch.attempts.resize(1);
  batch.attempts[0].cost.reset();
  write(batch);
  const UsageReport made = report({});
  EXPECT_EQ(made.totals[Measure::unpriced], 1);
  EXPECT_EQ(made.totals[Measure::cost], 0);
  EXPECT_EQ(raw(file(), "SELECT cost IS NULL FROM attempts"), "1\n");
  EXPECT_TRUE(balances().empty());
}

TEST_F(LedgerStoreTest, saturates_where_a_sum_is_too_large_and_goes_on) {
  open();
  Rows rows(9, day_of(2026, 11, 1), hours(1));
  for (const std::uint64_t input : {std::numeric_limits<std::uint64_t>::max(), std::uint64_t{5}, std::uint64_t{6}}) {
    LedgerBatch batch = rows.batch(1);
    batch.attempts.resize(1);
    batch.attempts[0].usage = {};
    batch.attempts[0].usage.input = input;
    batch.attempts[0].cost = Money{most - 1};
    write(batch);
  }
  const UsageReport made = report({});
  EXPECT_EQ(made.totals[Measure::attempts], 3);
  EXPECT_EQ(made.totals[Measure::input_tokens], most);
  EXPECT_EQ(made.totals[Measure::cost], most);
  EXPECT_TRUE(made.totals.saturated());
  EXPECT_EQ((balances()[{9, 0}]), most);
  EXPECT_EQ(raw(file(), "SELECT typeof(sum(input_tokens)) FROM model_hours WHERE input_tokens = 9223372036854775807"),
            "integer\n");
}

TEST_F(LedgerStoreTest, takes_a_correction_as_a_further_row) {
  open();
  LedgerBatch batch = Rows(10).batch(1);
  batch.attempts.resize(1);
  batch.attempts[0].cost = Money{700};
  write(batch);
  batch.attempts[0].attempt_id = Rows(11).id(batch.requests[0].began_at);
  batch.attempts[0].cost = Money{-200};
  write(batch);
  EXPECT_EQ(report({}).totals[Measure::cost], 500);
  EXPECT_EQ((balances()[{9, 0}]), 500);
}

TEST_F(LedgerStoreTest, takes_any_text_and_gives_it_back) {
  open();
  const std::vector<std::string> texts{"'; DROP TABLE attempts; --",
                                       "\") ; DELETE FROM names; --",
                                       "' UNION SELECT text FROM names --",
                                       "x' OR '1'='1",
                                       "?1",
                                       std::string("a\0b", 3),
                                       "\xFF\xFE",
                                       "%s%n",
                                       "1e999",
                                       "NULL",
                                       std::string(100'000, 'y')};
  Rows rows(12, day_of(2026, 11, 1), hours(100));
  for (const std::string& text : texts) {
    LedgerBatch batch = rows.batch(1);
    batch.attempts.resize(1);
    AttemptRow& row = batch.attempts[0];
    row.credential = row.price = text;
    for (RowAttribution* of : {&row.of, &batch.requests[0].of}) {
      of->tenant = of->key = of->route = of->task = of->model = of->task_id = text;
      of->tags = text;
      of->end_user = 5;
    }
    row.target = batch.requests[0].target = batch.requests[0].endpoint = text;
    write(batch);
  }
  for (const UsageDimension by : {tenant, key, route, task, model_, target, tag}) {
    const auto groups = groups_of(report({by}));
    EXPECT_EQ(groups.size(), texts.size());
    for (const std::string& text : texts) EXPECT_EQ(groups.count({text}), 1U) << text.substr(0, 40);
    for (const std::string& text : texts) EXPECT_EQ(report({}, {{by, text}}).totals[Measure::requests], 1);
  }
  EXPECT_EQ(raw(file(), "SELECT count(*) FROM requests"), std::to_string(texts.size()) + "\n");
}

TEST_F(LedgerStoreTest, tells_the_balances_of_windows_that_are_asked_for) {
  open();
  LedgerBatch batch = Rows(13).batch(1);
  batch.attempts.resize(1);
  batch.attempts[0].cost = Money{3};
  batch.attempts[0].budgets = {{1, 0}, {1, 1000}, {std::numeric_limits<std::uint64_t>::max(), 2000}, {2, 999}};
  write(batch);
  using Balances = std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t>;
  EXPECT_EQ(balances(1000),
            (Balances{{{1, 0}, 3}, {{1, 1000}, 3}, {{std::numeric_limits<std::uint64_t>::max(), 2000}, 3}}));
  open();
  EXPECT_EQ(balances(0).size(), 4U);
}

}  // namespace
}  // namespace tollgate::io::ledger_tests
