#pragma once
// From what budgets have to tell, in numbers, to alerts that people read.
#include "tollgate/io/alerts.hpp"
#include "tollgate/policy/budget_events.hpp"

namespace tollgate::app {

io::AlertEvent alert_of(const policy::BudgetEvent& event);

/// Any thread: what it is told goes into a queue.
class BudgetAlerts final : public policy::BudgetEvents {
 public:
  /// `alerts` outlives it.
  explicit BudgetAlerts(io::Alerts& alerts) : alerts_(alerts) {}
  void tell(const policy::BudgetEvent& event) override;

 private:
  io::Alerts& alerts_;
};

}  // namespace tollgate::app
