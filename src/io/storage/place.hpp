#pragma once
#include "tollgate/base/result.hpp"

#include <string>

namespace tollgate::io::storage {

/// Where the store lies on disk, held for one process: an flock(2) on PATH.lock that lasts as long as this object and
/// ends with the process, however it ends.
class Place {
 public:
  /// Makes missing folders (0700) and a missing file (empty, 0600), and takes the lock. Fails where the path is no
  /// regular file, where the lock is held already, and where an empty file lies beside a log that is not: SQLite would
  /// begin anew and drop what the log holds.
  static Result<Place> take(const std::string& path);
  ~Place();
  Place(Place&& other) noexcept;
  Place& operator=(Place&&) = delete;

 private:
  explicit Place(int lock) : lock_(lock) {}
  int lock_;
};

}  // namespace tollgate::io::storage
