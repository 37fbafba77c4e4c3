// The journal while all is well, and while the store is not.
// All of it runs with its two threads, on real files; only the disk is not waited for.
#include "io/storage/journal/record.hpp"
#include "journal_fixture.hpp"

#include <sys/stat.h>

#include <deque>
#include <thread>

namespace tollgate::io {
namespace {

JournalSettings small(const TemporaryFolder& folder) {
  JournalSettings settings;
  settings.folder = folder.journal();
  settings.segment_size = 64 * 1024;
  settings.max_size = std::size_t{4} << 20;
  return settings;
}

std::unique_ptr<Journal> opened(const JournalSettings& settings, LedgerSink& sink, Events* events = nullptr) {
  static QuickDisk disk;
  auto journal = Journal::open(settings, sink, events ? events->listener() : JournalListener{}, &disk);
  if (!journal) throw std::runtime_error(journal.error().message);
  return std::move(*journal);
}

/// Reserves and settles one request; waits where there is no room.
void pass(JournalWriter& writer, std::uint64_t number) {
  const Sample sample(number);
  while (!writer.reserve(sample.entry)) ::usleep(500);
  writer.settle(sample.entry, &sample.row);
}

TEST(Journal, brings_rows_to_the_store_whole) {
  TemporaryFolder folder;
  MemorySink sink;
  auto journal = opened(small(folder), sink);
  JournalWriter& writer = journal->add_writer();
  const Sample sample(1), retried(2, 1), retry(2, 2);
  ASSERT_TRUE(writer.reserve(sample.entry));
  writer.checkpoint(sample.attempt, sample.entry.usage, Money{1});
  writer.settle(sample.entry, &sample.row);
  ASSERT_TRUE(writer.reserve(retried.entry));
  writer.settle(retried.entry, nullptr);
  ASSERT_TRUE(writer.reserve(retry.entry));
  writer.settle(retry.entry, nullptr);
  writer.close(retry.row);
  ASSERT_TRUE(journal->drain());
  EXPECT_EQ(sink.attempt(sample.attempt), journal::row_of(sample.entry));
  EXPECT_EQ(sink.request(sample.request), journal::row_of(sample.row));
  EXPECT_EQ(sink.attempt(retried.attempt), journal::row_of(retried.entry));
  EXPECT_EQ(sink.attempt(retry.attempt), journal::row_of(retry.entry));
  EXPECT_EQ(sink.request(retry.request), journal::row_of(retry.row));
  EXPECT_EQ(sink.attempts().size(), 3U);
  EXPECT_EQ(sink.requests().size(), 2U);
  EXPECT_EQ(sink.repeated(), 0U);
}

TEST(Journal, brings_no_row_of_what_is_only_reserved) {
  TemporaryFolder folder;
  MemorySink sink;
  auto journal = opened(small(folder), sink);
  JournalWriter& writer = journal->add_writer();
  const Sample sample(1);
  ASSERT_TRUE(writer.reserve(sample.entry));
  ASSERT_TRUE(journal->drain());
  EXPECT_TRUE(sink.attempts().empty());
  EXPECT_EQ(journal->figures().open_requests, 1U);
  writer.settle(sample.entry, &sample.row);
  ASSERT_TRUE(journal->drain());
  EXPECT_EQ(journal->figures().open_requests, 0U);
  EXPECT_EQ(journal->figures().bytes_waiting, 0U);
}

TEST(Journal, brings_rows_without_being_asked) {
  TemporaryFolder folder;
  MemorySink sink;
  auto journal = opened(small(folder), sink);
  pass(journal->add_writer(), 1);
  EXPECT_TRUE(eventually([&] { return sink.attempts().size() == 1; }));
}

TEST(Journal, keeps_others_out) {
  TemporaryFolder folder;
  MemorySink sink;
  auto journal = opened(small(folder), sink);
  journal->add_writer();
  const auto second = Journal::open(small(folder), sink);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("another process"), std::string::npos);
  struct stat status {};
  ASSERT_EQ(::stat(folder.journal().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  const auto files = folder.files(".journal");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_EQ(status.st_size, 64 * 1024);
    EXPECT_GE(status.st_blocks * 512, 64 * 1024) << "not allocated";
  }
}

TEST(Journal, leaves_nothing_behind_when_everything_is_in_the_store) {
  TemporaryFolder folder;
  MemorySink sink;
  {
    auto journal = opened(small(folder), sink);
    JournalWriter& writer = journal->add_writer();
    for (std::uint64_t number = 0; number < 100; ++number) pass(writer, number);
  }
  EXPECT_EQ(sink.attempts().size(), 100U);
  EXPECT_TRUE(folder.files(".journal").empty());
  auto again = opened(small(folder), sink);
  EXPECT_EQ(sink.repeated(), 0U);
}

TEST(Journal, goes_from_file_to_file_under_load_of_many_workers) {
  constexpr std::uint64_t each = 2000;
  TemporaryFolder folder;
  MemorySink sink;
  auto journal = opened(small(folder), sink);
  std::vector<JournalWriter*> writers;
  for (int i = 0; i < 4; ++i) writers.push_back(&journal->add_writer());
  std::vector<std::thread> threads;
  for (std::uint64_t worker = 0; worker < writers.size(); ++worker) {
    threads.emplace_back([&, worker] {
      for (std::uint64_t i = 0; i < each; ++i) pass(*writers[worker], worker * each + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(journal->drain(seconds(60)));
  EXPECT_EQ(sink.attempts().size(), 4 * each);
  EXPECT_EQ(sink.requests().size(), 4 * each);
  EXPECT_EQ(sink.repeated(), 0U);
  EXPECT_LE(sink.largest(), 1001U);
  const JournalFigures figures = journal->figures();
  EXPECT_EQ(figures.rows_stored, 8 * each);
  EXPECT_EQ(figures.rows_lost, 0U);
  EXPECT_EQ(figures.damaged_files, 0U);
  EXPECT_TRUE(eventually([&] { return folder.files(".journal").size() <= 8; })) << "files are not taken away";
}

TEST(Journal, holds_everything_while_the_store_refuses) {
  TemporaryFolder folder;
  MemorySink sink;
  Events events;
  auto journal = opened(small(folder), sink, &events);
  JournalWriter& writer = journal->add_writer();
  sink.refuse = true;
  for (std::uint64_t number = 0; number < 1000; ++number) pass(writer, number);
  ASSERT_TRUE(eventually([&] { return events.of(JournalEvent::store_failed) == 1; }));
  EXPECT_FALSE(journal->drain(Millis(50)));
  const JournalFigures refused = journal->figures();
  EXPECT_GT(refused.bytes_waiting, 100'000U);
  EXPECT_GT(refused.lag, seconds(1));  // the samples are old
  EXPECT_TRUE(refused.writable);
  sink.refuse = false;
  ASSERT_TRUE(journal->drain(seconds(30)));
  EXPECT_EQ(sink.attempts().size(), 1000U);
  EXPECT_EQ(sink.repeated(), 0U);
  EXPECT_EQ(events.of(JournalEvent::store_recovered), 1);
  EXPECT_EQ(journal->figures().lag, Millis(0));
}

TEST(Journal, refuses_when_it_is_as_large_as_it_may_be_and_goes_on_once_it_is_not) {
  TemporaryFolder folder;
  MemorySink sink;
  Events events;
  JournalSettings settings = small(folder);
  settings.max_size = 4 * settings.segment_size;
  auto journal = opened(settings, sink, &events);
  JournalWriter& writer = journal->add_writer();
  sink.refuse = true;
  std::deque<Sample> settled;
  ASSERT_TRUE(eventually([&] {
    for (;;) {
      settled.emplace_back(settled.size());
      if (!writer.reserve(settled.back().entry)) break;
      writer.settle(settled.back().entry, &settled.back().row);
    }
    settled.pop_back();
    return !journal->figures().writable && journal->figures().bytes_on_disk == settings.max_size;
  }));
  EXPECT_EQ(events.of(JournalEvent::unwritable), 1);
  EXPECT_LE(folder.files(".journal").size(), 4U);
  sink.refuse = false;
  const Sample next(1'000'000);
  EXPECT_TRUE(eventually([&] { return writer.reserve(next.entry); }));
  writer.settle(next.entry, &next.row);
  ASSERT_TRUE(journal->drain(seconds(30)));
  EXPECT_EQ(sink.attempts().size(), settled.size() + 1);
  EXPECT_EQ(journal->figures().rows_lost, 0U);
  EXPECT_TRUE(eventually([&] { return events.of(JournalEvent::writable) == 1; }));
}

TEST(Journal, does_not_keep_its_files_for_a_few_long_requests) {
  TemporaryFolder folder;
  MemorySink sink;
  JournalSettings settings = small(folder);
  settings.max_size = 8 * settings.segment_size;
  auto journal = opened(settings, sink);
  JournalWriter& writer = journal->add_writer();
  std::deque<Sample> open;
  for (std::uint64_t number = 0; number < 3000; ++number) {
    if (number % 100 == 0) {
      Sample& sample = open.emplace_back(1'000'000 + number);
      ASSERT_TRUE(eventually([&] { return writer.reserve(sample.entry); })) << number;
      writer.checkpoint(sample.attempt, sample.entry.usage, Money{static_cast<std::int64_t>(number)});
    }
    pass(writer, number);
  }
  ASSERT_TRUE(journal->drain(seconds(30)));
  EXPECT_EQ(journal->figures().open_requests, open.size());
  for (const Sample& sample : open) writer.settle(sample.entry, &sample.row);
  ASSERT_TRUE(journal->drain(seconds(30)));
  EXPECT_EQ(sink.attempts().size(), 3000U + open.size());
  EXPECT_EQ(sink.repeated(), 0U);
  EXPECT_EQ(journal->figures().rows_lost, 0U);
}

TEST(Journal, says_how_far_a_power_cut_can_reach) {
  TemporaryFolder folder;
  MemorySink sink;
  JournalSettings settings = small(folder);
  settings.sync_interval = Millis(1);
  std::atomic<std::uint64_t> told{0};
  auto journal =
      Journal::open(settings, sink, {.on_event = {}, .on_durable = [&](std::size_t worker, std::uint64_t at) {
                                       EXPECT_EQ(worker, 0U);
                                       told = at;
                                     }});
  ASSERT_TRUE(journal.has_value());
  JournalWriter& writer = (*journal)->add_writer();
  EXPECT_EQ(writer.written(), 0U);
  pass(writer, 1);
  EXPECT_EQ(writer.written(), 2U);
  EXPECT_TRUE(eventually([&] { return writer.durable() == 2 && told == 2; }));
}

}  // namespace
}  // namespace tollgate::io
