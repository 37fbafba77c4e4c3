#pragma once
// What a request may spend, and what it is put down to.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/ledger.hpp"

#include <memory>

namespace tollgate::pipeline {

/// Finds the budgets that the request counts against.
void find_budgets(Exchange& exchange);
/// Something limits what it may cost.
bool is_bounded(const Exchange& exchange);
/// Turns to the model that a spent budget names (exchange.downgrade_to). False: there is none to turn to.
bool downgrade(Exchange& exchange);

/// Puts aside, in exchange.purse, the most that an attempt at this target may come to, in all budgets or in none; gives
/// what forbids it.
std::unique_ptr<Failure> fill_purse(Exchange& exchange, const config::Model& model, const config::Target& target,
                                    std::string_view part);

/// Gives it back: the attempt is not made.
void empty_purse(Exchange& exchange);

/// What the request's rows are put down to; the model is that of the attempt at hand. Found once.
const Attribution& attribution_of(Exchange& exchange);
/// As the record stands.
RequestEntry request_entry_of(Exchange& exchange);
/// Writes the request's row where it has made an attempt and the row is not written yet. Comes before the answer's last
/// byte.
void close_account(Exchange& exchange);

}  // namespace tollgate::pipeline
