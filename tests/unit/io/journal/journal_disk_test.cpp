// The journal on a disk that is full, or that fails to keep what it was given.
// Syncs fail by a seam; one test has the system itself refuse the space.
#include "journal_fixture.hpp"

#include <sys/resource.h>

#include <csignal>
#include <deque>

namespace tollgate::io {
namespace {

class BadDisk final : public QuickDisk {
 public:
  Result<int> create(const std::string& path, std::size_t size) override {
    if (full) return journal::disk_failure("cannot make " + path, ENOSPC);
    return QuickDisk::create(path, size);
  }
  Result<void> sync(int file) override {
    ++syncs;
    if (failing_syncs > 0 && failing_syncs-- > 0) return journal::disk_failure("cannot bring a file to the disk", EIO);
    return QuickDisk::sync(file);
  }
  std::atomic<bool> full{false};
  std::atomic<int> syncs{0}, failing_syncs{0};
};

struct Lab {
  TemporaryFolder folder;
  MemorySink sink;
  Events events;
  BadDisk disk;
  std::unique_ptr<Journal> journal;
  JournalWriter* writer = nullptr;

  void open(Millis sync_interval = Millis(5)) {
    JournalSettings settings;
    settings.folder = folder.journal();
    settings.segment_size = 64 * 1024;
    settings.sync_interval = sync_interval;
    auto opened = Journal::open(settings, sink, events.listener(), &disk);
    ASSERT_TRUE(opened.has_value());
    journal = std::move(*opened);
    writer = &journal->add_writer();
  }
  /// Until it is refused.
  std::size_t fill(std::deque<Sample>& open, std::uint64_t first) {
    for (;;) {
      open.emplace_back(first + open.size());
      if (!writer->reserve(open.back().entry)) break;
    }
    open.pop_back();
    return open.size();
  }
};

TEST(JournalDisk, is_refused_ahead_of_a_full_disk_and_loses_nothing) {
  Lab lab;
  lab.open();
  lab.disk.full = true;
  std::deque<Sample> open;
  ASSERT_TRUE(eventually([&] {
    lab.fill(open, 0);
    return !lab.journal->figures().writable;
  }));
  EXPECT_EQ(lab.events.of(JournalEvent::unwritable), 1);
  for (const Sample& sample : open) lab.writer->settle(sample.entry, &sample.row);
  ASSERT_TRUE(lab.journal->drain());
  EXPECT_EQ(lab.sink.attempts().size(), open.size());
  EXPECT_EQ(lab.journal->figures().rows_lost, 0U);
  lab.disk.full = false;
  const Sample next(1'000'000);
  EXPECT_TRUE(eventually([&] { return lab.writer->reserve(next.entry); }));
  EXPECT_TRUE(eventually([&] { return lab.journal->figures().writable; }));
}

TEST(JournalDisk, begins_on_a_full_disk_and_goes_on_when_there_is_room) {
  Lab lab;
  lab.disk.full = true;
  lab.open();
  const Sample sample(1);
  EXPECT_FALSE(lab.writer->reserve(sample.entry));
  EXPECT_FALSE(lab.journal->figures().writable);
  lab.disk.full = false;
  EXPECT_TRUE(eventually([&] { return lab.writer->reserve(sample.entry); }));
}

/// A limit on the size of files is the system's own refusal, met in posix_fallocate(3).
TEST(JournalDisk, meets_the_systems_refusal_without_harm) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit tight = before;
  tight.rlim_cur = 32 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  {
    Lab lab;
    lab.open();
    const Sample sample(1);
    EXPECT_FALSE(lab.writer->reserve(sample.entry));
    EXPECT_FALSE(lab.journal->figures().writable);
    EXPECT_TRUE(lab.folder.files(".journal").empty()) << "half a file is left";
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_TRUE(eventually([&] { return lab.writer->reserve(sample.entry); }));
  }
  std::signal(SIGXFSZ, handler);
}

TEST(JournalDisk, leaves_a_file_whose_sync_failed_and_loses_nothing) {
  Lab lab;
  lab.open();
  const Sample open(1), first(2);
  ASSERT_TRUE(lab.writer->reserve(open.entry));
  ASSERT_TRUE(eventually([&] { return lab.folder.files(".journal").size() == 3 && lab.writer->durable() == 1; }));
  lab.disk.failing_syncs = 1;
  ASSERT_TRUE(lab.writer->reserve(first.entry));
  ASSERT_TRUE(eventually([&] { return lab.events.of(JournalEvent::sync_failed) == 1; }));
  const auto suspect = lab.folder.files(".journal").front();
  EXPECT_TRUE(std::filesystem::exists(suspect));
  EXPECT_LT(lab.writer->durable(), lab.writer->written());
  // The next record goes elsewhere, what is open there follows, and the file goes.
  lab.writer->settle(first.entry, &first.row);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(suspect); }));
  EXPECT_TRUE(eventually([&] { return lab.writer->durable() == lab.writer->written(); }));
  lab.writer->settle(open.entry, &open.row);
  ASSERT_TRUE(lab.journal->drain());
  EXPECT_EQ(lab.sink.attempts().size(), 2U);
  EXPECT_EQ(lab.journal->figures().sync_failures, 1U);
}

TEST(JournalDisk, never_brings_a_suspect_file_to_the_disk_again) {
  Lab lab;
  lab.open(Millis(1));
  const Sample sample(1);
  ASSERT_TRUE(lab.writer->reserve(sample.entry));
  ASSERT_TRUE(eventually([&] { return lab.writer->durable() == 1; }));
  lab.disk.full = true;  // nothing else may call sync
  lab.disk.failing_syncs = 1;
  lab.writer->checkpoint(sample.attempt, {}, {});
  ASSERT_TRUE(eventually([&] { return lab.events.of(JournalEvent::sync_failed) == 1; }));
  // Other workers' files go on being brought to the disk: rounds have passed by.
  const int before = lab.disk.syncs;
  lab.disk.full = false;
  JournalWriter& other = lab.journal->add_writer();
  const Sample second(2), third(3);
  lab.disk.full = true;
  const int made = lab.disk.syncs;
  ASSERT_GT(made, before);
  ASSERT_TRUE(eventually([&] { return other.reserve(second.entry); }));
  ASSERT_TRUE(eventually([&] { return other.durable() == 1; }));
  ASSERT_TRUE(other.reserve(third.entry));
  ASSERT_TRUE(eventually([&] { return other.durable() == 2; }));
  EXPECT_EQ(lab.disk.syncs, made + 2);
  EXPECT_EQ(lab.writer->durable(), 1U);
}

TEST(JournalDisk, survives_a_disk_that_fails_at_any_call) {
  for (int failures = 1; failures <= 40; ++failures) {
    SCOPED_TRACE(failures);
    Lab lab;
    lab.open(Millis(1));
    lab.disk.failing_syncs = failures;
    std::deque<Sample> all;
    for (std::uint64_t number = 0; number < 60; ++number) {
      Sample& sample = all.emplace_back(number);
      ASSERT_TRUE(eventually([&] { return lab.writer->reserve(sample.entry); }));
      if (number >= 10) lab.writer->settle(all[number - 10].entry, &all[number - 10].row);
    }
    for (std::size_t number = 50; number < 60; ++number) lab.writer->settle(all[number].entry, &all[number].row);
    ASSERT_TRUE(lab.journal->drain());
    EXPECT_EQ(lab.sink.attempts().size(), 60U);
    EXPECT_EQ(lab.journal->figures().rows_lost, 0U);
    EXPECT_EQ(lab.journal->figures().damaged_files, 0U);
  }
}

}  // namespace
}  // namespace tollgate::io
