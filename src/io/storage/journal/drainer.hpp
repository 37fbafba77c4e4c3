#pragma once
#include "io/storage/journal/common.hpp"

#include <functional>
#include <optional>

namespace tollgate::io::journal {

/// From the files into the store, and the files away. One thread; what it does may wait for the store.
class Drainer {
 public:
  explicit Drainer(Common& common) : common_(common) {}

  /// Reads what was published, as far as a batch goes. True: the batch is full, so there may be more.
  bool gather();
  bool has_rows() const { return !batch_.attempts.empty() || !batch_.requests.empty(); }
  SteadyTime first_gathered() const { return first_gathered_; }
  /// Hands the batch to the store. True: it is there.
  bool commit();
  /// Takes away the files that nobody needs any more. Everything that was gathered is committed.
  void sweep();
  /// Takes away what is not needed after the end, too. No writer is at work.
  void sweep_last();

 private:
  void gather(Lane& lane);
  void gather(Lane& lane, Segment& segment);
  std::size_t rows() const { return batch_.attempts.size() + batch_.requests.size(); }
  void mark_committed();
  void note_oldest();
  void sweep(Lane& lane);
  void sweep_carried();
  bool worth_carrying(const Segment& segment);
  void carry(Segment& segment);
  Segment* carry_record(std::span<const std::byte> record);
  bool settle_carried();
  void sync_carried(Segment& segment);

  Common& common_;
  OpenBook book_;
  LedgerBatch batch_;
  SteadyTime first_gathered_{};
  bool store_failing_ = false;

  // Records of requests that are open for long, so that they do not keep whole files.
  std::vector<std::shared_ptr<Segment>> carried_;  ///< the last one is being written
  std::byte* carry_at_ = nullptr;
  std::uint64_t carry_index_ = 0, carry_sequence_ = 0;
  bool carry_unsynced_ = false;
};

}  // namespace tollgate::io::journal
