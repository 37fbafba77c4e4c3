#pragma once
#include "tollgate/config/snapshot.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tollgate::config {

/// Publishes one snapshot at a time. Any thread may call any function; a snapshot lives as long as somebody holds it.
class Store {
 public:
  /// Makes a copy of `snapshot` with the next generation (the first is 1) the current one, and returns it. Not null.
  std::shared_ptr<const Snapshot> publish(const std::shared_ptr<const Snapshot>& snapshot);
  /// The last published snapshot; null before the first.
  std::shared_ptr<const Snapshot> current() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
};

/// Names of the keys that differ and take effect only with a restart, in the order of the file ("server.listen").
std::vector<std::string> restart_only_changes(const Snapshot& before, const Snapshot& after);

}  // namespace tollgate::config
