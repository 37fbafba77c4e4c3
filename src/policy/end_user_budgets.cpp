// Who has spent something is never put out of the table: a flood of made-up names would wipe the slate.
#include "tollgate/policy/end_user_budgets.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::policy {
namespace {

/// Held by nobody else and as good as new.
bool is_at_rest(const std::shared_ptr<const BudgetList>& list, SystemTime now) {
  if (list.use_count() > 1) return false;
  return std::all_of(list->budgets().begin(), list->budgets().end(),
                     [now](const auto& budget) { return budget.use_count() == 1 && budget->at_rest(now); });
}

}  // namespace

std::shared_ptr<const BudgetList> EndUserBudgets::list(std::string_view tenant, std::uint64_t end_user,
                                                       const Settings& settings, SystemTime now) {
  if (!settings || settings->empty()) return nullptr;
  std::shared_ptr<const BudgetList> list;
  const auto use = [&](Entry& entry) {
    if (entry.settings != settings) configure(entry, end_user_label(tenant, end_user), settings, now);
    list = entry.list;
  };
  const auto at_rest = [now](const Entry& entry) { return is_at_rest(entry.list, now); };
  return entries_.with(tenant, end_user, use, at_rest) ? list : overflow(tenant, settings, now);
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
