#include "tollgate/io/file_watch.hpp"

#include "tollgate/io/files.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace tollgate::io {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

}  // namespace

FileWatch::FileWatch(std::vector<std::string> files, std::vector<std::string> patterns)
    : files_(std::move(files)), patterns_(std::move(patterns)), known_(look()), seen_(known_) {}

void FileWatch::watch(std::vector<std::string> files, std::vector<std::string> patterns) {
  files_ = std::move(files);
  patterns_ = std::move(patterns);
  View now = look();
  for (auto& [path, print] : now) {
    if (const auto before = known_.find(path); before != known_.end()) print = before->second;
  }
  known_ = std::move(now);
  seen_ = known_;
}

bool FileWatch::changed() {
  View now = look();
  const bool stable = now == seen_;
  seen_ = std::move(now);
  if (!stable || seen_ == known_) return false;
  known_ = seen_;
  return true;
}

FileWatch::Fingerprint FileWatch::fingerprint(const std::string& path) {
  Fingerprint print;
  struct stat status {};
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real || ::stat(real.get(), &status) != 0) return print;
  print.real_path = real.get();
  print.device = status.st_dev;
  print.inode = status.st_ino;
  print.size = static_cast<std::uint64_t>(status.st_size);
  print.modified_ns = nanoseconds(status.st_mtim);
  print.status_changed_ns = nanoseconds(status.st_ctim);
  return print;
}

FileWatch::View FileWatch::look() const {
  View view;
  for (const auto& path : files_) view.emplace(path, fingerprint(path));
  for (const auto& pattern : patterns_) {
    for (const auto& path : glob_files(pattern)) view.emplace(path, fingerprint(path));
  }
  return view;
}

}  // namespace tollgate::io
