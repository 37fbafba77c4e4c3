#include "tollgate/policy/end_users.hpp"

#include <utility>

namespace tollgate::policy {

std::string end_user_label(std::string_view tenant, std::uint64_t end_user) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string label(tenant);
  label += '/';
  for (int shift = 60; shift >= 0; shift -= 4) label += digits[end_user >> shift & 0xF];
  return label;
}

std::shared_ptr<LimitScope> EndUserScopes::scope(std::string_view tenant, std::uint64_t end_user, const Limits& limits,
                                                 SteadyTime now) {
  std::shared_ptr<LimitScope> scope;
  const auto use = [&](std::shared_ptr<LimitScope>& known) {
    if (known)
      known->configure(limits, now);
    else
      known = std::make_shared<LimitScope>(ScopeKind::end_user, end_user_label(tenant, end_user), limits, now);
    scope = known;
  };
  // Held only here it stays so: whoever wants it has to come through the lock.
  const auto is_at_rest = [now](const auto& known) { return known.use_count() == 1 && known->at_rest(now); };
  return scopes_.with(tenant, end_user, use, is_at_rest) ? scope : overflow(tenant, limits, now);
}

std::shared_ptr<LimitScope> EndUserScopes::overflow(std::string_view tenant, const Limits& limits, SteadyTime now) {
  const std::lock_guard lock(overflow_mutex_);
  const auto found = overflows_.lower_bound(tenant);
  if (found != overflows_.end() && found->first == tenant) {
    found->second->configure(limits, now);
    return found->second;
  }
  auto made = std::make_shared<LimitScope>(ScopeKind::end_user, std::string(tenant) + "/*", limits, now);
  return overflows_.emplace_hint(found, tenant, std::move(made))->second;
}

}  // namespace tollgate::policy
