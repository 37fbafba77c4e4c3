// The journal's bytes: what is written is read back, what is damaged is not taken for a row.
// Every byte of a page of records is changed once; nothing may be invented from it and nothing lost in silence.
#include "io/storage/journal/crc32c.hpp"
#include "io/storage/journal/record.hpp"
#include "io/storage/journal/segment_reader.hpp"
#include "journal_fixture.hpp"

#include <cstring>
#include <random>
#include <thread>

namespace tollgate::io::journal {
namespace {

constexpr std::uint32_t salt = 0xC0FFEE;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Records one behind the other, as in a file.
struct Page {
  std::vector<std::byte> bytes = std::vector<std::byte>(64 * 1024);
  std::byte* at = bytes.data();
  std::uint64_t sequence = 0;

  void add(std::byte* end, RecordType type) { at = publish(at, end, type, ++sequence, salt); }
  void reserved(const Sample& sample) { add(encode_attempt(at, sample.entry), RecordType::reserved); }
  void settled(const Sample& sample) { add(encode_attempt(at, sample.entry), RecordType::settled); }
  void last(const Sample& sample) { add(encode_last(at, sample.entry, sample.row), RecordType::settled_last); }
  void request(const Sample& sample) { add(encode_request(at, sample.row), RecordType::request); }
  void checkpoint(const Sample& sample, Money cost) {
    add(encode_checkpoint(at, sample.attempt, sample.entry.usage, cost), RecordType::checkpoint);
  }
  std::size_t size() const { return static_cast<std::size_t>(at - bytes.data()); }
  SegmentReader reader() const { return SegmentReader(bytes, salt, false); }
};

TEST(Crc32c, gives_the_check_value_of_its_definition) {
  EXPECT_EQ(crc32c(0, bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c_by_table(0, bytes_of("123456789")), 0xE3069283U);
  const std::vector<std::byte> zeros(32);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(0, zeros), 0x8A9136AAU);
}

TEST(Crc32c, is_the_same_by_instruction_and_by_table_at_every_length) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(200);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = std::span<const std::byte>(bytes).first(size);
    EXPECT_EQ(crc32c(size * 7919, part), crc32c_by_table(size * 7919, part)) << size;
  }
}

TEST(JournalRecord, brings_back_every_field_of_an_attempt_and_its_request) {
  Page page;
  const Sample sample(1);
  page.last(sample);
  SegmentReader reader = page.reader();
  ASSERT_FALSE(reader.next().empty());
  EXPECT_EQ(reader.decoded().type, RecordType::settled_last);
  EXPECT_EQ(row_of(reader.decoded().attempt), row_of(sample.entry));
  EXPECT_EQ(row_of(reader.decoded().request), row_of(sample.row));
  EXPECT_TRUE(reader.next().empty());
  EXPECT_FALSE(reader.damaged() || reader.torn());
}

TEST(JournalRecord, brings_back_what_is_empty_and_unpriced) {
  Page page;
  Sample sample(2);
  sample.entry = {};
  sample.entry.of.request_id = sample.request;
  sample.entry.attempt_id = sample.attempt;
  sample.row = {};
  sample.row.of.request_id = sample.request;
  page.settled(sample);
  page.request(sample);
  SegmentReader reader = page.reader();
  reader.next();
  EXPECT_EQ(row_of(reader.decoded().attempt), row_of(sample.entry));
  EXPECT_FALSE(reader.decoded().attempt.cost.has_value());
  reader.next();
  EXPECT_EQ(row_of(reader.decoded().request), row_of(sample.row));
  EXPECT_FALSE(reader.decoded().request.first_token.has_value());
}

TEST(JournalRecord, brings_back_a_request_that_differs_from_its_attempt_in_every_text) {
  Page page;
  const Sample attempt(3);
  Sample other(4);
  other.row.of = {.request_id = other.request,
                  .tenant = "t",
                  .key = "k",
                  .route = "r",
                  .task = "",
                  .model = "a-model-that-is-quite-long",
                  .task_id = "12345678",
                  .tags = "a=b",
                  .end_user = 1};
  other.row.target = "anthropic/claude";
  page.add(encode_last(page.at, attempt.entry, other.row), RecordType::settled_last);
  SegmentReader reader = page.reader();
  reader.next();
  EXPECT_EQ(row_of(reader.decoded().attempt), row_of(attempt.entry));
  EXPECT_EQ(row_of(reader.decoded().request), row_of(other.row));
}

TEST(JournalRecord, copies_texts_of_every_length_and_cuts_them_at_their_limits) {
  const std::string text(1500, 'x');
  Sample sample(5);
  for (std::size_t size = 0; size <= text.size(); size = size < 300 ? size + 1 : size + 97) {
    const std::string_view cut = std::string_view(text).substr(0, size);
    sample.entry.of.tenant = sample.entry.of.tags = sample.entry.target = cut;
    Page page;
    page.settled(sample);
    SegmentReader reader = page.reader();
    ASSERT_FALSE(reader.next().empty()) << size;
    EXPECT_EQ(reader.decoded().attempt.of.tenant, cut.substr(0, longest::name));
    EXPECT_EQ(reader.decoded().attempt.of.tags, cut.substr(0, longest::tags));
    EXPECT_EQ(reader.decoded().attempt.target, cut.substr(0, longest::target));
  }
}

