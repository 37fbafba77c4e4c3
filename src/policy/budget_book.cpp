#include "tollgate/policy/budget_book.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::policy {

std::shared_ptr<const BudgetList> BudgetBook::list(ScopeKind kind, std::string_view owner,
                                                   std::span<const BudgetSettings> settings, SystemTime now) {
  if (settings.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Budget>> budgets;
  for (const BudgetSettings& each : settings) {
    std::shared_ptr<Budget>& known = budgets_[budget_id(kind, owner, each.name)];
    if (known && known->continues(each))
      known->configure(each, now);
    else
      known = make_locked(kind, owner, each, now);
    budgets.push_back(known);
  }
  return std::make_shared<const BudgetList>(std::move(budgets));
}

std::shared_ptr<Budget> BudgetBook::find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = budgets_.find(id);
  return found == budgets_.end() ? nullptr : found->second;
}

void BudgetBook::prime(std::uint64_t id, std::int64_t window, Money spent, SystemTime now) {
  const std::lock_guard lock(mutex_);
  if (const auto found = budgets_.find(id); found != budgets_.end())
    found->second->prime(window, spent, now);
  else
    opening_[id][window] += spent;
}

void BudgetBook::grant(std::uint64_t id, Grant grant, SystemTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<Grant>& grants = grants_[id];
  std::erase_if(grants, [now](const Grant& each) { return each.until <= now; });
  if (grant.until > now) grants.push_back(std::move(grant));
  if (const auto found = budgets_.find(id); found != budgets_.end()) found->second->set_grants(grants, now);
  if (grants.empty()) grants_.erase(id);
}

std::vector<Grant> BudgetBook::grants(std::uint64_t id, SystemTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = grants_.find(id);
  if (found == grants_.end()) return {};
  std::vector<Grant> grants = found->second;
  std::erase_if(grants, [now](const Grant& each) { return each.until <= now; });
  return grants;
}

std::size_t BudgetBook::sweep(SystemTime now) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(budgets_, [now](const auto& entry) {
    // Held only here it stays so: whoever wants it has to come through the lock.
    return entry.second.use_count() == 1 && entry.second->at_rest(now);
  });
}

std::size_t BudgetBook::size() const {
  const std::lock_guard lock(mutex_);
  return budgets_.size();
}

std::shared_ptr<Budget> BudgetBook::make(ScopeKind kind, std::string_view owner, const BudgetSettings& settings,
                                         SystemTime now) {
  const std::lock_guard lock(mutex_);
  return make_locked(kind, owner, settings, now);
}

std::shared_ptr<Budget> BudgetBook::make_locked(ScopeKind kind, std::string_view owner, const BudgetSettings& settings,
                                                SystemTime now) {
  auto budget = std::make_shared<Budget>(kind, std::string(owner), settings, bell_);
  if (const auto grants = grants_.find(budget->id()); grants != grants_.end()) budget->set_grants(grants->second, now);
  const auto opening = opening_.find(budget->id());
  if (opening == opening_.end()) return budget;
  const std::int64_t window = window_at(settings.window, *settings.zone, now).key();
  if (const auto balance = opening->second.find(window); balance != opening->second.end()) {
    budget->prime(window, balance->second, now);
    opening->second.erase(balance);
  }
  return budget;
}

}  // namespace tollgate::policy
