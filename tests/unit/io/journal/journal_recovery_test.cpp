// What a journal finds when it begins: files of a process that was killed, of others, damaged ones.
// The earlier process is a writer without threads, so that what it leaves is known to the byte.
#include "io/storage/journal/open_book.hpp"
#include "io/storage/journal/record.hpp"
#include "io/storage/journal/segment.hpp"
#include "io/storage/journal/writer.hpp"
#include "journal_fixture.hpp"

#include <csignal>
#include <deque>
#include <fstream>
#include <random>

namespace tollgate::io {
namespace {

using journal::Segment;
using journal::Writer;

constexpr std::size_t size = 64 * 1024;

/// A process that has ended: its files, as its writers have left them.
struct Past {
  TemporaryFolder folder;
  MemorySink sink;
  Events events;
  QuickDisk disk;
  std::uint64_t files = 0;

  Past() { std::filesystem::create_directory(folder.journal()); }

  /// One more file for a writer.
  void give(Writer& writer, std::uint32_t number, std::uint64_t index) {
    ++files;
    auto segment = Segment::create(
        disk, {.folder = folder.journal(), .run = 5, .number = files, .index = index, .writer = number, .size = size});
    ASSERT_TRUE(segment.has_value());
    kept.push_back(*segment);
    writer.push_spare(**segment);
  }
  Result<std::unique_ptr<Journal>> open(JournalSettings settings = {}) {
    settings.folder = folder.journal();
    settings.segment_size = size;
    return Journal::open(settings, sink, events.listener(), &disk);
  }
  std::filesystem::path file(std::uint64_t number) const { return journal::segment_path(folder.journal(), number); }
  void change(std::uint64_t number, std::size_t offset, std::string_view bytes) {
    std::fstream stream(file(number), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::vector<std::shared_ptr<Segment>> kept;
};

TEST(JournalRecovery, settles_what_was_only_reserved_with_what_was_reserved) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  const Sample sample(1);
  ASSERT_TRUE(writer.reserve(sample.entry));
  ASSERT_TRUE(past.open().has_value());
  AttemptRow expected = journal::row_of(sample.entry);
  expected.recovered = expected.estimated = true;
  expected.outcome = pipeline::Outcome::internal;
  EXPECT_EQ(past.sink.attempt(sample.attempt), expected);
  const auto request = past.sink.request(sample.request);
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->recovered && request->estimated);
  EXPECT_EQ(request->cost, sample.entry.cost);
  EXPECT_EQ(request->outcome, pipeline::Outcome::internal);
  EXPECT_EQ(request->of, expected.of);
  EXPECT_EQ(request->attempts, 1);
  EXPECT_TRUE(past.folder.files(".journal").empty());
  EXPECT_EQ(past.events.of(JournalEvent::rows_recovered), 1);
}

TEST(JournalRecovery, settles_with_the_last_checkpoint) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  Sample sample(1);
  ASSERT_TRUE(writer.reserve(sample.entry));
  sample.entry.usage.output = 10;
  writer.checkpoint(sample.attempt, sample.entry.usage, Money{1});
  sample.entry.usage.output = 20;
  writer.checkpoint(sample.attempt, sample.entry.usage, Money{2});
  ASSERT_TRUE(past.open().has_value());
  const auto row = past.sink.attempt(sample.attempt);
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->cost, Money{2});
  EXPECT_EQ(row->usage.output, 20U);
  EXPECT_TRUE(row->recovered);
}

TEST(JournalRecovery, leaves_unpriced_what_has_no_price) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  Sample sample(1);
  sample.entry.cost.reset();
  ASSERT_TRUE(writer.reserve(sample.entry));
  writer.checkpoint(sample.attempt, sample.entry.usage, Money{});
  ASSERT_TRUE(past.open().has_value());
  EXPECT_FALSE(past.sink.attempt(sample.attempt)->cost.has_value());
  EXPECT_FALSE(past.sink.request(sample.request)->cost.has_value());
}

