#pragma once
// What there is to tell people about a budget, in numbers; whoever passes it on finds the words.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/policy/budget_settings.hpp"
#include "tollgate/policy/limit_scope.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace tollgate::policy {

enum class BudgetNews : std::uint8_t {
  threshold,  ///< a share of the limit is spent
  forecast,   ///< the window will end above the limit
  refusing,   ///< the first request without room, with nothing to wait for, that is not dearer than the whole limit
  overshoot   ///< a call has cost more than was thought possible
};
inline constexpr std::size_t budget_news_count = 4;
/// For logs and alerts: "threshold".
std::string_view name_of(BudgetNews news);

struct BudgetEvent {
  BudgetNews what{};
  ScopeKind kind{};
  std::string owner;
  std::uint64_t budget = 0;                        ///< Budget::id()
  std::shared_ptr<const BudgetSettings> settings;  ///< as they were then
  WindowSpan window;
  SystemTime at{};
  Money limit;  ///< the amount and all grants
  Money spent, held;
  std::uint32_t threshold = 0;  ///< millionths; 0 unless this is what it is about
  Money forecast;               ///< at the end of the window; 0 unless this is what it is about
};

/// Called on the thread of the request, which waits meanwhile: put it into a queue and return. No lock of a budget is
/// held. Each kind of news comes once per window (each threshold once), and again only if the limit was changed so that
/// it had stopped being true.
class BudgetEvents {
 public:
  virtual ~BudgetEvents() = default;
  virtual void tell(const BudgetEvent& event) = 0;
};

/// Where budgets leave their news. Any thread.
class BudgetBell {
 public:
  /// Null: nobody listens. The one before is not called any more once this returns.
  void connect(BudgetEvents* listener);
  void ring(const BudgetEvent& event);

 private:
  std::mutex mutex_;
  BudgetEvents* listener_ = nullptr;
};

}  // namespace tollgate::policy
