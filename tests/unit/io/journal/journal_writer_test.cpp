// The promise of room: what was reserved is settled, whatever came between, and no file is left before its time.
// A writer without threads: the test gives it files when it likes.
#include "io/storage/journal/segment_reader.hpp"
#include "io/storage/journal/writer.hpp"
#include "journal_fixture.hpp"

#include <deque>
#include <random>
#include <set>

namespace tollgate::io::journal {
namespace {

constexpr std::size_t size = smallest_segment;

struct Room {
  TemporaryFolder folder;
  QuickDisk disk;
  std::vector<std::shared_ptr<Segment>> segments;
  Writer writer{size, 1000};

  void add_segment() {
    const std::uint64_t index = segments.size();
    auto segment = Segment::create(
        disk,
        {.folder = folder.path().string(), .run = 1, .number = index + 1, .index = index, .writer = 0, .size = size});
    ASSERT_TRUE(segment.has_value());
    segments.push_back(*segment);
    writer.push_spare(**segment);
  }
  /// Types of all records, in order; every check of the reader holds.
  std::vector<RecordType> types() const {
    std::vector<RecordType> found;
    std::uint64_t sequence = 0;
    for (const auto& segment : segments) {
      SegmentReader reader(segment->records(), segment->header().salt, false, 0, sequence);
      while (!reader.next().empty()) found.push_back(reader.decoded().type);
      EXPECT_FALSE(reader.damaged() || reader.torn());
      if (reader.sequence() != 0) sequence = reader.sequence();
    }
    return found;
  }
  std::size_t count(RecordType type) const {
    const auto all = types();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), type));
  }
};

TEST(JournalWriter, refuses_without_a_file) {
  Room room;
  const Sample sample(1);
  EXPECT_FALSE(room.writer.reserve(sample.entry));
  room.writer.checkpoint(sample.attempt, {}, {});
  room.writer.settle(sample.entry, &sample.row);
  room.writer.close(sample.row);
  EXPECT_EQ(room.writer.lost(), 2U);
  EXPECT_EQ(room.writer.written(), 0U);
}

TEST(JournalWriter, writes_nothing_when_it_refuses) {
  Room room;
  room.add_segment();
  Sample sample(1);
  sample.shares.resize(longest::shares + 1);
  sample.entry.budgets = sample.shares;
  EXPECT_FALSE(room.writer.reserve(sample.entry));
  EXPECT_TRUE(room.types().empty());
  EXPECT_EQ(room.writer.promised(), 0U);
}

TEST(JournalWriter, settles_all_that_it_has_reserved_when_it_is_full) {
  Room room;
  room.add_segment();
  room.add_segment();
  std::deque<Sample> open;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    open.emplace_back(number);
    if (room.writer.reserve(open.back().entry)) continue;
    open.pop_back();
    break;
  }
  ASSERT_GT(open.size(), 5U);
  ASSERT_LT(open.size(), 1000U);
  room.writer.checkpoint(open[0].attempt, {}, {});
  for (const Sample& sample : open) room.writer.settle(sample.entry, &sample.row);
  EXPECT_EQ(room.writer.lost(), 0U);
  EXPECT_EQ(room.count(RecordType::settled_last), open.size());
  EXPECT_EQ(room.writer.promised(), 0U);
}

TEST(JournalWriter, keeps_room_for_the_row_of_a_request_between_its_attempts) {
  Room room;
  room.add_segment();
  const Sample first(1, 1), second(1, 2), other(2);
  ASSERT_TRUE(room.writer.reserve(first.entry));
  room.writer.settle(first.entry, nullptr);
  EXPECT_EQ(room.writer.promised(), largest_request);
  while (room.writer.reserve(other.entry)) room.writer.settle(other.entry, &other.row);
  room.writer.close(first.row);
  EXPECT_EQ(room.writer.lost(), 0U);
  EXPECT_EQ(room.count(RecordType::request), 1U);
  EXPECT_EQ(room.writer.promised(), 0U);
}

TEST(JournalWriter, forgets_a_request_whose_slower_attempt_is_settled_after_its_row) {
  Room room;
  room.add_segment();
  const Sample fast(1, 1), slow(1, 2);
  ASSERT_TRUE(room.writer.reserve(fast.entry));
  ASSERT_TRUE(room.writer.reserve(slow.entry));
  room.writer.settle(fast.entry, &fast.row);
  EXPECT_EQ(room.writer.promised(), largest_attempt);
  room.writer.settle(slow.entry, nullptr);
  EXPECT_EQ(room.writer.promised(), 0U);
  EXPECT_EQ(room.count(RecordType::settled), 1U);
}

