// The ledger's store when something fails: the disk, the power, a stranger with the lock, files that are not ours. What
// was said to be written is there, what was not is whole or absent, and the same rows again make it right.
#include "faulty_files.hpp"
#include "ledger_store_parts.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace tollgate::io::ledger_tests {
namespace {

class LedgerStoreFaults : public LedgerStoreTest {
 protected:
  std::vector<LedgerBatch> november(std::uint64_t seed, int count, std::size_t requests) {
    Rows rows(seed, day_of(2026, 11, 1), hours(24 * 29));
    std::vector<LedgerBatch> batches;
    for (int i = 0; i < count; ++i) batches.push_back(rows.batch(requests));
    return batches;
  }
  static Model model_of(const std::vector<LedgerBatch>& batches, std::size_t count) {
    Model model;
    for (std::size_t i = 0; i < count; ++i) model.add(batches[i]);
    return model;
  }
  /// How many of the batches are there, from the first on; they must be there whole, with all sums, and no others.
  std::size_t batches_there(const std::vector<LedgerBatch>& batches) {
    const auto totals = report({}).totals;
    for (std::size_t count = 0; count <= batches.size(); ++count) {
      const auto expected = model_of(batches, count).grouped({});
      if (totals != (expected.empty() ? UsageSums() : expected.begin()->second)) continue;
      for (const std::vector<UsageDimension>& by : {std::vector{tenant, key, task}, {user}, {tag}, {hour, model_}})
        EXPECT_EQ(groups_of(report(by)), model_of(batches, count).grouped(by));
      EXPECT_EQ(balances(), model_of(batches, count).balances());
      return count;
    }
    ADD_FAILURE() << "something between two batches";
    return 0;
  }
};

// --- power ---

struct Losses {
  int cuts = 0, acknowledged = 0, lost = 0;
};

class LedgerStorePowerCuts : public LedgerStoreFaults {
 protected:
  /// Cuts the power at a random call of write or sync, opens again and counts.
  void cut(std::uint64_t seed, std::uint64_t nth, Losses& losses) {
    const auto batches = november(seed, 8, 2);
    std::size_t acknowledged = 0;
    FaultyFiles files;  // to the end: what comes after the cut needs no real sync either
    files.expect(FaultyFiles::Fault::power_cut, nth);
    if (auto opened = LedgerStore::open(where(), options)) {
      store = std::move(*opened);
      while (acknowledged < batches.size() && store->write(batches[acknowledged])) ++acknowledged;
      store.reset();
    }
    files.restore();
    open();
    const std::size_t there = batches_there(batches);
    ++losses.cuts;
    losses.acknowledged += static_cast<int>(acknowledged);
    losses.lost += static_cast<int>(acknowledged - std::min(there, acknowledged));
    EXPECT_LE(there, acknowledged + 1);
    for (const LedgerBatch& batch : batches) write(batch);
    EXPECT_EQ(batches_there(batches), batches.size());
    store.reset();
    for (const auto& entry : fs::directory_iterator(where())) fs::remove_all(entry);
  }
  std::uint64_t calls_without_a_cut() {
    FaultyFiles files;
    files.expect(FaultyFiles::Fault::none, 0);
    open();
    for (const LedgerBatch& batch : november(1, 8, 2)) write(batch);
    store.reset();
    const std::uint64_t calls = files.calls();
    for (const auto& entry : fs::directory_iterator(where())) fs::remove_all(entry);
    return calls;
  }
  Losses cut_often(int cuts) {
    Losses losses;
    const std::uint64_t calls = calls_without_a_cut();
    Random random(4711);
    for (int i = 0; i < cuts && !HasFailure(); ++i) {
      const std::uint64_t nth = 1 + random() % (calls + 20);
      SCOPED_TRACE("cut at " + std::to_string(nth));
      cut(static_cast<std::uint64_t>(i), nth, losses);
    }
    std::printf("%d cuts at random among %llu calls: %d batches acknowledged, %d lost\n", losses.cuts,
                static_cast<unsigned long long>(calls), losses.acknowledged, losses.lost);
    return losses;
  }
};

TEST_F(LedgerStorePowerCuts, lose_nothing_that_was_acknowledged_where_writes_are_synced) {
  options.sync = LedgerStoreOptions::Sync::full;
  const Losses losses = cut_often(500);
  EXPECT_EQ(losses.cuts, 500);
  EXPECT_GT(losses.acknowledged, 500);
  EXPECT_EQ(losses.lost, 0);
}

TEST_F(LedgerStorePowerCuts, lose_whole_batches_from_the_end_where_they_are_not) {
  const Losses losses = cut_often(100);
  EXPECT_EQ(losses.cuts, 100);
  EXPECT_GT(losses.lost, 0) << "the cut takes nothing, so that the test above shows nothing";
}

// --- a disk that fails ---

TEST_F(LedgerStoreFaults, reports_the_nth_write_or_sync_that_fails_and_is_right_after_the_next_try) {
  options.sync = LedgerStoreOptions::Sync::full;
  const auto batches = november(3, 3, 3);
  for (const auto fault : {FaultyFiles::Fault::write, FaultyFiles::Fault::full}) {
    int failures = 0;
    bool has_failed = true;
    for (std::uint64_t nth = 1; nth <= 400 && has_failed && !HasFailure(); ++nth) {
      SCOPED_TRACE("call " + std::to_string(nth));
      FaultyFiles files;
      open();
      write(batches[0]);
      files.expect(fault, nth);
      for (int i : {1, 2}) {
        // What has failed comes again, as the journal's drainer does it.
        const auto& batch = batches[static_cast<std::size_t>(i)];
        Result<void> written = store->write(batch);
        for (int tries = 0; !written && tries < 3; ++tries) {
          ++failures;
          EXPECT_EQ(written.error().kind, FailureKind::overloaded);
          written = store->write(batch);
        }
        EXPECT_TRUE(written);
      }
      has_failed = files.has_failed();
      EXPECT_EQ(batches_there(batches), batches.size());
      store.reset();
      for (const auto& entry : fs::directory_iterator(where())) fs::remove_all(entry);
    }
    EXPECT_FALSE(has_failed) << "more calls than were tried";
    EXPECT_GT(failures, 5);
    std::printf("%d writes failed\n", failures);
  }
}

TEST_F(LedgerStoreFaults, reports_a_full_disk_leaves_the_file_as_it_was_and_goes_on_when_there_is_room) {
  open();
  const auto batches = november(4, 40, 20);
  write(batches[0]);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 300 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::size_t taken = 1;
  while (taken < batches.size() && store->write(batches[taken])) ++taken;
  const auto refused = taken < batches.size() ? store->write(batches[taken]) : Result<void>();
  limit.rlim_cur = before;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ASSERT_LT(taken, batches.size());
  EXPECT_FALSE(refused);
  EXPECT_EQ(batches_there(batches), taken);
  for (const LedgerBatch& batch : batches) write(batch);
  EXPECT_EQ(batches_there(batches), batches.size());
}

// --- others ---

/// Another process that takes the file for writing when it is told to, and lets go of it when it is told again. Made
/// before the store: it must inherit neither the folder's lock nor SQLite's memory of files.
class Stranger {
 public:
  explicit Stranger(const std::string& path) {
    EXPECT_EQ(::pipe(says_), 0);
    EXPECT_EQ(::pipe(hears_), 0);
    child_ = ::fork();
    if (child_ != 0) return;
    sqlite3* handle = nullptr;
    char byte = 0;
    if (::read(hears_[0], &byte, 1) != 1) ::_exit(1);
    const bool held = sqlite3_open(path.c_str(), &handle) == SQLITE_OK &&
                      sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK;
    byte = held ? 'y' : 'n';
    if (::write(says_[1], &byte, 1) != 1 || ::read(hears_[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  ~Stranger() {
    for (const int end : {says_[0], says_[1], hears_[0], hears_[1]}) ::close(end);
  }
  void hold() {
    char byte = 0;
    EXPECT_EQ(::write(hears_[1], &byte, 1), 1);
    EXPECT_EQ(::read(says_[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
  }
  void let_go() {
    EXPECT_EQ(::write(hears_[1], "", 1), 1);
    int status = -1;
    ::waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0);
  }

 private:
  int says_[2]{}, hears_[2]{};
  pid_t child_ = -1;
};

TEST_F(LedgerStoreFaults, reports_a_file_that_another_process_holds_and_takes_the_rows_when_it_lets_go) {
  Stranger stranger(file());
  options.busy_timeout = Millis(5);
  open();
  const auto batches = november(5, 2, 3);
  write(batches[0]);
  stranger.hold();
  for (int i = 0; i < 3; ++i) {
    const auto written = store->write(batches[1]);
    EXPECT_FALSE(written);
    if (!written) {
      EXPECT_NE(written.error().message.find("locked"), std::string::npos) << written.error().message;
    }
  }
  EXPECT_EQ(report({}).totals[Measure::requests], 3) << "reading goes on";
  stranger.let_go();
  write(batches[1]);
  EXPECT_EQ(batches_there(batches), 2U);
}

TEST_F(LedgerStoreFaults, gives_a_folder_to_one_process_and_lets_others_read) {
  open();
  write(november(6, 1, 3)[0]);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = !LedgerStore::open(where());
    UsageQuery all{{}, day_of(2026, 11, 1), day_of(2026, 12, 1), {}};
    const auto read = UsageReader(where()).usage(all);
    ::_exit(refused && read && read->totals[Measure::requests] == 3 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(LedgerStoreFaults, refuses_files_that_are_not_its_own_and_leaves_them_as_they_are) {
  const auto batch = november(7, 1, 1)[0];
  const auto refused = [&](const std::string& content) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
    open();
    const auto written = store->write(batch);
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().message.find("ledger-2026-11.db"), std::string::npos);
    EXPECT_FALSE(store->balances(0));
    store.reset();
    EXPECT_EQ(content_of(file()), content);
  };
  refused("x");
  refused(std::string(5000, 'x'));
  fs::remove(file());
  const std::string other = where() + "/other.db";
  std::ofstream(other, std::ios::binary).flush();
  raw(other, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  refused(content_of(other));
  fs::remove(file());
  open();
  write(batch);
  store.reset();
  raw(file(), "PRAGMA user_version = 2; PRAGMA journal_mode = DELETE");
  refused(content_of(file()));
}

TEST_F(LedgerStoreFaults, meets_damage_in_what_every_write_needs_before_it_writes) {
  open();
  for (const LedgerBatch& batch : november(8, 5, 20)) write(batch);
  store.reset();
  const auto page = std::stoul(raw(file(), "SELECT rootpage FROM sqlite_schema WHERE name = 'balances'"));
  std::string content = content_of(file());
  std::fill_n(content.begin() + static_cast<std::ptrdiff_t>((page - 1) * 4096), 4096, '\x5A');
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
  open();
  EXPECT_FALSE(store->write(november(9, 1, 1)[0]));
  store.reset();
  EXPECT_EQ(content_of(file()), content);
}

TEST_F(LedgerStoreFaults, says_so_where_its_file_was_taken_away) {
  open();
  const auto batches = november(10, 3, 2);
  write(batches[0]);
  fs::rename(file(), file() + ".away");
  EXPECT_FALSE(store->write(batches[1]));
}

// --- retention ---

TEST_F(LedgerStoreFaults, deletes_months_that_are_old_enough_and_keeps_what_open_windows_hold) {
  options.retention = hours(24 * 60);
  SystemTime now = day_of(2026, 10, 1);
  options.now = [&now] { return now; };
  open();
  Model model;
  const LedgerBatch batch = Rows(11).batch(60);  // October to December
  write(batch);
  model.add(batch);
  const auto all = balances();
  EXPECT_EQ(all, model.balances());
  now = day_of(2026, 12, 31);  // October ended sixty days ago
  EXPECT_EQ(store->drop_old().value(), 1U);
  EXPECT_FALSE(fs::exists(file("2026-10")));
  EXPECT_FALSE(fs::exists(file("2026-10") + "-wal"));
  EXPECT_TRUE(fs::exists(file("2026-11")));
  EXPECT_EQ(balances(), all);
  EXPECT_EQ(groups_of(report({tenant, key})), model.grouped({tenant, key}, {}, day_of(2026, 11, 1)));
  open();
  EXPECT_EQ(balances(), all) << "after a restart";
}

TEST_F(LedgerStoreFaults, forgets_windows_that_began_inside_a_month_that_is_deleted) {
  options.retention = hours(24);
  options.now = [] { return day_of(2026, 12, 25); };
  open();
  LedgerBatch batch = november(12, 1, 1)[0];
  batch.attempts.resize(1);
  batch.attempts[0].cost = Money{5};
  batch.attempts[0].budgets = {{1, 0}, {2, unix_seconds(day_of(2026, 1, 1))}, {3, unix_seconds(day_of(2026, 11, 9))}};
  write(batch);  // and goes with it
  EXPECT_FALSE(fs::exists(file()));
  using Balances = std::map<std::pair<std::uint64_t, std::int64_t>, std::int64_t>;
  EXPECT_EQ(balances(), (Balances{{{1, 0}, 5}, {{2, unix_seconds(day_of(2026, 1, 1))}, 5}}));
}

TEST_F(LedgerStoreFaults, counts_a_month_once_that_was_carried_and_not_yet_deleted) {
  options.retention = hours(24);
  options.now = [] { return day_of(2026, 11, 5); };
  open();
  const LedgerBatch batch = november(13, 1, 5)[0];
  write(batch);
  const auto all = balances();
  store.reset();
  const std::string copy = content_of(file());
  options.now = [] { return day_of(2026, 12, 25); };
  open();
  EXPECT_EQ(store->drop_old().value(), 1U);
  EXPECT_EQ(balances(), all);
  store.reset();
  std::ofstream(file(), std::ios::binary) << copy;  // as if the process had ended before the file was unlinked
  open();
  EXPECT_EQ(balances(), all);
  EXPECT_EQ(store->drop_old().value(), 1U);
  EXPECT_EQ(balances(), all);
}

}  // namespace
}  // namespace tollgate::io::ledger_tests
