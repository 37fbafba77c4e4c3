#include "tollgate/config/store.hpp"

#include <array>

namespace tollgate::config {

std::shared_ptr<const Snapshot> Store::publish(const std::shared_ptr<const Snapshot>& snapshot) {
  auto next = std::make_shared<Snapshot>(*snapshot);
  const std::lock_guard lock(mutex_);
  next->generation = current_ ? current_->generation + 1 : 1;
  current_ = std::move(next);
  return current_;
}

std::shared_ptr<const Snapshot> Store::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::vector<std::string> restart_only_changes(const Snapshot& before, const Snapshot& after) {
  struct RestartKey {
    const char* name;
    bool (*same)(const Snapshot& left, const Snapshot& right);
  };
  using S = const Snapshot&;
  // What is built once, before the first request: listeners, threads, the access log's outlet.
  static constexpr std::array keys{
      RestartKey{"server.listen", [](S left, S right) { return left.server.listen == right.server.listen; }},
      RestartKey{"server.threads", [](S left, S right) { return left.server.threads == right.server.threads; }},
      RestartKey{"server.spin", [](S left, S right) { return left.server.spin == right.server.spin; }},
      RestartKey{"admin.listen", [](S left, S right) { return left.admin.listen == right.admin.listen; }},
      RestartKey{"metrics.listen", [](S left, S right) { return left.metrics.listen == right.metrics.listen; }},
      RestartKey{"storage.path", [](S left, S right) { return left.storage.path == right.storage.path; }},
      RestartKey{"storage.retention",
                 [](S left, S right) { return left.storage.retention == right.storage.retention; }},
      RestartKey{"storage.path", [](S left, S right) { return left.storage == right.storage; }},
      RestartKey{"ledger.journal", [](S left, S right) { return left.ledger.journal == right.ledger.journal; }},
      RestartKey{"ledger.sync", [](S left, S right) { return left.ledger.sync == right.ledger.sync; }},
      RestartKey{"ledger.max_size", [](S left, S right) { return left.ledger.max_size == right.ledger.max_size; }},
      RestartKey{"log.access", [](S left, S right) { return left.log.access == right.log.access; }},
  };
  std::vector<std::string> changed;
  for (const RestartKey& key : keys) {
    if (!key.same(before, after)) changed.emplace_back(key.name);
  }
  return changed;
}

}  // namespace tollgate::config
