#pragma once
#include "tollgate/io/journal.hpp"

#include "io/storage/journal/request_table.hpp"
#include "io/storage/journal/segment.hpp"

#include <array>
#include <atomic>

namespace tollgate::io::journal {

/// The worker's side of a lane. Room is kept for everything that is promised: with R bytes of room and P promised,
/// R >= P always, also where the rest of a segment is lost because a record does not fit (usable()).
class Writer final : public JournalWriter {
 public:
  static constexpr std::uint32_t most_spares = 64;

  Writer(std::size_t segment_size, std::size_t max_open_requests);

  bool reserve(const pipeline::AttemptEntry& entry) override;
  void checkpoint(std::string_view attempt_id, const protocol::Usage& usage, Money cost) override;
  void settle(const pipeline::AttemptEntry& entry, const pipeline::RequestEntry* request) override;
  void close(const pipeline::RequestEntry& request) override;
  std::uint64_t written() const override { return written_.load(std::memory_order_acquire); }
  std::uint64_t durable() const override { return durable_.load(std::memory_order_acquire); }

  // The keeper's side; its thread, or before the worker runs.
  std::uint32_t spares_ready() const { return pushed_.load() - popped_shared_.load(); }
  void push_spare(Segment& segment);  ///< lives until its end record has been read
  std::size_t promised() const { return promised_shared_.load(std::memory_order_relaxed); }
  /// The worker is to leave the segment of this index, and those before it.
  void abandon(std::uint64_t index) { abandoned_.store(static_cast<std::int64_t>(index), std::memory_order_relaxed); }
  void set_durable(std::uint64_t sequence) { durable_.store(sequence, std::memory_order_release); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  std::size_t room() const;
  bool usable_segment();
  bool leave_abandoned();
  void make_place();
  void next_segment();
  void finish(std::byte* body_end, RecordType type);
  void write_attempt(const pipeline::AttemptEntry& entry, const pipeline::RequestEntry* request,
                     const std::byte* reserved);
  const std::byte* reservation_of(const RequestTable::Slot* slot) const;
  void lose();

  // The worker's own.
  std::byte* at_ = nullptr;
  std::byte* end_ = nullptr;
  Segment* current_ = nullptr;
  std::int64_t index_ = -1;  ///< of the current segment
  std::uint32_t salt_ = 0, popped_ = 0;
  std::uint64_t sequence_ = 0;
  std::size_t promised_ = 0;
  const std::size_t usable_;
  RequestTable requests_;

  // Told to others.
  std::atomic<std::uint64_t> written_{0}, lost_{0};
  std::atomic<std::size_t> promised_shared_{0};
  std::atomic<std::uint32_t> popped_shared_{0};

  // Told by the keeper.
  std::atomic<std::uint32_t> pushed_{0};
  std::atomic<std::int64_t> abandoned_{-1};
  std::atomic<std::uint64_t> durable_{0};
  std::array<std::atomic<Segment*>, most_spares> spares_{};
};

}  // namespace tollgate::io::journal
