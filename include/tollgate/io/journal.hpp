#pragma once
// The book's first place: files mapped into memory, one row of them per worker, from which a thread moves everything
// into the ledger's store. What is in the journal survives the end of the process, however it ends. docs/ledger.md.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/io/ledger_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tollgate::io {

namespace journal {
class Disk;
}

struct JournalSettings {
  std::string folder;  ///< made (0700) where it is missing; no other process may use it
  /// How often what was written is brought to the disk (fdatasync): what a power cut can take.
  Millis sync_interval{100};
  std::size_t max_size = std::size_t{1} << 30;  ///< of all files; where they come to it, nothing is reserved
  std::size_t segment_size = 0;                 ///< of one file; 0: fitting max_size, at most 8 MiB
  std::size_t max_open_requests = 65'536;       ///< per worker
  Millis store_patience = seconds(90);          ///< how long open() tries again while the store refuses
  std::size_t batch_rows = 1'000;               ///< at most about so many rows go to the store at once
};

enum class JournalEvent : std::uint8_t {
  damaged,          ///< records of a file are lost; the file is kept aside as NAME.damaged
  torn,             ///< the last record of a file was cut off by the end of the system, and left out
  unwritable,       ///< there is no room ahead: what is reserved soon is refused, or already is
  writable,         ///< there is again
  sync_failed,      ///< a file could not be brought to the disk: it is left, what it holds goes on elsewhere
  store_failed,     ///< the store refuses; the journal holds what comes
  store_recovered,  ///< it takes again
  rows_recovered    ///< rows were made of what an earlier process has left open
};

/// Called on the journal's threads and in open(), one at a time. They do not call the journal.
struct JournalListener {
  std::function<void(JournalEvent, const std::string& message)> on_event;
  /// `worker`'s records up to `sequence` are on the disk.
  std::function<void(std::size_t worker, std::uint64_t sequence)> on_durable;
};

/// One worker's end. reserve(), checkpoint(), settle(), close(): that worker's thread only; no call to the system, no
/// lock, no memory from the heap. Texts are cut at 128 bytes, models and prices at 256, targets at 260, tags at 1,024.
/// An attempt with more than 32 budgets is not reserved. settle() and close() are for what reserve() took; for others,
/// rows are written where there is room.
class JournalWriter : public pipeline::Ledger {
 public:
  /// The last record written; the first one is 1. Any thread.
  virtual std::uint64_t written() const = 0;
  /// The last one that a power cut cannot take any more, together with all before it. Any thread.
  virtual std::uint64_t durable() const = 0;
};

struct JournalFigures {
  bool writable = true;              ///< for all workers there is room ahead
  Millis lag{0};                     ///< age of the oldest row that is not in the store
  std::uint64_t bytes_waiting = 0;   ///< written and not in the store
  std::uint64_t bytes_on_disk = 0;   ///< of all files
  std::uint64_t open_requests = 0;   ///< as far as has been read
  std::uint64_t rows_stored = 0;     ///< since the start, recovery included
  std::uint64_t rows_recovered = 0;  ///< of these: made by recovery
  std::uint64_t rows_lost = 0;       ///< settled without a reservation while there was no room
  std::uint64_t sync_failures = 0, store_failures = 0, damaged_files = 0;
};

class Journal {
  struct State;

 public:
  /// Takes the folder, moves everything that an earlier process has left there into the store, settles what it has left
  /// open, and only then returns. Blocks. `sink` and `disk` (null: the real one) outlive the journal.
  static Result<std::unique_ptr<Journal>> open(JournalSettings settings, LedgerSink& sink,
                                               JournalListener listener = {}, journal::Disk* disk = nullptr);
  /// Moves what is left into the store where that takes it, and leaves the rest for the next open(). Workers have
  /// ended.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Lives as long as this object. Where no file can be made, it has no room until one can. Before the workers run.
  JournalWriter& add_writer();
  /// Any thread.
  JournalFigures figures() const;
  /// Waits until all that was written before this call is in the store; false where `limit` ran out.
  bool drain(Millis limit = seconds(5));

 private:
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