TEST(JournalRecovery, closes_a_request_whose_attempts_are_all_settled) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  Sample first(1, 1), second(1, 2);
  first.entry.waste = pipeline::Waste::retry;
  first.entry.outcome = pipeline::Outcome::upstream_error;
  second.entry.target = "anthropic/claude";
  ASSERT_TRUE(writer.reserve(first.entry));
  writer.settle(first.entry, nullptr);
  ASSERT_TRUE(writer.reserve(second.entry));
  writer.settle(second.entry, nullptr);
  ASSERT_TRUE(past.open().has_value());
  EXPECT_EQ(past.sink.attempt(first.attempt), journal::row_of(first.entry));
  EXPECT_EQ(past.sink.attempt(second.attempt), journal::row_of(second.entry));
  const auto request = past.sink.request(first.request);
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->recovered);
  EXPECT_FALSE(request->estimated);
  EXPECT_EQ(request->attempts, 2);
  EXPECT_EQ(request->cost, *first.entry.cost + *second.entry.cost);
  EXPECT_EQ(request->wasted, *first.entry.cost);
  EXPECT_EQ(request->target, "anthropic/claude");
  EXPECT_EQ(request->outcome, pipeline::Outcome::ok);
}

TEST(JournalRecovery, changes_nothing_about_what_was_whole) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  const Sample sample(1), closed(2);
  ASSERT_TRUE(writer.reserve(sample.entry));
  writer.settle(sample.entry, &sample.row);
  ASSERT_TRUE(writer.reserve(closed.entry));
  writer.settle(closed.entry, nullptr);
  writer.close(closed.row);
  ASSERT_TRUE(past.open().has_value());
  EXPECT_EQ(past.sink.attempt(sample.attempt), journal::row_of(sample.entry));
  EXPECT_EQ(past.sink.request(sample.request), journal::row_of(sample.row));
  EXPECT_EQ(past.sink.request(closed.request), journal::row_of(closed.row));
  EXPECT_EQ(past.events.of(JournalEvent::rows_recovered), 0);
}

TEST(JournalRecovery, follows_a_request_over_files_and_reads_all_writers) {
  Past past;
  std::deque<Writer> writers;
  std::deque<Sample> samples;
  for (std::uint32_t number = 0; number < 7; ++number) {
    Writer& writer = writers.emplace_back(size, 100);
    for (std::uint64_t index = 0; index < 3; ++index) past.give(writer, number, index);
    const Sample& open = samples.emplace_back(1000 + number);
    ASSERT_TRUE(writer.reserve(open.entry));
    const Sample filler(number);
    while (writer.reserve(filler.entry)) writer.settle(filler.entry, &filler.row);
    writer.settle(open.entry, &open.row);
  }
  JournalSettings settings;
  settings.batch_rows = 50;
  ASSERT_TRUE(past.open(settings).has_value());
  for (const Sample& sample : samples) EXPECT_EQ(past.sink.attempt(sample.attempt), journal::row_of(sample.entry));
  EXPECT_EQ(past.sink.attempts().size(), 14U);
  EXPECT_LE(past.sink.largest(), 51U);
  EXPECT_TRUE(past.folder.files(".journal").empty());
}

TEST(JournalRecovery, keeps_every_file_while_the_store_refuses) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  const Sample sample(1);
  ASSERT_TRUE(writer.reserve(sample.entry));
  past.sink.refuse = true;
  JournalSettings settings;
  settings.store_patience = Millis(30);
  const auto refused = past.open(settings);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "the store is locked");
  EXPECT_EQ(past.folder.files(".journal").size(), 1U);
  past.sink.refuse = false;
  ASSERT_TRUE(past.open(settings).has_value());
  EXPECT_EQ(past.sink.attempts().size(), 1U);
}

