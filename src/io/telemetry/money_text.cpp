// Amounts of money on the metrics page. The serializer of the other metrics writes doubles, which lose nano-dollars and
// print as 0.29999999999999999; these are written digit by digit.
#include "io/telemetry/money_text.hpp"

#include <array>
#include <string_view>

namespace tollgate::io::telemetry {
namespace {

template <std::size_t N>
using LabelNames = std::array<std::string_view, N>;

void append_escaped(std::string& page, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') page += '\\';
    if (c == '\n')
      page += "\\n";
    else
      page += c;
  }
}

/// One metric: its head with the first call, a sample with each add().
class Family {
 public:
  Family(std::string& page, std::string_view name, std::string_view type, std::string_view help)
      : page_(page), name_(name) {
    page.append("# HELP ").append(name).append(" ").append(help);
    page.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  template <std::size_t N>
  void add(const LabelNames<N>& names, const LabelValues& values, Money amount) {
    page_ += name_;
    for (std::size_t i = 0; i < N; ++i) {
      page_ += i == 0 ? '{' : ',';
      page_.append(names[i]).append("=\"");
      append_escaped(page_, values[i].empty() ? std::string_view("none") : values[i]);
      page_ += '"';
    }
    page_.append("} ").append(MoneyText(amount).text()) += '\n';
  }
  template <std::size_t N>
  void add(const LabelNames<N>& names, const std::map<LabelValues, Money>& amounts) {
    for (const auto& [values, amount] : amounts) add(names, values, amount);
  }

 private:
  std::string& page_;
  std::string_view name_;
};

/// Two budgets of one name would make the page unreadable for Prometheus, so that they are one.
std::map<LabelValues, pipeline::BudgetFigures> by_name(const std::vector<pipeline::BudgetFigures>& budgets) {
  std::map<LabelValues, pipeline::BudgetFigures> named;
  for (const auto& budget : budgets) {
    auto& sum = named[{budget.tenant, budget.budget}];
    sum.limit += budget.limit;
    sum.spent += budget.spent;
    sum.reserved += budget.reserved;
    sum.overshoot += budget.overshoot;
  }
  return named;
}

void append_budgets(std::string& page, const std::vector<pipeline::BudgetFigures>& budgets) {
  struct Row {
    std::string_view name, type, help;
    Money pipeline::BudgetFigures::*amount;
  };
  constexpr std::array<Row, 4> rows{
      Row{"tollgate_budget_limit_usd", "gauge", "What may be spent in the window that is on, grants counted in.",
          &pipeline::BudgetFigures::limit},
      Row{"tollgate_budget_spent_usd", "gauge", "What is spent of it.", &pipeline::BudgetFigures::spent},
      Row{"tollgate_budget_reserved_usd", "gauge", "What calls in flight may come to.",
          &pipeline::BudgetFigures::reserved},
      Row{"tollgate_budget_overshoot_usd_total", "counter", "By how much calls have gone over a budget, ever.",
          &pipeline::BudgetFigures::overshoot}};
  const auto named = by_name(budgets);
  for (const Row& row : rows) {
    Family family(page, row.name, row.type, row.help);
    for (const auto& [labels, figures] : named) family.add<2>({"tenant", "budget"}, labels, figures.*row.amount);
  }
}

}  // namespace

void append_money(std::string& page, const Totals& totals, const std::vector<pipeline::BudgetFigures>& budgets) {
  Family(page, "tollgate_cost_usd_total", "counter", "What calls to upstreams have cost, wasted ones counted in.")
      .add<3>({"tenant", "task", "model"}, totals.cost);
  Family(page, "tollgate_wasted_cost_usd_total", "counter", "Of that, what brought no client an answer.")
      .add<3>({"tenant", "model", "reason"}, totals.wasted);
  append_budgets(page, budgets);
}

}  // namespace tollgate::io::telemetry