using Named = std::pair<std::string, std::string>;

/// The settlements in all files, by attempt, each with its names and budgets. Equal ones once.
std::set<Named> settled_names(const Room& room) {
  std::set<Named> found;
  for (const auto& segment : room.segments) {
    SegmentReader reader(segment->records(), segment->header().salt, false);
    while (!reader.next().empty()) {
      const Decoded& record = reader.decoded();
      if (record.type != RecordType::settled && record.type != RecordType::settled_last) continue;
      const pipeline::AttemptEntry& entry = record.attempt;
      std::string names;
      for (const std::string_view name :
           {entry.of.request_id, entry.of.tenant, entry.of.key, entry.of.route, entry.of.task, entry.of.model,
            entry.of.task_id, entry.of.tags, entry.target, entry.credential, entry.price})
        names.append(name).append("|");
      for (const pipeline::BudgetShare& share : entry.budgets)
        names += std::to_string(share.budget) + "@" + std::to_string(share.window) + " ";
      found.emplace(entry.attempt_id, names);
    }
  }
  return found;
}

TEST(JournalWriter, settles_each_attempt_with_its_own_names_and_budgets_wherever_it_was_reserved) {
  Room room;
  for (int i = 0; i < 4; ++i) room.add_segment();
  Sample first(1, 1), second(1, 2), other(2);
  second.entry.target = "anthropic/claude";
  second.entry.of.model = "claude";
  second.entry.budgets = std::span(second.shares).first(1);
  other.entry.of.tags = std::string_view();
  other.entry.budgets = {};
  const std::string usual =
      "|acme|ci|auto|devops|gpt-5.5|task-1|cost_center=4711,team=%C3%A4|openai/gpt-5.5-2026-04-01|main|"
      "openai/gpt-5.5@2026-04-01|11@1780000000 12@1779000000 ";
  std::set<Named> expected{
      {first.attempt, first.request + usual},
      {second.attempt, second.request +
                           "|acme|ci|auto|devops|claude|task-1|cost_center=4711,team=%C3%A4|anthropic/claude|main|"
                           "openai/gpt-5.5@2026-04-01|11@1780000000 "},
      {other.attempt, other.request + "|acme|ci|auto|devops|gpt-5.5|task-1||openai/gpt-5.5-2026-04-01|main|"
                                      "openai/gpt-5.5@2026-04-01|"}};
  const auto reserve_all = [&] {
    for (const Sample* sample : {&first, &second, &other}) ASSERT_TRUE(room.writer.reserve(sample->entry));
  };
  const auto settle_all = [&] {
    room.writer.settle(first.entry, nullptr);
    room.writer.settle(other.entry, &other.row);
    room.writer.settle(second.entry, &second.row);
  };
  reserve_all();
  settle_all();
  EXPECT_EQ(settled_names(room), expected);

  // And with the reservations in a file that the writer has left.
  reserve_all();
  const std::size_t before = room.count(RecordType::end);
  for (std::uint64_t number = 100; room.count(RecordType::end) == before; ++number) {
    const Sample filling(number);
    ASSERT_TRUE(room.writer.reserve(filling.entry));
    room.writer.settle(filling.entry, &filling.row);
    expected.emplace(filling.attempt, filling.request + usual);
  }
  settle_all();
  EXPECT_EQ(settled_names(room), expected);
  EXPECT_EQ(room.count(RecordType::settled) + room.count(RecordType::settled_last), expected.size() + 3);
  EXPECT_EQ(room.writer.lost(), 0U);
  EXPECT_EQ(room.writer.promised(), 0U);
}

