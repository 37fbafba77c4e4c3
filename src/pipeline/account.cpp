// Money before and after an attempt: what it may come to is put aside in every budget that it counts against, or it is
// not begun; what has become of it is one row of the ledger.
#include "account.hpp"

#include "tollgate/pipeline/budget_scopes.hpp"
#include "tollgate/pipeline/live_state.hpp"

#include "index_in.hpp"
#include "stages.hpp"

#include <algorithm>

namespace tollgate::pipeline {

namespace {

using policy::BudgetDenial;

std::string dollars(Money amount) { return std::string(MoneyText(amount).text()) + " USD"; }

/// A budget that is spent stays so until its window ends; one whose rest is held by calls in flight may have room soon.
Failure refused_by(const BudgetDenial& denial, std::uint16_t status_when_spent) {
  const std::string budget = "the budget '" + denial.budget + "' of " + dollars(denial.limit);
  Failure failure{FailureKind::rate_limited, Source::gateway, {}};
  failure.param = denial.budget;
  const std::string needs = "this request may cost up to " + dollars(denial.worst);
  if (denial.is_spent) {
    failure.message = budget + " is spent: " + dollars(denial.spent) + " so far, and " + needs;
    failure.code = failure.type = "insufficient_quota";
    failure.status = status_when_spent;
    failure.final = true;
    return failure;
  }
  failure.message = budget + " is taken for the moment: " + dollars(denial.spent) + " are spent and " +
                    dollars(denial.held) + " held by requests in flight; " + needs + "; try again shortly";
  failure.retry_after = seconds(1);
  return failure;
}

Failure unpriced(const config::Model& model) {
  return {FailureKind::bad_request, Source::gateway,
          "the model '" + model.name +
              "' has no price here, so a caller with a budget may not use it; tell the "
              "operator of this gateway",
          "model_unpriced", "model"};
}

Failure too_dear(Money most, Money may_cost) {
  return {FailureKind::bad_request, Source::client,
          "this request may cost up to " + dollars(most) + ", more than x-tollgate-max-cost allows (" +
              dollars(may_cost) + "); a lower limit of output tokens makes it cheaper",
          "max_cost_exceeded", "x-tollgate-max-cost"};
}

/// The row that is in force for a target, or that stands for one which has none.
const policy::PriceRow* price_of(const Exchange& exchange, const config::Target& target, std::string_view part) {
  const config::Snapshot& snapshot = *exchange.world->snapshot;
  const policy::Price* price = snapshot.price_of(target, target.is_wildcard() ? part : target.upstream_model);
  const policy::PriceRow* row = price ? price->at(exchange.began_at) : nullptr;
  if (row || !snapshot.fallback_price || !is_bounded(exchange)) return row;
  return snapshot.fallback_price->at(exchange.began_at);
}

void add_callers(Exchange& exchange, const BudgetScopes& scopes) {
  policy::BudgetChain& chain = exchange.budgets;
  const config::Tenant& tenant = *exchange.caller.tenant;
  const std::size_t index = index_in(exchange.world->snapshot->tenants, &tenant);
  if (tenant.group) chain.put(scopes.groups[*tenant.group]);
  chain.put(scopes.tenants[index]);
  const policy::KnownKey& key = *exchange.caller.key;
  chain.put(key.budgets);
  if (!scopes.end_users[index] || !key.key.settings.may_delegate || end_user_of(exchange).empty()) return;
  chain.put(scopes.live->end_user_budgets.list(tenant.name, end_user_hash_of(exchange), scopes.end_users[index],
                                               exchange.now()));
}

/// Each attempt counts against the budgets of its own model.
void turn_to(Exchange& exchange, const config::Model& model) {
  const BudgetScopes* scopes = exchange.world->budgets.get();
  if (!scopes || !scopes->for_all) return;
  const auto& list = scopes->models[index_in(exchange.world->snapshot->models, &model)];
  exchange.budgets.remove(policy::ScopeKind::model);
  exchange.budgets.put(list);
}

}  // namespace

void find_budgets(Exchange& exchange) {
  const BudgetScopes* scopes = exchange.world->budgets.get();
  const config::Tenant* tenant = exchange.caller.tenant;
  if (!scopes || (!tenant && !scopes->for_all)) return;
  exchange.budgets.clear();
  if (tenant) add_callers(exchange, *scopes);
  if (const config::Route* route = exchange.resolution.route)
    exchange.budgets.put(scopes->routes[index_in(exchange.world->snapshot->routes, route)]);
}

bool is_bounded(const Exchange& exchange) {
  return !exchange.budgets.empty() || (exchange.inbound.money && exchange.inbound.money->max_cost);
}

std::unique_ptr<Failure> fill_purse(Exchange& exchange, const config::Model& model, const config::Target& target,
                                    std::string_view part) {
  Purse& purse = exchange.purse;
  if (exchange.inbound.only_counts) return nullptr;
  turn_to(exchange, model);
  purse.price = price_of(exchange, target, part);
  const bool bounded = is_bounded(exchange);
  if (!bounded && !exchange.world->ledger) return nullptr;
  if (!purse.price && bounded && exchange.world->snapshot->on_unpriced == config::OnUnpriced::reject)
    return std::make_unique<Failure>(unpriced(model));
  purse.output = most_output_tokens(exchange, model);
  purse.input = bounded ? most_input_tokens(exchange, model) : expected_input_tokens(exchange);
  purse.most = purse.price ? policy::worst_case(*purse.price, purse.input, purse.output) : Money{};
  if (!bounded) return nullptr;

  const auto& wishes = exchange.inbound.money;
  if (const Money most = exchange.record.cost.value_or(Money{}) + purse.most;
      wishes && wishes->max_cost && most > *wishes->max_cost)
    return std::make_unique<Failure>(too_dear(most, *wishes->max_cost));
  if (exchange.budgets.empty()) return nullptr;
  purse.hold = std::make_unique_for_overwrite<policy::BudgetHold>();  // its room for shares is left as it is
  const auto denial = policy::reserve(*purse.hold, exchange.budgets, purse.most, exchange.now(), exchange.downgraded);
  if (!denial) return nullptr;
  purse.hold.reset();
  exchange.record.limit = std::string(policy::name_of(denial->kind)) + "_budget";
  exchange.downgrade_to = denial->downgrade_to;
  return std::make_unique<Failure>(refused_by(*denial, exchange.world->snapshot->budget_status));
}

void empty_purse(Exchange& exchange) {
  if (exchange.purse.hold) exchange.purse.hold->release();
  exchange.purse = {};
}

bool downgrade(Exchange& exchange) {
  if (exchange.downgrade_to.empty() || exchange.downgraded) return false;
  const config::Resolution cheaper = exchange.world->snapshot->resolve(exchange.downgrade_to);
  if (!cheaper.model) return false;
  exchange.downgraded = true;
  exchange.resolution.model = cheaper.model;
  exchange.resolution.wildcard_part = cheaper.wildcard_part;
  exchange.choice.model = cheaper.model;
  exchange.choice.target = &cheaper.model->targets.front();
  return true;
}

const Attribution& attribution_of(Exchange& exchange) {
  const RequestRecord& record = exchange.record;
  Attribution& of = exchange.account;
  of.model = record.model;
  if (!of.request_id.empty()) return of;
  of.request_id = record.request_id;
  of.tenant = record.tenant;
  of.key = record.key;
  of.route = record.route;
  of.task = record.task;
  if (const auto& wishes = exchange.inbound.money) {
    of.task_id = wishes->task_id;
    of.tags = wishes->tags;
  }
  if (of.tags.empty() && exchange.caller.tenant) of.tags = exchange.caller.tenant->tag_text;
  if (!end_user_of(exchange).empty()) of.end_user = end_user_hash_of(exchange);
  return of;
}

RequestEntry request_entry_of(Exchange& exchange) {
  const RequestRecord& record = exchange.record;
  return {
      .of = attribution_of(exchange),
      .endpoint = record.endpoint,
      .target = record.target,
      .began_at = exchange.began_at,
      .duration = std::chrono::duration_cast<Micros>(exchange.alarm.woken_at() - exchange.began),
      .first_token = record.first_token,
      .outcome = record.outcome,
      .status = record.status,
      .attempts = static_cast<std::uint16_t>(record.attempts.size()),
      .stream = record.stream,
      .estimated = std::ranges::any_of(record.attempts, &AttemptRecord::estimated),
      .usage = record.usage.value_or(protocol::Usage{}),
      .cost = record.unpriced ? std::nullopt : std::optional(record.cost.value_or(Money{})),
      .wasted = record.wasted,
  };
}

void close_account(Exchange& exchange) {
  if (exchange.account_closed || !exchange.account_opened) return;
  exchange.account_closed = true;
  exchange.world->ledger->close(request_entry_of(exchange));
}

}  // namespace tollgate::pipeline
