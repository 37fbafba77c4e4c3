#pragma once
#include "io/storage/journal/common.hpp"

namespace tollgate::io::journal {

/// Files ahead of need, and what was written to the disk. One thread; what it does may wait for the disk.
class Keeper {
 public:
  explicit Keeper(Common& common) : common_(common) {}

  /// Makes the files that the writers need next, as far as they may be made.
  void restock();
  /// Brings to the disk what has changed.
  void sync();

 private:
  bool restock(Lane& lane, std::size_t limit);
  void sync(Lane& lane);
  void fail(Lane& lane, Segment& segment, const std::string& reason);

  Common& common_;
  std::string shortage_;  ///< why the last file could not be made
};

}  // namespace tollgate::io::journal
