#include "io/storage/ledger/birth.hpp"

#include "tollgate/base/errno_text.hpp"

#include "io/storage/place.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace tollgate::io::ledger {

namespace {

namespace fs = std::filesystem;

Failure cannot(const std::string& path, const std::string& why) {
  return {FailureKind::overloaded, Source::gateway, "cannot make " + path + ": " + why};
}

bool exists(const std::string& path) {
  std::error_code failed;
  return fs::symlink_status(path, failed).type() != fs::file_type::not_found;
}

/// What an earlier try has left behind.
void clear(const std::string& path) {
  for (const char* const part : {"-wal", "-shm", "-journal", ""}) ::unlink((path + part).c_str());
}

Result<void> fill(const std::string& path, Kind kind) {
  const auto database = sqlite::Database::open(path);
  if (!database) return database.error();
  if (auto made = prepare(**database, kind, true); !made) return made;
  return (*database)->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<void> publish(const std::string& path, const std::string& name) {
  if (::rename(path.c_str(), name.c_str()) != 0) return cannot(name, errno_text());
  const int folder = ::open(fs::path(name).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return cannot(name, errno_text());
  const int synced = ::fsync(folder);
  const int reason = errno;
  ::close(folder);
  if (synced != 0) return cannot(name, errno_text(reason));
  return {};
}

}  // namespace

Result<void> make_where_missing(const std::string& path, Kind kind) {
  if (exists(path)) return {};
  const std::string unborn = path + ".new";
  clear(unborn);
  const auto place = storage::Place::take(unborn);
  if (!place) return place.error();
  if (exists(path)) return {};  // by another process, which has the folder now
  if (auto filled = fill(unborn, kind); !filled) return filled;
  // A log that is still there holds something that the file does not.
  std::error_code none;
  if (fs::file_size(unborn + "-wal", none) > 0 && !none) return cannot(path, "its log cannot be written into it");
  if (auto published = publish(unborn, path); !published) return published;
  clear(unborn);
  ::unlink((unborn + ".lock").c_str());
  return {};
}

}  // namespace tollgate::io::ledger
