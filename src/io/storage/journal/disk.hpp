#pragma once
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <string>

namespace tollgate::io::journal {

/// What the journal asks of the file system where that can fail for good. Tests put a failing one in its place.
/// Background threads only.
class Disk {
 public:
  virtual ~Disk() = default;
  /// A new file (0600) of `size` zero bytes that are all there: writing to them later cannot find the disk full. The
  /// descriptor is the caller's. On failure there is no file.
  virtual Result<int> create(const std::string& path, std::size_t size);
  /// fdatasync(2) of a file that is mapped. After a failure the state on the disk is unknown, and a second call that
  /// succeeds says nothing.
  virtual Result<void> sync(int file);
  /// Makes the names in a folder lasting.
  virtual Result<void> sync_folder(const std::string& folder);
};

Failure disk_failure(const std::string& what, int error_number);

}  // namespace tollgate::io::journal