TEST(JournalRecovery, takes_rows_from_around_damage_and_keeps_the_file_aside) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  const Sample before(1), hit(2), after(3);
  for (const Sample* sample : {&before, &hit, &after}) {
    ASSERT_TRUE(writer.reserve(sample->entry));
    writer.settle(sample->entry, &sample->row);
  }
  // Somewhere in the second one's records, which have the same sizes as the first one's.
  const std::size_t third = past.kept[0]->published / 3;
  past.change(1, sizeof(journal::SegmentHeader) + third + 100, "?");
  ASSERT_TRUE(past.open().has_value());
  EXPECT_EQ(past.sink.attempt(before.attempt), journal::row_of(before.entry));
  EXPECT_EQ(past.sink.attempt(after.attempt), journal::row_of(after.entry));
  EXPECT_EQ(past.events.of(JournalEvent::damaged), 1);
  EXPECT_EQ(past.folder.files(".damaged").size(), 1U);
  EXPECT_TRUE(past.folder.files(".journal").empty());
  // It stays where it is, and its number stays taken.
  auto again = past.open();
  ASSERT_TRUE(again.has_value());
  (*again)->add_writer();
  EXPECT_EQ(past.folder.files(".damaged").size(), 1U);
  EXPECT_EQ(past.folder.files(".journal").front(), past.file(2));
}

TEST(JournalRecovery, tells_of_a_record_that_was_cut_off) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  const Sample sample(1);
  ASSERT_TRUE(writer.reserve(sample.entry));
  const std::size_t end = past.kept[0]->published;
  writer.settle(sample.entry, &sample.row);
  past.change(1, sizeof(journal::SegmentHeader) + end + 200, std::string(300, '\0'));
  ASSERT_TRUE(past.open().has_value());
  EXPECT_TRUE(past.sink.attempt(sample.attempt)->recovered);
  EXPECT_EQ(past.events.of(JournalEvent::torn), 1);
  EXPECT_EQ(past.events.of(JournalEvent::damaged), 0);
}

TEST(JournalRecovery, tells_of_records_that_are_missing_between_two_files) {
  Past past;
  Writer writer(size, 100);
  past.give(writer, 0, 0);
  past.give(writer, 0, 1);
  const Sample sample(1);
  while (past.kept[1]->published == 0) {
    ASSERT_TRUE(writer.reserve(sample.entry));
    writer.settle(sample.entry, &sample.row);
  }
  // The end of the first file as if it had never been written.
  const std::size_t lost = sizeof(journal::SegmentHeader) + past.kept[0]->published - 3000;
  past.change(1, lost, std::string(size - lost, '\0'));
  ASSERT_TRUE(past.open().has_value());
  EXPECT_EQ(past.events.of(JournalEvent::damaged), 1);
  EXPECT_EQ(past.folder.files(".damaged").front(), past.file(1).string() + ".damaged");
}

