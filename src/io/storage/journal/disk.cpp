#include "io/storage/journal/disk.hpp"

#include "tollgate/base/errno_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace tollgate::io::journal {

Failure disk_failure(const std::string& what, int error_number) {
  return Failure{.kind = FailureKind::overloaded,
                 .source = Source::gateway,
                 .message = "the ledger's journal: " + what + ": " + errno_text(error_number)};
}

Result<int> Disk::create(const std::string& path, std::size_t size) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return disk_failure("cannot make " + path, errno);
  const int error = ::posix_fallocate(file, 0, static_cast<off_t>(size));
  if (error == 0) return file;
  ::close(file);
  ::unlink(path.c_str());
  return disk_failure("cannot make " + path, error);
}

Result<void> Disk::sync(int file) {
  if (::fdatasync(file) != 0) return disk_failure("cannot bring a file to the disk", errno);
  return {};
}

Result<void> Disk::sync_folder(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return disk_failure("cannot open " + folder, errno);
  const int error = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (error != 0) return disk_failure("cannot bring " + folder + " to the disk", error);
  return {};
}

}  // namespace tollgate::io::journal