TEST(JournalWriter, does_not_let_what_was_never_reserved_take_the_room_of_others) {
  Room room;
  room.add_segment();
  std::deque<Sample> open;
  do {
    open.emplace_back(open.size());
  } while (room.writer.reserve(open.back().entry));
  const std::unique_ptr<Sample> stranger = std::make_unique<Sample>(9999);
  for (int round = 0; round < 200; ++round) {
    room.writer.settle(stranger->entry, &stranger->row);
    room.writer.close(stranger->row);
    room.writer.checkpoint(stranger->attempt, {}, {});
  }
  EXPECT_GT(room.writer.lost(), 0U);
  open.pop_back();
  for (const Sample& sample : open) room.writer.settle(sample.entry, &sample.row);
  std::size_t settled = 0;
  for (const auto& segment : room.segments) {
    SegmentReader reader(segment->records(), segment->header().salt, false);
    while (!reader.next().empty()) {
      if (reader.decoded().type == RecordType::settled_last &&
          reader.decoded().attempt.of.request_id != stranger->request)
        ++settled;
    }
  }
  EXPECT_EQ(settled, open.size());
}

TEST(JournalWriter, leaves_a_file_that_failed_once_the_next_ones_hold_what_is_promised) {
  Room room;
  room.add_segment();
  const Sample first(1), second(2), third(3);
  ASSERT_TRUE(room.writer.reserve(first.entry));
  room.writer.abandon(0);
  EXPECT_FALSE(room.writer.reserve(second.entry));  // there is no other file
  room.writer.settle(first.entry, &first.row);      // what is promised still is
  EXPECT_EQ(room.count(RecordType::settled_last), 1U);
  room.add_segment();
  EXPECT_TRUE(room.writer.reserve(third.entry));
  SegmentReader next(room.segments[1]->records(), room.segments[1]->header().salt, false);
  ASSERT_FALSE(next.next().empty());
  EXPECT_EQ(next.decoded().attempt.attempt_id, third.attempt);
}

/// As large as a record of it can be.
void enlarge(Sample& sample, std::string_view text, std::string_view other) {
  sample.entry.of = {sample.request, text, text, text, text, text, text, text, 1};
  sample.entry.target = sample.entry.credential = sample.entry.price = text;
  sample.shares.resize(longest::shares);
  sample.entry.budgets = sample.shares;
  sample.row.of = {sample.request, other, other, other, other, other, other, other, 1};
  sample.row.endpoint = sample.row.target = other;
}

/// One random life of a writer against a list of what has to be there.
void live(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Room room;
  std::mt19937 random(seed);
  room.add_segment();
  std::deque<Sample> all;
  std::vector<Sample*> open;
  std::set<std::string> settled, closed;
  const std::string text(1100, 't'), other(1100, 'o');
  for (int step = 0; step < 400; ++step) {
    if (random() % 50 == 0 && room.segments.size() < 20) room.add_segment();
    if (random() % 2 == 0) {
      Sample& sample = all.emplace_back(all.size());
      if (seed % 2 == 0 || random() % 3 == 0) enlarge(sample, text, other);
      if (room.writer.reserve(sample.entry)) open.push_back(&sample);
    } else if (!open.empty()) {
      const std::size_t index = random() % open.size();
      Sample& sample = *open[index];
      if (random() % 3 == 0) room.writer.checkpoint(sample.attempt, sample.entry.usage, Money{1});
      const bool together = random() % 2 == 0;
      room.writer.settle(sample.entry, together ? &sample.row : nullptr);
      if (!together) room.writer.close(sample.row);
      settled.insert(sample.attempt);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }
  for (const Sample* sample : open) room.writer.settle(sample->entry, &sample->row);
  EXPECT_EQ(room.writer.lost(), 0U);
  EXPECT_EQ(room.writer.promised(), 0U);
  EXPECT_EQ(room.count(RecordType::settled) + room.count(RecordType::settled_last), settled.size() + open.size());
  EXPECT_EQ(room.count(RecordType::request) + room.count(RecordType::settled_last), settled.size() + open.size());
}

TEST(JournalWriter, keeps_every_promise_in_random_lives) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) live(seed);
}

TEST(RequestTable, finds_what_is_there_after_any_order_of_erasing) {
  std::mt19937 random(3);
  RequestTable table(64);
  std::set<std::uint64_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t number = random() % 100;
    const std::string id = request_id(number * 0x9E3779B9U);
    RequestTable::Slot* found = table.find(id);
    ASSERT_EQ(found != nullptr, expected.count(number) == 1) << step;
    if (found) {
      ASSERT_EQ(found->attempts, number);
      table.erase(*found);
      expected.erase(number);
    } else if (!table.full()) {
      table.at(id).attempts = static_cast<std::uint32_t>(number);
      expected.insert(number);
    }
  }
}

}  // namespace
}  // namespace tollgate::io::journal
