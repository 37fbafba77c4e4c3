#pragma once
// SQLite on files that fail when a test says so: a write or a sync that returns an error, or a power cut that takes all
// that no sync has confirmed. It lies over SQLite's own files, and is the default while it lives.
#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tollgate::io::ledger_tests {

class FaultyFiles {
 public:
  FaultyFiles();
  ~FaultyFiles();
  FaultyFiles(const FaultyFiles&) = delete;
  FaultyFiles& operator=(const FaultyFiles&) = delete;

  enum class Fault : std::uint8_t {
    none,
    write,     ///< the nth call of write, sync or truncate fails with EIO, all others go well
    full,      ///< the same with ENOSPC, if it is a write
    power_cut  ///< from the nth on nothing reaches the disk, and every call says so
  };
  /// From now on; counts anew.
  void expect(Fault fault, std::uint64_t nth);
  /// Calls of write, sync and truncate since then.
  std::uint64_t calls() const { return calls_; }
  bool has_failed() const { return calls_ >= nth_ && fault_ != Fault::none; }

  /// After a power cut, with every file closed: puts on the disk what a sync had confirmed, and ends the fault.
  void restore();

 private:
  friend struct Calls;
  /// What a power cut leaves of a file. A file that was never synced is not there.
  struct Durable {
    std::string content;
  };
  /// Counts a call; the result that it has to return, or SQLITE_OK.
  int count(bool is_write);
  void found(const std::string& path);

  std::unique_ptr<sqlite3_vfs> vfs_;
  sqlite3_vfs* real_;
  std::map<std::string, Durable> files_;
  Fault fault_ = Fault::none;
  std::uint64_t nth_ = 0, calls_ = 0;
};

}  // namespace tollgate::io::ledger_tests