TEST(JournalRecovery, leaves_alone_what_is_not_the_journals) {
  Past past;
  std::ofstream(past.folder.journal() + "/notes.txt") << "mine";
  std::ofstream(past.folder.journal() + "/mine.journal") << "mine";
  std::filesystem::create_symlink("/etc/passwd", past.file(7));
  std::ofstream(past.file(8)) << "too short";
  std::ofstream(past.file(9));
  std::ofstream(past.file(10)) << std::string(size, '\0');
  ASSERT_TRUE(past.open().has_value());
  EXPECT_TRUE(past.sink.attempts().empty());
  EXPECT_TRUE(std::filesystem::exists(past.folder.journal() + "/notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(past.folder.journal() + "/mine.journal"));
  EXPECT_TRUE(std::filesystem::exists("/etc/passwd"));
  EXPECT_EQ(past.folder.files(".damaged").size(), 2U);  // the link and the short one
  EXPECT_FALSE(std::filesystem::exists(past.file(9)));
  EXPECT_FALSE(std::filesystem::exists(past.file(10)));
}

TEST(JournalRecovery, invents_nothing_from_a_file_with_any_byte_changed) {
  std::mt19937 random(4);
  Past original;
  Writer writer(size, 100);
  original.give(writer, 0, 0);
  const Sample first(1), second(2);
  ASSERT_TRUE(writer.reserve(first.entry));
  writer.checkpoint(first.attempt, first.entry.usage, Money{1});
  writer.settle(first.entry, &first.row);
  ASSERT_TRUE(writer.reserve(second.entry));
  const std::size_t used = sizeof(journal::SegmentHeader) + original.kept[0]->published;
  for (std::size_t offset = 0; offset < used; offset += 1 + random() % 13) {
    SCOPED_TRACE(offset);
    Past past;
    std::filesystem::copy_file(original.file(1), past.file(1));
    char byte = 0;
    std::ifstream(past.file(1), std::ios::binary).seekg(static_cast<std::streamoff>(offset)).get(byte);
    past.change(1, offset, std::string(1, static_cast<char>(byte ^ static_cast<char>(1 + random() % 255))));
    ASSERT_TRUE(past.open().has_value());
    for (const auto& [id, row] : past.sink.attempts()) {
      ASSERT_TRUE(id == first.attempt || id == second.attempt);
      ASSERT_TRUE(row.recovered || row == journal::row_of(first.entry));
      ASSERT_TRUE(id == first.attempt || row.cost == second.entry.cost);
    }
    ASSERT_GE(past.events.of(JournalEvent::damaged) + past.events.of(JournalEvent::torn), 1);
  }
}

TEST(OpenBook, carries_open_requests_as_they_are) {
  journal::OpenBook book, other;
  LedgerBatch batch;
  journal::Pinned old_file, new_file;
  std::vector<std::byte> page(64 * 1024);
  std::uint64_t sequence = 0;
  const Sample open(1), settled(2, 1), retry(2, 2), done(3);
  const auto take = [&](std::byte* end, journal::RecordType type) {
    const auto* next = journal::publish(page.data(), end, type, ++sequence, 1);
    const std::span<const std::byte> record(page.data(), next);
    journal::Decoded decoded;
    ASSERT_TRUE(journal::decode(record, decoded));
    book.take(record, decoded, &old_file, batch);
  };
  using journal::RecordType;
  take(journal::encode_attempt(page.data(), open.entry), RecordType::reserved);
  take(journal::encode_checkpoint(page.data(), open.attempt, open.entry.usage, Money{5}), RecordType::checkpoint);
  take(journal::encode_attempt(page.data(), settled.entry), RecordType::reserved);
  take(journal::encode_attempt(page.data(), settled.entry), RecordType::settled);
  take(journal::encode_attempt(page.data(), retry.entry), RecordType::reserved);
  take(journal::encode_attempt(page.data(), done.entry), RecordType::reserved);
  take(journal::encode_last(page.data(), done.entry, done.row), RecordType::settled_last);
  EXPECT_EQ(old_file.pins, 2U);
  EXPECT_EQ(book.open_attempts(), 2U);
  ASSERT_FALSE(book.carry(old_file, [](auto) { return nullptr; }));
  EXPECT_EQ(old_file.pins, 2U) << "what could not be carried keeps its file";
  LedgerBatch again;
  ASSERT_TRUE(book.carry(old_file, [&](std::span<const std::byte> record) {
    journal::Decoded decoded;
    EXPECT_TRUE(journal::decode(record, decoded));
    other.take(record, decoded, nullptr, again);
    return &new_file;
  }));
  EXPECT_EQ(old_file.pins, 0U);
  EXPECT_EQ(new_file.pins, 2U);
  EXPECT_EQ(again.attempts.size(), 1U);
  LedgerBatch from_book, from_other;
  book.resolve(10, from_book);
  other.resolve(10, from_other);
  EXPECT_EQ(new_file.pins, 0U);
  const auto by_id = [](const auto& a, const auto& b) { return a.attempt_id < b.attempt_id; };
  std::sort(from_book.attempts.begin(), from_book.attempts.end(), by_id);
  std::sort(from_other.attempts.begin(), from_other.attempts.end(), by_id);
  EXPECT_EQ(from_book.attempts, from_other.attempts);
  EXPECT_EQ(from_book.attempts.size(), 2U);
  EXPECT_EQ(from_book.requests.size(), 2U);
}

}  // namespace
}  // namespace tollgate::io
