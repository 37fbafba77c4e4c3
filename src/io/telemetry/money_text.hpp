#pragma once
#include "tollgate/pipeline/money_figures.hpp"

#include "io/telemetry/totals.hpp"

#include <string>
#include <vector>

namespace tollgate::io::telemetry {

/// Appends every metric that is an amount of dollars, in Prometheus' text format, with all of its digits.
void append_money(std::string& page, const Totals& totals, const std::vector<pipeline::BudgetFigures>& budgets);

}  // namespace tollgate::io::telemetry
