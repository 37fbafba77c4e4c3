#include "tollgate/policy/end_users.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::policy {
namespace {

constexpr std::size_t most_shards = 16;
constexpr std::size_t looked_at = 8;  ///< places at most, before one is given up as having no room

std::string name_of_end_user(std::string_view tenant, std::uint64_t end_user) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name(tenant);
  name += '/';
  for (int shift = 60; shift >= 0; shift -= 4) name += digits[end_user >> shift & 0xF];
  return name;
}

}  // namespace

std::size_t EndUserScopes::Hash::operator()(const Sought& sought) const {
  constexpr std::size_t odd = 0x9E3779B97F4A7C15;  // spreads the bits (Knuth's multiplicative hashing)
  return (std::hash<std::string_view>{}(sought.tenant) ^ sought.end_user) * odd;
}

EndUserScopes::EndUserScopes(std::size_t capacity) : shards_(std::clamp<std::size_t>(capacity, 1, most_shards)) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i].capacity = capacity / shards_.size() + (i < capacity % shards_.size() ? 1 : 0);
  }
}

std::shared_ptr<LimitScope> EndUserScopes::scope(std::string_view tenant, std::uint64_t end_user, const Limits& limits,
                                                 SteadyTime now) {
  const Sought sought{tenant, end_user};
  // The upper half: the table in the shard goes by the lower bits.
  Shard& shard = shards_[(Hash{}(sought) >> 32) % shards_.size()];
  if (auto scope = shard.find(sought, limits, now)) return scope;
  return overflow(tenant, limits, now);
}

std::size_t EndUserScopes::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.scopes.size();
  }
  return all;
}

std::shared_ptr<LimitScope> EndUserScopes::Shard::find(const Sought& sought, const Limits& limits, SteadyTime now) {
  const std::lock_guard lock(mutex);
  if (const auto found = scopes.find(sought); found != scopes.end()) {
    found->second->configure(limits, now);
    return found->second;
  }
  const bool is_full = scopes.size() >= capacity;
  const auto forgotten = is_full ? find_at_rest(now) : scopes.end();
  if (is_full && forgotten == scopes.end()) return nullptr;
  Name name{std::string(sought.tenant), sought.end_user};
  auto made =
      std::make_shared<LimitScope>(ScopeKind::end_user, name_of_end_user(sought.tenant, sought.end_user), limits, now);
  if (is_full) {
    auto node = scopes.extract(forgotten);  // whose place in the ring stays
    node.key() = std::move(name);
    node.mapped() = made;
    scopes.insert(std::move(node));
  } else {
    if (ring.empty()) ring.reserve(capacity);
    ring.push_back(&*scopes.emplace(std::move(name), made).first);
  }
  return made;
}

EndUserScopes::Scopes::iterator EndUserScopes::Shard::find_at_rest(SteadyTime now) {
  for (std::size_t looks = std::min(looked_at, ring.size()); looks > 0; --looks) {
    const auto& [name, scope] = *ring[hand];
    hand = (hand + 1) % ring.size();
    // Held only here it stays so: whoever wants it has to come through the lock.
    if (scope.use_count() == 1 && scope->at_rest(now)) return scopes.find(Sought(name));
  }
  return scopes.end();
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
