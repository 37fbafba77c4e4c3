// A process that keeps the book is killed, again and again, at random moments and at named places, by SIGKILL. What it
// has told us through a pipe that it wrote must be in the store after recovery, once, and nothing else.
#include "tollgate/base/failpoint.hpp"

#include "journal_fixture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iostream>
#include <list>
#include <random>
#include <sstream>
#include <thread>

namespace tollgate::io {
namespace {

/// What the tests look at of a row, as it stands in the file below.
struct Line {
  std::string attempt, request;  ///< attempt empty: a request's row
  std::int64_t cost = 0;
  std::uint64_t output = 0;
  bool recovered = false;
  bool operator==(const Line&) const = default;
};

/// A store that outlives its process: a batch is one write(2), and counts when its last line is there.
class FileSink final : public LedgerSink {
 public:
  explicit FileSink(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {}
  ~FileSink() override { ::close(file_); }

  Result<void> write(const LedgerBatch& batch) override {
    std::ostringstream text;
    text << "\nbegin\n";
    for (const AttemptRow& row : batch.attempts) {
      text << row.attempt_id << ' ' << row.of.request_id << ' ' << row.cost.value_or(Money{-1}).nanos << ' '
           << row.usage.output << ' ' << row.recovered << '\n';
    }
    for (const RequestRow& row : batch.requests) {
      text << "request " << row.of.request_id << ' ' << row.cost.value_or(Money{-1}).nanos << ' ' << row.usage.output
           << ' ' << row.recovered << '\n';
    }
    text << "commit\n";
    const std::string all = text.str();
    const auto size = ::write(file_, all.data(), all.size());
    if (size != static_cast<ssize_t>(all.size())) return Failure{.message = "short"};
    return {};
  }

  /// The first row of each id.
  void read(std::map<std::string, Line>& attempts, std::map<std::string, Line>& requests) const {
    std::ifstream stream(path_);
    std::vector<Line> batch;
    for (std::string text; std::getline(stream, text);) {
      if (text == "begin") batch.clear();
      if (text == "commit") {
        for (const Line& line : batch) {
          line.attempt.empty() ? requests.emplace(line.request, line) : attempts.emplace(line.attempt, line);
        }
        batch.clear();
      }
      Line line;
      std::istringstream words(text);
      if (!(words >> line.attempt >> line.request >> line.cost >> line.output >> line.recovered)) continue;
      if (line.attempt == "request") line.attempt.clear();
      batch.push_back(line);
    }
  }

 private:
  std::string path_;
  int file_;
};

JournalSettings settings_in(const TemporaryFolder& folder, bool tight) {
  JournalSettings settings;
  settings.folder = folder.journal();
  settings.segment_size = 64 * 1024;
  // Tight: what is open is carried on and files go early. Else what is open keeps its files.
  settings.max_size = (tight ? 10 : 1000) * settings.segment_size;
  settings.batch_rows = 100;
  settings.sync_interval = Millis(3);
  return settings;
}

/// What a child tells of an attempt. i: it is going to reserve it, r: it has, c: it has written a checkpoint of cost 1,
/// s: it has settled it, q: and its request's row.
struct Told {
  char what;
  std::uint16_t attempt;
  std::uint64_t number;
};

struct Pipe {
  int in = -1, out = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    in = ends[0];
    out = ends[1];
  }
  ~Pipe() {
    ::close(in);
    close_out();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_out() {
    if (out >= 0) ::close(out);
    out = -1;
  }
  void tell(char what, std::uint16_t attempt, std::uint64_t number) const {
    const Told told{what, attempt, number};
    if (::write(out, &told, sizeof told) != sizeof told) ::_exit(3);
  }
};

void reserve(JournalWriter& writer, const Pipe& pipe, const Sample& sample, std::uint64_t number) {
  pipe.tell('i', sample.entry.number, number);
  while (!writer.reserve(sample.entry)) ::usleep(200);
  pipe.tell('r', sample.entry.number, number);
}

/// Requests of one or two attempts, ten open at a time, of which three stay open until the process dies.
void work(JournalWriter& writer, const Pipe& pipe, std::uint64_t first, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::list<std::pair<std::uint64_t, Sample>> open;
  for (std::uint64_t number = first;; ++number) {
    const auto attempt = static_cast<std::uint16_t>(1 + random() % 2);
    if (attempt == 2) {
      const Sample before(number, 1);
      reserve(writer, pipe, before, number);
      writer.settle(before.entry, nullptr);
      pipe.tell('s', 1, number);
    }
    Sample& sample =
        open.emplace_back(std::piecewise_construct, std::tuple(number), std::tuple(number, attempt)).second;
    reserve(writer, pipe, sample, number);
    if (random() % 4 == 0) {
      writer.checkpoint(sample.attempt, {.output = 1}, Money{1});
      pipe.tell('c', attempt, number);
    }
    if (open.size() < 10) continue;
    const auto done = std::next(open.begin(), static_cast<std::ptrdiff_t>(3 + random() % (open.size() - 3)));
    const auto& [done_number, end] = *done;
    const bool together = random() % 3 != 0;
    writer.settle(end.entry, together ? &end.row : nullptr);
    if (!together) pipe.tell('s', end.entry.number, done_number);
    if (!together) writer.close(end.row);
    pipe.tell('s', end.entry.number, done_number);
    pipe.tell('q', end.entry.number, done_number);
    open.erase(done);
  }
}

/// One folder, one store, one child after the other.
class Crash {
 public:
  Crash(std::uint32_t seed, bool tight) : tight_(tight), random_(seed) {}

