// The seam is SQLite's own: a VFS whose files call the real ones. What a sync has confirmed is kept as it was written,
// range by range, so that a cut costs no more than the ranges since.
#include "faulty_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>
#include <vector>

namespace tollgate::io::ledger_tests {

namespace {

/// Writes and truncations since the last sync of a file, in their order.
struct Pending {
  std::int64_t offset;
  std::string bytes;
  bool truncates;
};

struct File {
  sqlite3_file base;
  FaultyFiles* owner;
  std::string* path;
  std::vector<Pending>* pending;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

}  // namespace

/// SQLite's calls.
struct Calls {
  static int close(sqlite3_file* file) {
    File& mine = file_of(file);
    const int code = mine.real()->pMethods ? mine.real()->pMethods->xClose(mine.real()) : SQLITE_OK;
    delete mine.path;
    delete mine.pending;
    return code;
  }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    return file_of(file).real()->pMethods->xRead(file_of(file).real(), to, size, offset);
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    File& mine = file_of(file);
    if (const int code = mine.owner->count(true); code != SQLITE_OK) return code;
    mine.pending->push_back(
        {offset, std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)), false});
    return mine.real()->pMethods->xWrite(mine.real(), from, size, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    File& mine = file_of(file);
    if (const int code = mine.owner->count(false); code != SQLITE_OK) return code;
    mine.pending->push_back({size, {}, true});
    return mine.real()->pMethods->xTruncate(mine.real(), size);
  }
  /// A real one would cost time, and nothing here outlives the process anyway.
  static int sync(sqlite3_file* file, int) {
    File& mine = file_of(file);
    if (const int code = mine.owner->count(false); code != SQLITE_OK) return code;
    auto& durable = mine.owner->files_[*mine.path];
    for (const Pending& one : *mine.pending) {
      const auto offset = static_cast<std::size_t>(one.offset);
      if (one.truncates || durable.content.size() < offset + one.bytes.size())
        durable.content.resize(one.truncates ? offset : offset + one.bytes.size());
      std::copy(one.bytes.begin(), one.bytes.end(), durable.content.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    mine.pending->clear();
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    return file_of(file).real()->pMethods->xFileSize(file_of(file).real(), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return file_of(file).real()->pMethods->xLock(file_of(file).real(), level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return file_of(file).real()->pMethods->xUnlock(file_of(file).real(), level);
  }
  static int is_reserved(sqlite3_file* file, int* held) {
    return file_of(file).real()->pMethods->xCheckReservedLock(file_of(file).real(), held);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    return file_of(file).real()->pMethods->xFileControl(file_of(file).real(), what, argument);
  }
  static int sector(sqlite3_file* file) { return file_of(file).real()->pMethods->xSectorSize(file_of(file).real()); }
  static int traits(sqlite3_file*) { return 0; }  // a disk that promises nothing
  static int map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
    return file_of(file).real()->pMethods->xShmMap(file_of(file).real(), page, size, extend, to);
  }
  static int shared_lock(sqlite3_file* file, int offset, int count, int flags) {
    return file_of(file).real()->pMethods->xShmLock(file_of(file).real(), offset, count, flags);
  }
  static void barrier(sqlite3_file* file) { file_of(file).real()->pMethods->xShmBarrier(file_of(file).real()); }
  static int unmap(sqlite3_file* file, int remove) {
    return file_of(file).real()->pMethods->xShmUnmap(file_of(file).real(), remove);
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* given) {
    static const sqlite3_io_methods methods{2,           close,   read,        write,   truncate, sync,   size,
                                            lock,        unlock,  is_reserved, control, sector,   traits, map,
                                            shared_lock, barrier, unmap,       nullptr, nullptr};
    FaultyFiles& owner = *static_cast<FaultyFiles*>(vfs->pAppData);
    File& mine = *new (file) File{};
    const int code = owner.real_->xOpen(owner.real_, name, mine.real(), flags, given);
    if (code != SQLITE_OK) return code;
    owner.found(name ? name : "");
    mine.base.pMethods = &methods;
    mine.owner = &owner;
    mine.path = new std::string(name ? name : "");
    mine.pending = new std::vector<Pending>();
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    FaultyFiles& owner = *static_cast<FaultyFiles*>(vfs->pAppData);
    if (owner.fault_ == FaultyFiles::Fault::power_cut && owner.has_failed()) return SQLITE_IOERR_DELETE;
    owner.files_.erase(name);
    return owner.real_->xDelete(owner.real_, name, sync_folder);
  }
};

FaultyFiles::FaultyFiles() : real_(sqlite3_vfs_find(nullptr)) {
  vfs_ = std::make_unique<sqlite3_vfs>(*real_);
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_->pNext = nullptr;
  vfs_->zName = "faulty";
  vfs_->pAppData = this;
  vfs_->xOpen = Calls::open;
  vfs_->xDelete = Calls::remove;
  sqlite3_vfs_register(vfs_.get(), 1);
}

FaultyFiles::~FaultyFiles() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(real_, 1);
}

void FaultyFiles::expect(Fault fault, std::uint64_t nth) {
  fault_ = fault;
  nth_ = nth;
  calls_ = 0;
}

int FaultyFiles::count(bool is_write) {
  ++calls_;
  switch (fault_) {
    case Fault::none: return SQLITE_OK;
    case Fault::write: return calls_ == nth_ ? (is_write ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC) : SQLITE_OK;
    case Fault::full: return calls_ == nth_ && is_write ? SQLITE_FULL : SQLITE_OK;
    case Fault::power_cut: return calls_ >= nth_ ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }
  return SQLITE_OK;
}

/// A file that came by a rename was synced before that, or its test is about a mistake.
void FaultyFiles::found(const std::string& path) {
  if (!path.ends_with(".db") || files_.contains(path)) return;
  const auto unborn = files_.find(path + ".new");
  if (unborn == files_.end()) return;
  files_[path] = unborn->second;
  files_.erase(path + ".new");
}

void FaultyFiles::restore() {
  expect(Fault::none, 0);
  std::vector<std::string> folders;
  for (const auto& [path, durable] : files_) {
    folders.push_back(std::filesystem::path(path).parent_path().string());
    if (path.ends_with(".new") && std::filesystem::exists(path.substr(0, path.size() - 4))) continue;
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(durable.content.data(), static_cast<std::streamsize>(durable.content.size()));
  }
  // What was never synced is not there, and memory that processes share is none after a cut.
  for (const std::string& folder : folders)
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string path = entry.path().string();
      if (path.ends_with("-shm")) std::filesystem::remove(path);
      if ((path.ends_with("-wal") || path.ends_with("-journal")) && !files_.contains(path))
        std::filesystem::remove(path);
      if (path.ends_with(".db") && !files_.contains(path) && !files_.contains(path + ".new"))
        std::ofstream(path, std::ios::trunc).flush();
    }
}

}  // namespace tollgate::io::ledger_tests
