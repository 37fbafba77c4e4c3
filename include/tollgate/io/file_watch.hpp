#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tollgate::io {

/// Notices when configuration files change, by looking: that works on every file system and for every way of changing a
/// file (writing in place, renaming over, turning a symbolic link, a new match of a pattern, removal). One thread; each
/// call makes a few system calls per file, so it belongs on no event loop.
class FileWatch {
 public:
  /// Takes the files as they are now for known. Make it before reading them, or a change in between goes unseen.
  explicit FileWatch(std::vector<std::string> files, std::vector<std::string> patterns = {});

  /// Watches these from now on. What was watched before keeps its known state, so nothing that changed meanwhile is
  /// missed.
  void watch(std::vector<std::string> files, std::vector<std::string> patterns);
  /// Whether something changed since the last true answer (or the start). A change counts once two calls in a row saw
  /// the same, so that a file is not read while it is being written.
  bool changed();

 private:
  /// What tells one state of a file from another; all zero for a file that is not there.
  struct Fingerprint {
    std::string real_path;
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, status_changed_ns = 0;
    bool operator==(const Fingerprint&) const = default;
  };
  using View = std::map<std::string, Fingerprint>;

  static Fingerprint fingerprint(const std::string& path);
  View look() const;

  std::vector<std::string> files_, patterns_;
  View known_, seen_;
};

}  // namespace tollgate::io
