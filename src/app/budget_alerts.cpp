#include "budget_alerts.hpp"

namespace tollgate::app {

namespace {

using policy::BudgetNews;

std::string dollars(Money amount) { return std::string(MoneyText(amount).text()) + " USD"; }

/// 800'000 millionths are "80%".
std::string percent(std::uint32_t millionths) {
  constexpr std::int64_t nanos_per_millionth = 100'000;  // of a percentage written as an amount
  return std::string(MoneyText(Money{millionths * nanos_per_millionth}).text()) + "%";
}

io::AlertKind kind_of(BudgetNews news) {
  switch (news) {
    case BudgetNews::threshold: return io::AlertKind::budget_threshold;
    case BudgetNews::forecast: return io::AlertKind::budget_forecast;
    case BudgetNews::refusing: return io::AlertKind::budget_spent;
    case BudgetNews::overshoot: break;
  }
  return io::AlertKind::budget_overshoot;
}

std::string message_of(const policy::BudgetEvent& event) {
  const std::string which =
      "budget '" + event.settings->name + "' of " + std::string(policy::name_of(event.kind)) + " '" + event.owner + "'";
  const std::string so_far = dollars(event.spent) + " of " + dollars(event.limit) + " are spent";
  switch (event.what) {
    case BudgetNews::threshold: return which + ": " + percent(event.threshold) + " reached, " + so_far;
    case BudgetNews::forecast:
      return which + ": " + so_far + ", and at this rate it will be " + dollars(event.forecast) +
             " at the end of its window";
    case BudgetNews::refusing: return which + ": the first request was turned away, " + so_far;
    case BudgetNews::overshoot: break;
  }
  return which + ": a call has cost more than was held for it, " + so_far;
}

}  // namespace

io::AlertEvent alert_of(const policy::BudgetEvent& event) {
  io::AlertEvent alert;
  alert.kind = kind_of(event.what);
  alert.id = std::to_string(event.budget) + "-" + std::to_string(event.window.key()) + "-" +
             std::string(policy::name_of(event.what));
  if (event.what == BudgetNews::threshold) {
    alert.id += "-" + std::to_string(event.threshold);
    alert.threshold = percent(event.threshold);
  }
  if (event.kind == policy::ScopeKind::tenant) alert.tenant = event.owner;
  alert.budget = event.settings->name;
  alert.window_start = event.window.begin;
  alert.spent = event.spent;
  alert.limit = event.limit;
  alert.message = message_of(event);
  return alert;
}

void BudgetAlerts::tell(const policy::BudgetEvent& event) {
  const auto& channels = event.settings->notify;
  // Nobody is named: the log at least.
  if (channels.empty()) return alerts_.send({}, alert_of(event));
  for (const std::string& channel : channels) alerts_.send(channel, alert_of(event));
}

}  // namespace tollgate::app
