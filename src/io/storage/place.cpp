// What has to be right before SQLite sees the file: it would take a file that was emptied for a new one, and two
// processes with their own memory of one store would undo each other's work.
#include "io/storage/place.hpp"

#include "tollgate/base/errno_text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tollgate::io::storage {
namespace {

namespace fs = std::filesystem;

Failure unusable(const std::string& path, const std::string& reason) {
  return Failure{.kind = FailureKind::overloaded,
                 .source = Source::gateway,
                 .message = std::string("cannot open the store ").append(path).append(": ").append(reason)};
}

/// From the top down, so that each folder that is made has a parent.
Result<void> make_folders(const std::string& path) {
  fs::path folder;
  for (const fs::path& name : fs::path(path).parent_path()) {
    folder /= name;
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int reason = errno;
    struct stat status {};
    // On a file system that cannot be written to, mkdir(2) may say so of a folder that exists.
    if (::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
    return unusable(path, "the folder " + folder.string() + " cannot be made: " + errno_text(reason));
  }
  return {};
}

/// Two paths to one file must meet at one lock.
std::string lock_path(const std::string& path) {
  std::error_code unknown;
  const fs::path real = fs::weakly_canonical(path, unknown);
  return (unknown ? path : real.string()) + ".lock";
}

Result<int> take_lock(const std::string& path) {
  const std::string name = lock_path(path);
  const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (lock < 0) return unusable(path, "its lock " + name + " cannot be opened: " + errno_text());
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  const int reason = errno;
  ::close(lock);
  if (reason != EWOULDBLOCK) return unusable(path, "its lock " + name + " cannot be taken: " + errno_text(reason));
  return unusable(
      path,
      "another process is using it. One store serves one process: stop the other one first, or give this one "
      "a path of its own (storage.path)");
}

constexpr off_t smallest_database = 512;  // one page of the smallest size (SQLite's file format, 1.3.2)

off_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

Result<void> make_file(const std::string& path) {
  // Closed before SQLite opens it: later, closing any descriptor of the file would drop SQLite's own locks.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    const int reason = errno;
    if (file >= 0) ::close(file);
    return unusable(path, errno_text(reason));
  }
  ::close(file);
  if (!S_ISREG(status.st_mode)) return unusable(path, "it is not a regular file");
  if (status.st_size >= smallest_database) return {};
  // SQLite takes a file of one byte for an empty one, and writes over it.
  if (status.st_size > 0) return unusable(path, "file is not a database, it is too short for one");
  for (const char* log : {"-wal", "-journal"}) {
    if (size_of(path + log) == 0) continue;
    return unusable(path, "it is empty, but its log " + path + log +
                              " is not. Put the file back that belongs to the log, or move the log away to begin anew");
  }
  return {};
}

}  // namespace

Result<Place> Place::take(const std::string& path) {
  if (path.empty()) return unusable(path, "the path is empty");
  if (path.find('\0') != path.npos) return unusable(path, "the path has a NUL in it");
  if (const auto made = make_folders(path); !made) return made.error();
  const auto lock = take_lock(path);
  if (!lock) return lock.error();
  Place place(*lock);
  if (const auto made = make_file(path); !made) return made.error();
  return place;
}

Place::~Place() {
  if (lock_ >= 0) ::close(lock_);
}

Place::Place(Place&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

}  // namespace tollgate::io::storage
