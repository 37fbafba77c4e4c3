// All budgets of a call are locked at once, looked at, and only then changed. Kinds have one order, and budgets of one
// owner that of their names, so that two calls never wait for each other.
#include "tollgate/policy/budget_hold.hpp"

#include "policy/budget_work.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace tollgate::policy {

namespace {

constexpr std::size_t place_of(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::group: return 0;
    case ScopeKind::tenant: return 1;
    case ScopeKind::key: return 2;
    case ScopeKind::route: return 3;
    case ScopeKind::model: return 4;
    case ScopeKind::end_user: return 5;
  }
  return 0;  // GCOVR_EXCL_LINE: every kind has returned
}

template <class Do>
void for_each(const BudgetChain& chain, Do do_with) {
  for (const auto& list : chain.lists()) {
    for (const auto& budget : list->budgets()) do_with(*budget);
  }
}

/// Budgets with what they count now, locked one after the other and let go together.
class LockedCounts {
 public:
  LockedCounts() = default;
  ~LockedCounts() {
    for (std::size_t i = 0; i < size_; ++i) BudgetWork::lock(*lines_[i].budget).unlock();
  }
  LockedCounts(const LockedCounts&) = delete;
  LockedCounts& operator=(const LockedCounts&) = delete;

  BudgetWork::Count& add(Budget& budget, SystemTime now) {
    BudgetWork::lock(budget).lock();
    lines_[size_].budget = &budget;
    Line& line = lines_[size_++];
    line.count = &BudgetWork::count_at(budget, now);
    return *line.count;
  }
  void go_beyond() { beyond_ |= std::uint32_t{1} << (size_ - 1); }  ///< the last one added

  void take(Money worst, std::array<BudgetShare, most_shares>& shares) {
    for (std::size_t i = 0; i < size_; ++i) {
      BudgetWork::Count& count = *lines_[i].count;
      count.held += worst.nanos;
      count.beyond += beyond_ >> i & 1;
      shares[i] = {lines_[i].budget->id(), count.key};
    }
  }
  std::size_t size() const { return size_; }

 private:
  struct Line {
    Budget* budget;
    BudgetWork::Count* count;
  };
  static_assert(most_shares <= 32, "a bit for each");
  std::array<Line, most_shares> lines_;  // the first size_ of them
  std::size_t size_ = 0;
  std::uint32_t beyond_ = 0;
};

/// The budget that a denial names.
class Lack {
 public:
  void note(const Budget& budget, const BudgetWork::Count& count, bool is_spent, bool downgraded) {
    const BudgetSettings& settings = BudgetWork::settings(budget);
    const bool has_other = !downgraded && settings.when_spent == WhenSpent::downgrade;
    const auto rank = std::tuple(is_spent, !has_other, count.window.end);
    if (budget_ != nullptr && rank <= rank_) return;
    budget_ = &budget;
    count_ = &count;
    rank_ = rank;
  }
  bool any() const { return budget_ != nullptr; }
  BudgetDenial denial(Money worst, bool downgraded) const {
    const auto& [is_spent, is_final, end] = rank_;
    return {.kind = budget_->kind(),
            .owner = budget_->owner(),
            .budget = budget_->name(),
            .is_spent = is_spent,
            .limit = to_money(BudgetWork::limit(*budget_, downgraded)),
            .spent = to_money(count_->spent),
            .held = to_money(count_->held),
            .worst = worst,
            .window = count_->window,
            .downgrade_to = is_final ? std::string() : BudgetWork::settings(*budget_).downgrade_to};
  }

 private:
  const Budget* budget_ = nullptr;
  const BudgetWork::Count* count_ = nullptr;
  std::tuple<bool, bool, SystemTime> rank_;
};

}  // namespace

BudgetList::BudgetList(std::vector<std::shared_ptr<Budget>> budgets) : budgets_(std::move(budgets)) {
  if (budgets_.empty() || budgets_.size() > most_budgets_of_one) throw std::logic_error("no list of budgets");
  for (const auto& budget : budgets_) {
    if (!budget || budget->kind() != budgets_.front()->kind() || budget->owner() != budgets_.front()->owner())
      throw std::logic_error("budgets of different owners in one list");
  }
  std::sort(budgets_.begin(), budgets_.end(),
            [](const auto& one, const auto& other) { return one->name() < other->name(); });
  // Locked twice by one thread otherwise.
  if (std::adjacent_find(budgets_.begin(), budgets_.end(), [](const auto& one, const auto& other) {
        return one->name() == other->name();
      }) != budgets_.end())
    throw std::logic_error("two budgets of one name");
}

BudgetChain::BudgetChain(const BudgetChain& other) : size_(other.size_) {
  for (std::size_t i = 0; i < size_; ++i) lists_[i] = other.lists_[i];
}

BudgetChain& BudgetChain::operator=(const BudgetChain& other) {
  const std::size_t all = std::max(size_, other.size_);
  for (std::size_t i = 0; i < all; ++i) lists_[i] = other.lists_[i];
  size_ = other.size_;
  return *this;
}

