#include "tollgate/policy/limit_book.hpp"

namespace tollgate::policy {

std::shared_ptr<LimitScope> LimitBook::scope(ScopeKind kind, std::string_view name, const Limits& limits,
                                             SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Names& names = scopes_[static_cast<std::size_t>(kind)];
  const auto found = names.lower_bound(name);
  if (found != names.end() && found->first == name) {
    found->second->configure(limits, now);
    return found->second;
  }
  auto made = std::make_shared<LimitScope>(kind, std::string(name), limits, now);
  return names.emplace_hint(found, name, std::move(made))->second;
}

std::size_t LimitBook::sweep(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  std::size_t gone = 0;
  for (Names& names : scopes_) {
    gone += std::erase_if(names, [now](const auto& entry) {
      // Held only here it stays so: whoever wants it has to come through the lock.
      return entry.second.use_count() == 1 && entry.second->at_rest(now);
    });
  }
  return gone;
}

std::size_t LimitBook::size() const {
  const std::lock_guard lock(mutex_);
  std::size_t all = 0;
  for (const Names& names : scopes_) all += names.size();
  return all;
}

}  // namespace tollgate::policy