  /// Works until it dies: at the place that `plan` names, or where that is empty or never passed, when `most` was told.
  /// True: at the place.
  bool work_and_die(const std::string& plan, std::size_t most) {
    Pipe pipe;
    const std::uint32_t seed = random_();
    const pid_t child = ::fork();
    if (child == 0) {
      failpoint::arm(plan);
      FileSink sink(store());
      auto journal = Journal::open(settings_in(folder_, tight_), sink, {}, &disk_);
      if (!journal) ::_exit(2);
      JournalWriter& first = (*journal)->add_writer();
      JournalWriter& second = (*journal)->add_writer();
      std::thread other([&] { work(second, pipe, 1'000'000, seed + 1); });
      work(first, pipe, 1, seed);
    }
    pipe.close_out();
    bool killed = false;
    for (std::size_t count = 0; listen(pipe); ++count) {
      if (count != most) continue;
      ::kill(child, SIGKILL);
      killed = true;
    }
    expect_killed(child);
    return !killed;
  }

  /// A recovery that dies at a place; where there is nothing for it to do it may end well.
  void recover_and_die(const std::string& plan) {
    const pid_t child = ::fork();
    if (child == 0) {
      failpoint::arm(plan);
      FileSink sink(store());
      ::_exit(Journal::open(settings_in(folder_, tight_), sink, {}, &disk_).has_value() ? 0 : 2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    died_in_recovery += WIFSIGNALED(status) ? 1 : 0;
  }

  void recover_and_check() {
    FileSink sink(store());
    {
      const auto journal = Journal::open(settings_in(folder_, tight_), sink, {}, &disk_);
      ASSERT_TRUE(journal.has_value());
      EXPECT_EQ((*journal)->figures().open_requests, 0U);
      EXPECT_EQ((*journal)->figures().damaged_files, 0U);
      EXPECT_TRUE(folder_.files(".journal").empty());
    }
    sink.read(attempts_, requests_);
    check_told();
    check_stored();
  }

  std::size_t rows() const { return attempts_.size() + requests_.size(); }
  int died_in_recovery = 0;

 private:
  struct Known {
    std::uint64_t number = 0;
    bool reserved = false, checkpoint = false, settled = false, closed = false;
  };

  std::string store() const { return (folder_.path() / "store").string(); }

  bool listen(const Pipe& pipe) {
    pollfd ready{.fd = pipe.in, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 20'000) != 1) {
      ADD_FAILURE() << "the child neither goes on nor dies";
      return false;
    }
    Told told{};
    if (::read(pipe.in, &told, sizeof told) != sizeof told) return false;
    Known& known = told_[attempt_id(told.number * 8 + told.attempt)];
    known.number = told.number;
    if (told.what == 'r') known.reserved = true;
    if (told.what == 'c') known.checkpoint = true;
    if (told.what == 's') known.settled = true;
    if (told.what == 'q') known.closed = true;
    return true;
  }

  static void expect_killed(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
  }

  /// Nothing is lost, and everything is what it was when it was told.
  void check_told() {
    for (const auto& [id, known] : told_) {
      const auto found = attempts_.find(id);
      if (found == attempts_.end()) {
        ASSERT_FALSE(known.reserved) << "lost: " << id;
        continue;
      }
      const Line& row = found->second;
      const auto full = static_cast<std::int64_t>(known.number) + 7;
      ASSERT_FALSE(known.settled && row.recovered) << id;
      const bool by_checkpoint = row.recovered && row.cost == 1 && row.output == 1;
      ASSERT_TRUE(by_checkpoint || (row.cost == full && row.output == 500)) << id << " cost " << row.cost;
      ASSERT_FALSE(known.checkpoint && row.recovered && !by_checkpoint) << id;
      const auto request = requests_.find(row.request);
      ASSERT_TRUE(request != requests_.end()) << "no request of " << id;
      ASSERT_FALSE(known.closed && request->second.recovered) << id;
    }
  }

  /// Nothing is there that was not told, and recovered requests have cost what their attempts have.
  void check_stored() {
    std::map<std::string, std::int64_t> costs;
    for (const auto& [id, row] : attempts_) {
      ASSERT_TRUE(told_.contains(id)) << "invented: " << id;
      costs[row.request] += row.cost;
    }
    for (const auto& [id, row] : requests_) {
      ASSERT_TRUE(costs.contains(id)) << "a request without an attempt: " << id;
      ASSERT_TRUE(!row.recovered || row.cost == costs[id]) << id << ' ' << row.cost << ' ' << costs[id];
    }
  }

  const bool tight_;
  std::mt19937 random_;
  TemporaryFolder folder_;
  QuickDisk disk_;
  std::map<std::string, Known> told_;
  std::map<std::string, Line> attempts_, requests_;
};

constexpr std::array recovery_places{"journal.recovery_listed", "journal.recovery_before_commit",
                                     "journal.recovery_after_commit", "journal.recovery_before_delete",
                                     "journal.recovery_mid_delete"};

TEST(JournalCrash, loses_nothing_and_doubles_nothing_when_killed_at_any_moment) {
  std::size_t rows = 0;
  int died_in_recovery = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Crash crash(seed, seed % 2 == 0);
    crash.work_and_die("", random() % 2000);
    for (std::uint32_t again = random() % 3; again > 0; --again) {
      crash.recover_and_die(recovery_places[random() % recovery_places.size()] + std::string(":") +
                            std::to_string(1 + random() % 3));
    }
    ASSERT_NO_FATAL_FAILURE(crash.recover_and_check());
    rows += crash.rows();
    died_in_recovery += crash.died_in_recovery;
  }
  std::cout << "100 cycles, seeds 1-100: " << rows << " rows checked, " << died_in_recovery << " deaths in recovery\n";
  EXPECT_GT(rows, 10'000U);
  EXPECT_GT(died_in_recovery, 20);
}

class JournalCrashAt : public ::testing::TestWithParam<const char*> {};

TEST_P(JournalCrashAt, loses_nothing_and_doubles_nothing) {
  const std::string place = GetParam();
  for (const int pass : {1, 2, 3, 5, 8, 13, 21, 34}) {
    SCOPED_TRACE(place + ":" + std::to_string(pass));
    Crash crash(static_cast<std::uint32_t>(pass), true);
    EXPECT_TRUE(crash.work_and_die(place + ":" + std::to_string(pass), 200'000)) << "was never passed";
    ASSERT_NO_FATAL_FAILURE(crash.recover_and_check());
  }
}

TEST_P(JournalCrashAt, loses_nothing_over_a_chain_of_deaths) {
  const std::string place = GetParam();
  Crash crash(99, true);
  crash.work_and_die(place + ":4", 200'000);
  for (const char* recovery : recovery_places) crash.recover_and_die(std::string(recovery) + ":1");
  ASSERT_NO_FATAL_FAILURE(crash.recover_and_check());
  EXPECT_GE(crash.died_in_recovery, 3);
}

INSTANTIATE_TEST_SUITE_P(Places, JournalCrashAt,
                         ::testing::Values("journal.unpublished", "journal.reserved", "journal.checkpoint",
                                           "journal.before_settle", "journal.settled", "journal.segment_full",
                                           "journal.segment_ended", "journal.before_commit", "journal.after_commit",
                                           "journal.before_delete", "journal.carried"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace tollgate::io