BudgetChain::BudgetChain(BudgetChain&& other) noexcept : size_(std::exchange(other.size_, 0)) {
  for (std::size_t i = 0; i < size_; ++i) lists_[i] = std::move(other.lists_[i]);
}

BudgetChain& BudgetChain::operator=(BudgetChain&& other) noexcept {
  const std::size_t before = std::exchange(size_, std::exchange(other.size_, 0));
  for (std::size_t i = 0; i < std::max(before, size_); ++i) lists_[i] = std::move(other.lists_[i]);
  return *this;
}

void BudgetChain::put(std::shared_ptr<const BudgetList> list) {
  if (!list) return;
  const std::size_t place = place_of(list->kind());
  std::size_t at = 0;
  while (at < size_ && place_of(lists_[at]->kind()) < place) ++at;
  const bool replaces = at < size_ && lists_[at]->kind() == list->kind();
  if (!replaces) {
    for (std::size_t i = size_++; i > at; --i) lists_[i] = std::move(lists_[i - 1]);
  }
  lists_[at] = std::move(list);
}

void BudgetChain::remove(ScopeKind kind) {
  std::size_t at = 0;
  while (at < size_ && lists_[at]->kind() != kind) ++at;
  if (at == size_) return;
  for (--size_; at < size_; ++at) lists_[at] = std::move(lists_[at + 1]);
  lists_[size_].reset();
}

void BudgetChain::clear() {
  while (size_ > 0) lists_[--size_].reset();
}

std::optional<BudgetDenial> BudgetHold::take(const BudgetChain& chain, Money worst, SystemTime now, bool downgraded) {
  std::optional<BudgetDenial> denial;
  drop();
  size_ = 0;
  worst_ = {std::max<std::int64_t>(worst.nanos, 0)};
  News news;
  BudgetWork::reserve(*this, chain, now, downgraded, denial, news);
  BudgetWork::ring(news);
  return denial;
}

void BudgetWork::reserve(BudgetHold& hold, const BudgetChain& chain, SystemTime now, bool downgraded,
                         std::optional<BudgetDenial>& denial, News& news) {
  LockedCounts locked;
  Lack lack;
  for_each(chain, [&](Budget& budget) {
    Count& count = locked.add(budget, now);
    const Room found = room(budget, count, hold.worst_.nanos, downgraded);
    if (found == Room::enough) return;
    if (found == Room::beyond) return locked.go_beyond();
    if (found == Room::spent) note_refusal(budget, count, hold.worst_.nanos, now, news);
    lack.note(budget, count, found == Room::spent, downgraded);
  });
  if (lack.any()) {
    denial.emplace(lack.denial(hold.worst_, downgraded));
    return;
  }
  locked.take(hold.worst_, hold.shares_);
  hold.chain_ = chain;
  hold.size_ = locked.size();
  hold.reserved_at_ = now;
  hold.open_ = true;
}

void BudgetWork::end(BudgetHold& hold, std::optional<Money> actual, SystemTime now) {
  hold.open_ = false;
  const std::int64_t cost = actual ? std::max<std::int64_t>(actual->nanos, 0) : 0;
  News news;
  std::size_t i = 0;
  // One after the other: money that comes back can come back to one budget before the next.
  for_each(hold.chain_, [&](Budget& budget) {
    const std::lock_guard locked(lock(budget));
    if (Count* count = count_of(budget, hold.shares_[i++].window)) {
      count->held -= hold.worst_.nanos;
      if (actual) post(budget, *count, cost, hold.worst_.nanos, now, news);
    }
  });
  hold.chain_.clear();
  ring(news);
}

std::optional<Money> remaining(const BudgetChain& chain, SystemTime now) {
  std::optional<Money> least;
  for_each(chain, [&](Budget& budget) {
    const std::lock_guard locked(BudgetWork::lock(budget));
    const WhenSpent when_spent = BudgetWork::settings(budget).when_spent;
    if (when_spent == WhenSpent::alert || when_spent == WhenSpent::shadow) return;
    const Money left = BudgetWork::left(budget, now);
    if (!least || left < *least) least = left;
  });
  return least;
}

BudgetHold::BudgetHold(BudgetHold&& other) noexcept
    : chain_(std::move(other.chain_)),
      size_(std::exchange(other.size_, 0)),
      worst_(other.worst_),
      reserved_at_(other.reserved_at_),
      open_(std::exchange(other.open_, false)) {
  std::copy_n(other.shares_.begin(), size_, shares_.begin());
}

BudgetHold& BudgetHold::operator=(BudgetHold&& other) noexcept {
  if (this == &other) return *this;
  drop();
  chain_ = std::move(other.chain_);
  size_ = std::exchange(other.size_, 0);
  std::copy_n(other.shares_.begin(), size_, shares_.begin());
  worst_ = other.worst_;
  reserved_at_ = other.reserved_at_;
  open_ = std::exchange(other.open_, false);
  return *this;
}

void BudgetHold::end(std::optional<Money> actual, SystemTime now) { BudgetWork::end(*this, actual, now); }

}  // namespace tollgate::policy