TEST(JournalRecord, is_never_larger_than_what_is_promised_for_it) {
  const std::string text(2000, 'x');
  Sample sample(6);
  const std::string_view all = text;
  sample.entry.of = {all, all, all, all, all, all, all, all, 1};
  sample.entry.attempt_id = sample.entry.target = sample.entry.credential = sample.entry.price = all;
  sample.shares.resize(longest::shares);
  sample.entry.budgets = sample.shares;
  const std::string other = text;  // not the same place: nothing is shared
  sample.row.of = {other, other, other, other, other, other, other, other, 1};
  sample.row.endpoint = sample.row.target = other;
  Page attempt, last, request, checkpoint;
  attempt.settled(sample);
  last.last(sample);
  request.request(sample);
  checkpoint.checkpoint(sample, Money{1});
  EXPECT_EQ(attempt.size(), largest_attempt);
  EXPECT_EQ(request.size(), largest_request);
  EXPECT_LE(last.size(), largest_record);
  EXPECT_EQ(checkpoint.size(), checkpoint_size);
}

TEST(JournalReader, takes_no_byte_that_was_changed_for_a_row) {
  Page whole;
  const Sample first(7), second(8), third(9);
  whole.reserved(first);
  whole.checkpoint(first, Money{5});
  whole.last(first);
  whole.settled(second);
  whole.request(third);
  std::vector<std::vector<std::byte>> written;
  SegmentReader reader = whole.reader();
  for (auto record = reader.next(); !record.empty(); record = reader.next()) {
    written.emplace_back(record.begin(), record.end());
  }
  ASSERT_EQ(written.size(), 5U);
  for (std::size_t offset = 0; offset < whole.size(); ++offset) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      Page page = {whole.bytes, nullptr, 0};
      page.bytes[offset] ^= static_cast<std::byte>(flip);
      SegmentReader again(page.bytes, salt, false);
      std::size_t found = 0;
      for (auto record = again.next(); !record.empty(); record = again.next()) {
        const bool known = std::any_of(written.begin(), written.end(), [&](const auto& one) {
          return std::equal(one.begin(), one.end(), record.begin(), record.end());
        });
        ASSERT_TRUE(known) << "an invented record, byte " << offset;
        ++found;
      }
      ASSERT_EQ(found, 4U) << "of one record's damage the others suffer, byte " << offset;
      ASSERT_TRUE(again.damaged() || again.torn()) << "silent, byte " << offset;
    }
  }
}

TEST(JournalReader, keeps_what_stands_before_a_cut_at_every_byte) {
  Page whole;
  const Sample first(10), second(11);
  whole.reserved(first);
  const std::size_t first_end = whole.size();
  whole.last(second);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    std::vector<std::byte> bytes = whole.bytes;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), std::byte{0});
    SegmentReader reader(bytes, salt, false);
    std::size_t found = 0;
    while (!reader.next().empty()) ++found;
    // The last bytes of a record may be zero anyway.
    const bool whole_anyway = std::equal(bytes.begin(), bytes.end(), whole.bytes.begin());
    ASSERT_EQ(found, whole_anyway ? 2U : cut >= first_end ? 1U : found) << cut;
    ASSERT_LE(found, cut >= first_end ? 2U : 1U) << cut;
    ASSERT_FALSE(reader.damaged()) << cut;
  }
}

TEST(JournalReader, tells_a_missing_record_from_the_end) {
  Page page;
  const Sample first(12), second(13), third(14);
  page.settled(first);
  ++page.sequence;  // one that the disk has lost together with its length
  page.settled(third);
  SegmentReader reader = page.reader();
  reader.next();
  EXPECT_FALSE(reader.damaged());
  reader.next();
  EXPECT_TRUE(reader.damaged());
  EXPECT_EQ(reader.decoded().attempt.attempt_id, third.attempt);
}

TEST(JournalReader, finds_nothing_in_chance) {
  std::mt19937_64 random(2);
  std::vector<std::byte> bytes(64 * 1024);
  for (int round = 0; round < 50; ++round) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % (round % 2 == 0 ? 256 : 3));
    SegmentReader reader(bytes, salt, false);
    ASSERT_TRUE(reader.next().empty());
    ASSERT_TRUE(reader.torn());
  }
}

TEST(JournalReader, takes_no_record_of_another_file) {
  Page page;
  const Sample sample(15);
  page.settled(sample);
  SegmentReader reader(page.bytes, salt + 1, false);
  EXPECT_TRUE(reader.next().empty());
}

TEST(JournalReader, waits_where_the_writer_is_not_done) {
  Page page;
  const Sample sample(16);
  encode_attempt(page.at, sample.entry);  // not published
  SegmentReader growing(page.bytes, salt, true);
  EXPECT_TRUE(growing.next().empty());
  EXPECT_FALSE(growing.torn());
  page.settled(sample);
  EXPECT_FALSE(growing.next().empty());
}

TEST(JournalReader, takes_every_record_whole_that_is_published_while_it_looks) {
  constexpr int pages = 100, records = 100;
  const Sample sample(17);
  for (int round = 0; round < pages; ++round) {
    Page page;
    std::thread writer([&] {
      for (int i = 0; i < records; ++i) page.settled(sample);
    });
    SegmentReader growing(page.bytes, salt, true);
    while (growing.sequence() < records && !growing.damaged() && !growing.torn()) growing.next();
    writer.join();
    ASSERT_EQ(growing.sequence(), static_cast<std::uint64_t>(records));
    ASSERT_FALSE(growing.damaged() || growing.torn());
  }
}

}  // namespace
}  // namespace tollgate::io::journal
