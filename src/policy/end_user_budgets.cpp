// A table in parts, each under a lock of its own, so that end users do not wait for each other. Who has spent something
// is never put out of it: a flood of made-up names would wipe the slate.
#include "tollgate/policy/end_user_budgets.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::policy {
namespace {

constexpr std::size_t most_shards = 16;
constexpr std::size_t looked_at = 8;  ///< places at most, before one is given up as having no room

std::string owner_of(std::string_view tenant, std::uint64_t end_user) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string owner(tenant);
  owner += '/';
  for (int shift = 60; shift >= 0; shift -= 4) owner += digits[end_user >> shift & 0xF];
  return owner;
}

/// Held by nobody else and as good as new.
bool is_at_rest(const std::shared_ptr<const BudgetList>& list, SystemTime now) {
  if (list.use_count() > 1) return false;
  return std::all_of(list->budgets().begin(), list->budgets().end(),
                     [now](const auto& budget) { return budget.use_count() == 1 && budget->at_rest(now); });
}

}  // namespace

std::size_t EndUserBudgets::Hash::operator()(const Sought& sought) const {
  constexpr std::size_t odd = 0x9E3779B97F4A7C15;  // spreads the bits (Knuth's multiplicative hashing)
  return (std::hash<std::string_view>{}(sought.tenant) ^ sought.end_user) * odd;
}

EndUserBudgets::EndUserBudgets(std::size_t capacity, BudgetBook& book)
    : book_(book), shards_(std::clamp<std::size_t>(capacity, 1, most_shards)) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i].capacity = capacity / shards_.size() + (i < capacity % shards_.size() ? 1 : 0);
  }
}

std::shared_ptr<const BudgetList> EndUserBudgets::list(std::string_view tenant, std::uint64_t end_user,
                                                       const Settings& settings, SystemTime now) {
  if (!settings || settings->empty()) return nullptr;
  const Sought sought{tenant, end_user};
  // The upper half: the table in the shard goes by the lower bits.
  Shard& shard = shards_[(Hash{}(sought) >> 32) % shards_.size()];
  if (auto list = find(shard, sought, settings, now)) return list;
  return overflow(tenant, settings, now);
}

std::size_t EndUserBudgets::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.entries.size();
  }
  return all;
}

std::shared_ptr<const BudgetList> EndUserBudgets::find(Shard& shard, const Sought& sought, const Settings& settings,
                                                       SystemTime now) {
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.entries.find(sought); found != shard.entries.end()) {
    if (found->second.settings != settings)
      configure(found->second, owner_of(sought.tenant, sought.end_user), settings, now);
    return found->second.list;
  }
  const bool is_full = shard.entries.size() >= shard.capacity;
  const auto forgotten = is_full ? find_at_rest(shard, now) : shard.entries.end();
  if (is_full && forgotten == shard.entries.end()) return nullptr;
  Entry made;
  configure(made, owner_of(sought.tenant, sought.end_user), settings, now);
  auto list = made.list;
  Name name{std::string(sought.tenant), sought.end_user};
  if (is_full) {
    auto node = shard.entries.extract(forgotten);  // whose place in the ring stays
    node.key() = std::move(name);
    node.mapped() = std::move(made);
    shard.entries.insert(std::move(node));
  } else {
    if (shard.ring.empty()) shard.ring.reserve(shard.capacity);
    shard.ring.push_back(&*shard.entries.emplace(std::move(name), std::move(made)).first);
  }
  return list;
}

EndUserBudgets::Entries::iterator EndUserBudgets::find_at_rest(Shard& shard, SystemTime now) const {
  for (std::size_t looks = std::min(looked_at, shard.ring.size()); looks > 0; --looks) {
    const auto& [name, entry] = *shard.ring[shard.hand];
    shard.hand = (shard.hand + 1) % shard.ring.size();
    if (is_at_rest(entry.list, now)) return shard.entries.find(Sought{name.tenant, name.end_user});
  }
  return shard.entries.end();
}

void EndUserBudgets::configure(Entry& entry, const std::string& owner, const Settings& settings, SystemTime now) {
  std::vector<std::shared_ptr<Budget>> budgets;
  for (const BudgetSettings& each : *settings) {
    std::shared_ptr<Budget> budget;
    if (entry.list) {
      const auto known = entry.list->budgets();
      const auto found =
          std::find_if(known.begin(), known.end(), [&each](const auto& old) { return old->continues(each); });
      if (found != known.end()) budget = *found;
    }
    if (budget)
      budget->configure(each, now);
    else
      budget = book_.make(ScopeKind::end_user, owner, each, now);
    budgets.push_back(std::move(budget));
  }
  entry = {std::make_shared<const BudgetList>(std::move(budgets)), settings};
}

std::shared_ptr<const BudgetList> EndUserBudgets::overflow(std::string_view tenant, const Settings& settings,
                                                           SystemTime now) {
  const std::lock_guard lock(overflow_mutex_);
  auto found = overflows_.find(tenant);
  if (found == overflows_.end()) found = overflows_.emplace(std::string(tenant), Entry{}).first;
  if (found->second.settings != settings) configure(found->second, std::string(tenant) + "/*", settings, now);
  return found->second.list;
}

}  // namespace tollgate::policy
