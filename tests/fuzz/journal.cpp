// The journal's reader on any bytes. The input is patches on a page of real records: so that what is damaged looks like
// a journal, and what passes the checksum is one that was written. Whatever is read, the book that recovery keeps of it
// makes rows with known values, each open attempt once.
#include "io/storage/journal/open_book.hpp"
#include "io/storage/journal/segment_reader.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdlib>
#include <cstring>
#include <span>
#include <tuple>

namespace {

using namespace tollgate;
using namespace tollgate::io;
using namespace tollgate::io::journal;

constexpr std::uint32_t salt = 7;

void require(bool holds) {
  if (!holds) std::abort();
}

using Page = std::array<std::byte, 8192>;

/// Some records of two requests, as a writer leaves them.
Page written_page() {
  Page page{};
  std::byte* at = page.data();
  std::uint64_t sequence = 0;
  const std::array<pipeline::BudgetShare, 2> shares{{{1, 2}, {3, 4}}};
  pipeline::AttemptEntry attempt;
  attempt.of.request_id = "0192a000-0000-7000-8000-000000000001";
  attempt.of.tenant = "acme";
  attempt.attempt_id = "0192b000-0000-7000-8000-000000000001";
  attempt.target = "openai/gpt-5.5";
  attempt.cost = Money{7};
  attempt.budgets = shares;
  pipeline::RequestEntry request;
  request.of = attempt.of;
  request.target = attempt.target;
  const auto add = [&](std::byte* end, RecordType type) { at = publish(at, end, type, ++sequence, salt); };
  add(encode_attempt(at, attempt), RecordType::reserved);
  add(encode_checkpoint(at, attempt.attempt_id, attempt.usage, Money{1}), RecordType::checkpoint);
  add(encode_last(at, attempt, request), RecordType::settled_last);
  attempt.of.request_id = "0192a000-0000-7000-8000-000000000002";
  attempt.attempt_id = "0192b000-0000-7000-8000-000000000002";
  add(encode_attempt(at, attempt), RecordType::reserved);
  add(encode_request(at, request), RecordType::request);
  publish(at, at + sizeof(RecordHead), RecordType::end, ++sequence, salt);
  return page;
}

using Touched = std::bitset<std::tuple_size_v<Page>>;

/// Two bytes of offset, one of length, so many bytes; again. Gives what was written to.
Touched patch(Page& page, const std::uint8_t* data, std::size_t size) {
  Touched touched;
  for (std::size_t at = 0; at + 3 <= size;) {
    const std::size_t offset = (data[at] | static_cast<std::size_t>(data[at + 1]) << 8) % page.size();
    const std::size_t length = std::min({std::size_t{data[at + 2]}, size - at - 3, page.size() - offset});
    std::memcpy(page.data() + offset, data + at + 3, length);
    for (std::size_t byte = offset; byte < offset + length; ++byte) touched.set(byte);
    at += 3 + length;
  }
  return touched;
}

/// A fuzzer that watches comparisons finds the right checksum for whatever it has written: one that it has set proves
/// nothing.
bool has_own_checksum(const Page& page, std::span<const std::byte> record, const Touched& touched) {
  const auto at = static_cast<std::size_t>(record.data() - page.data());
  for (std::size_t byte = at; byte < at + sizeof(RecordHead); ++byte)
    if (touched.test(byte)) return false;
  return true;
}

/// Checksums are made right where they would hide the rest from the fuzzer.
void make_right(Page& page) {
  for (std::size_t at = 0; at + sizeof(RecordHead) <= page.size();) {
    RecordHead head;
    std::memcpy(&head, page.data() + at, sizeof head);
    if (head.length < sizeof head || head.length % record_step != 0 || head.length > page.size() - at - record_step)
      return;
    std::array<std::byte, record_step> next;
    std::memcpy(next.data(), page.data() + at + head.length, record_step);
    publish(page.data() + at, page.data() + at + head.length, static_cast<RecordType>(head.sequence_and_type & 0xFF),
            head.sequence_and_type >> 8, salt);
    std::memcpy(page.data() + at + head.length, next.data(), record_step);
    at += head.length;
  }
}

void check(const LedgerBatch& batch) {
  for (const AttemptRow& row : batch.attempts) {
    require(row.attempt_id.size() <= longest::id && row.of.tags.size() <= longest::tags);
    require(row.outcome <= pipeline::Outcome::internal && row.waste <= pipeline::Waste::abandoned);
    require(row.budgets.size() <= longest::shares && row.duration >= Micros(0));
  }
  for (const RequestRow& row : batch.requests) {
    require(row.outcome <= pipeline::Outcome::internal && row.duration >= Micros(0));
    require(row.usage.tier <= protocol::ServiceTier::fast);
  }
}

/// `touched`: what of the page was written to; null: its checksums were made right afterwards.
void read(const Page& page, bool growing, const Touched* touched) {
  static const Page untouched = written_page();
  SegmentReader reader(page, salt, growing);
  OpenBook book;
  LedgerBatch batch;
  Pinned file;
  std::size_t position = 0;
  for (auto record = reader.next(); !record.empty(); record = reader.next()) {
    require(reader.position() > position && reader.position() <= page.size());
    position = reader.position();
    if (touched && has_own_checksum(page, record, *touched))
      require(std::search(untouched.begin(), untouched.end(), record.begin(), record.end()) != untouched.end());
    book.take(record, reader.decoded(), &file, batch);
  }
  require(book.open_requests() == file.pins);
  LedgerBatch left;
  while (!book.empty()) book.resolve(1, left);
  require(file.pins == 0);
  check(batch);
  check(left);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Page page = written_page();
  const Touched touched = patch(page, data + 1, size - 1);
  const bool right = (data[0] & 1) != 0;
  if (right) make_right(page);
  read(page, (data[0] & 2) != 0, right ? nullptr : &touched);
  return 0;
}
