#pragma once
// What one call takes of all its budgets: held at the dearest it may come to before it is sent, settled by what it has
// cost. So no number of calls at one time spends more than there is. reliability.md, section 6.7.
#include "tollgate/base/block_pool.hpp"
#include "tollgate/policy/budget.hpp"
#include "tollgate/policy/budget_share.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tollgate::policy {

/// The budgets of one owner, in the order of their names, in which they are locked. Immutable; any thread.
class BudgetList {
 public:
  /// At least one and at most most_budgets_of_one, all of one kind and owner; else throws std::logic_error.
  explicit BudgetList(std::vector<std::shared_ptr<Budget>> budgets);
  ScopeKind kind() const { return budgets_.front()->kind(); }
  std::span<const std::shared_ptr<Budget>> budgets() const { return budgets_; }

 private:
  std::vector<std::shared_ptr<Budget>> budgets_;
};

/// The budgets that one call meets: of each kind one owner's at most. Holds them, so that they outlive a reload which
/// retires them. In the order group, tenant, key, route, model, end user, however it is filled.
class BudgetChain {
 public:
  BudgetChain() = default;
  BudgetChain(const BudgetChain& other);
  BudgetChain& operator=(const BudgetChain& other);
  BudgetChain(BudgetChain&& other) noexcept;  ///< leaves `other` empty
  BudgetChain& operator=(BudgetChain&& other) noexcept;
  ~BudgetChain() = default;

  /// Instead of those of the same kind. Null is none, and changes nothing.
  void put(std::shared_ptr<const BudgetList> list);
  /// Without those of this kind: for the next model.
  void remove(ScopeKind kind);
  void clear();
  bool empty() const { return size_ == 0; }
  std::span<const std::shared_ptr<const BudgetList>> lists() const { return {lists_.data(), size_}; }

 private:
  std::array<std::shared_ptr<const BudgetList>, scope_kind_count> lists_;
  std::size_t size_ = 0;
};
inline constexpr std::size_t most_shares = scope_kind_count * most_budgets_of_one;

/// Why not: of all budgets without room the one that leaves least to hope for. First those that are spent, then those
/// without a cheaper model, then those whose window ends last.
struct BudgetDenial {
  ScopeKind kind{};
  std::string owner, budget;  ///< names
  /// It would not fit with nothing held either: waiting for calls in flight is no use.
  bool is_spent = false;
  Money limit;               ///< that the call was held to
  Money spent, held;         ///< held: by other calls in flight
  Money worst;               ///< what this one may come to
  WindowSpan window;         ///< after its end there is room again, unless the call is dearer than the whole limit
  std::string downgrade_to;  ///< a model to ask instead; empty: none
};

/// What an admitted call holds. The first of settle() and release() ends it, later ones do nothing. One that is
/// destroyed without either is settled by what it holds, since what it has cost is not known, which is not zero. One
/// thread at a time.
class BudgetHold : public Pooled {
 public:
  BudgetHold() = default;  ///< of nothing
  BudgetHold(BudgetHold&& other) noexcept;
  BudgetHold& operator=(BudgetHold&& other) noexcept;
  ~BudgetHold() { drop(); }

  /// What it has cost, in full also where that is more than was held, which counts as overshoot. Below 0 counts as 0.
  void settle(Money actual, SystemTime now) {
    if (open_) end(actual, now);
  }
  /// It was not sent, so it has cost nothing.
  void release() {
    if (open_) end(std::nullopt, reserved_at_);
  }

  bool is_open() const { return open_; }
  Money worst() const { return worst_; }
  /// The windows that it counts against, also after its end: for the book. Until it is moved from or used again.
  std::span<const BudgetShare> shares() const { return {shares_.data(), size_}; }

 private:
  friend class BudgetWork;
  friend std::optional<BudgetDenial> reserve(BudgetHold& hold, const BudgetChain& chain, Money worst, SystemTime now,
                                             bool downgraded);
  void drop() {
    if (open_) end(worst_, reserved_at_);
  }
  void end(std::optional<Money> actual, SystemTime now);
  std::optional<BudgetDenial> take(const BudgetChain& chain, Money worst, SystemTime now, bool downgraded);

  BudgetChain chain_;                            ///< empty once it is ended
  std::array<BudgetShare, most_shares> shares_;  ///< the first size_ of them
  std::size_t size_ = 0;
  Money worst_;
  SystemTime reserved_at_{};
  bool open_ = false;
};

/// Holds `worst` in all budgets of the chain iff each has room for it: spent + held + worst is at most its amount with
/// the grants of now, or at most its `stop_at` (and the grants) where a cheaper model was `downgraded` to. Else nothing
/// changes. What can cost nothing always has room. What `hold` held before is let go as by its destruction. Takes no
/// lock for an empty chain and allocates nothing unless it denies or there is news. Below 0 `worst` counts as 0. Any
/// thread.
inline std::optional<BudgetDenial> reserve(BudgetHold& hold, const BudgetChain& chain, Money worst, SystemTime now,
                                           bool downgraded) {
  if (!chain.empty()) return hold.take(chain, worst, now, downgraded);
  hold.drop();
  hold.size_ = 0;
  return std::nullopt;
}

/// What is left now in the budget with the least left, of those that may refuse; at least 0. Nothing: none may.
std::optional<Money> remaining(const BudgetChain& chain, SystemTime now);

}  // namespace tollgate::policy
