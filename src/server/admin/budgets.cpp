// Budgets as operators see them, and more money for one for a while: kept with its row of the audit first, in force
// once it is kept, so that no restart takes it back and nobody finds money of which the audit knows nothing.
#include "tollgate/base/instant.hpp"
#include "tollgate/pipeline/budget_scopes.hpp"

#include "handlers.hpp"
#include "schema.hpp"

#include <algorithm>

namespace tollgate::server::admin {

namespace {

using pipeline::NamedBudget;
using policy::WhenSpent;

constexpr std::size_t longest_reason = 256;
constexpr std::size_t most_grants = 100;  ///< of one budget at one time
constexpr std::string_view currency = " USD";

Json usd(Money amount) { return std::string(MoneyText(amount).text()); }

Json moment(SystemTime time) { return time == SystemTime::max() ? Json() : Json(show_instant(time)); }

std::string_view word_of(WhenSpent when_spent) {
  constexpr std::array<std::string_view, 4> words{"reject", "downgrade", "alert", "shadow"};
  return words[static_cast<std::size_t>(when_spent)];
}

Json view_of(const policy::Grant& grant) {
  return {{"amount_usd", usd(grant.amount)}, {"until", show_instant(grant.until)}, {"reason", grant.reason}};
}

Json view_of(const NamedBudget& named, const policy::BudgetBook& book, SystemTime now) {
  const policy::BudgetSettings& settings = *named.settings;
  policy::BudgetStanding standing;
  standing.window = policy::window_at(settings.window, *settings.zone, now);
  standing.amount = standing.limit = settings.amount;
  Json grants = Json::array();
  for (const policy::Grant& grant : book.grants(named.id(), now)) {
    grants.push_back(view_of(grant));
    standing.limit += grant.amount;
  }
  if (const auto budget = book.find(named.id())) standing = budget->standing(now);
  return {{"id", named.path()},
          {"kind", name_of(named.kind)},
          {"owner", named.owner},
          {"name", settings.name},
          {"window", name_of(settings.window)},
          {"timezone", settings.zone->name()},
          {"when_spent", word_of(settings.when_spent)},
          {"amount_usd", usd(standing.amount)},
          {"limit_usd", usd(standing.limit)},
          {"stop_at_usd", settings.stop_at ? usd(*settings.stop_at) : Json()},
          {"spent_usd", usd(standing.spent)},
          {"held_usd", usd(standing.held)},
          {"overshoot_usd", usd(standing.overshoot)},
          {"beyond", standing.beyond},
          {"begins_at", show_instant(standing.window.begin)},
          {"resets_at", moment(standing.window.end)},
          {"grants", std::move(grants)}};
}

bool is_plain_text(std::string_view text) {
  return !text.empty() && text.size() <= longest_reason &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

std::optional<Money> amount_of(std::string_view text) {
  if (!text.ends_with(currency)) return std::nullopt;
  const auto amount = parse_money(text.substr(0, text.size() - currency.size()));
  if (!amount || *amount == Money{} || *amount > policy::most_budget) return std::nullopt;
  return amount;
}

Result<policy::Grant> read(const Exchange& exchange) {
  const auto body = parse_json(exchange.call.body);
  if (!body) return body.error();
  policy::Grant grant;
  Fault fault;
  Members members(*body, {}, fault);
  std::string amount, until;
  read_text(members, "amount", amount);
  if (const auto money = amount_of(amount))
    grant.amount = *money;
  else
    members.fault("amount", "expected more than 0 and at most 1000000000 dollars, written like \"100 USD\"");
  read_text(members, "until", until);
  const auto end = parse_instant(until);
  if (!end)
    members.fault("until", "expected a date or a moment in UTC, written like 2027-01-31 or 2027-01-31T18:00:00Z");
  else if (*end <= exchange.now)
    members.fault("until", "expected a moment that is not over yet");
  else
    grant.until = *end;
  read_text(members, "reason", grant.reason);
  if (!is_plain_text(grant.reason)) members.fault("reason", "expected 1 to 256 bytes of text, for the audit");
  members.refuse_others();
  if (fault) return fault.failure();
  return grant;
}

Failure no_such_budget() {
  return {FailureKind::not_found, Source::client,
          "no budget of the configuration has this id; GET /admin/v1/budgets lists them", "budget_not_found"};
}

std::optional<NamedBudget> find(const config::Snapshot& snapshot, std::string_view path) {
  for (NamedBudget& named : pipeline::budgets_in(snapshot)) {
    if (named.path() == path) return std::move(named);
  }
  return std::nullopt;
}

io::GrantRow row_of(const Exchange& exchange, const policy::Grant& grant) {
  return {.budget = exchange.id,
          .amount = grant.amount,
          .until = grant.until,
          .reason = grant.reason,
          .granted_at = exchange.now,
          .granted_by = exchange.call.actor.name};
}

policy::AuditEntry entry_of(const Exchange& exchange, const Json& before, const policy::Grant& grant) {
  policy::AuditEntry entry = audit_entry(exchange, "budget.grant", "budget/" + exchange.id);
  entry.before = to_text({{"limit_usd", before["limit_usd"]}, {"spent_usd", before["spent_usd"]}});
  entry.after = to_text(view_of(grant));
  return entry;
}

}  // namespace

void list_budgets(Context& context, const ExchangePointer& exchange) {
  const auto tenant = exchange->query.text("tenant");
  if (tenant && !exchange->snapshot->tenant(*tenant))
    return exchange->refuse(bad_member("tenant", "no tenant has this name; GET /admin/v1/tenants lists them"));
  Json budgets = Json::array();
  for (const NamedBudget& named : pipeline::budgets_in(*exchange->snapshot))
    if (!tenant || named.tenant == *tenant) budgets.push_back(view_of(named, *context.parts().budgets, exchange->now));
  exchange->reply({{"data", std::move(budgets)}});
}

void grant_budget(Context& context, const ExchangePointer& exchange) {
  const auto grant = read(*exchange);
  if (!grant) return exchange->refuse(grant.error());
  const auto named = find(*exchange->snapshot, exchange->id);
  if (!named) return exchange->refuse(no_such_budget());
  if (!context.store()) return exchange->refuse(no_storage());
  policy::BudgetBook& book = *context.parts().budgets;
  if (book.grants(named->id(), exchange->now).size() >= most_grants)
    return exchange->refuse({FailureKind::conflict, Source::client,
                             "this budget has 100 grants already; wait until one ends, or raise its amount",
                             "too_many_grants"});
  context.store()->add_grant(
      row_of(*exchange, *grant), entry_of(*exchange, view_of(*named, book, exchange->now), *grant),
      context.later<void>([&book, exchange, named = *named, grant = *grant](const Result<void>& kept) {
        if (!kept) return exchange->refuse(store_unavailable());
        book.grant(named.id(), grant, exchange->now);
        exchange->reply(view_of(named, book, exchange->now), 201);
      }));
}

Json budget_schema() {
  const Json grant = object_of({{"amount_usd", scalar_of("string", "Dollars")},
                                {"until", scalar_of("string", "RFC 3339, UTC")},
                                {"reason", scalar_of("string", "Why")}},
                               "More for a while");
  return object_of(
      {{"id", scalar_of("string", "kind/owner/name")},
       {"kind", {{"type", "string"}, {"enum", {"group", "tenant", "key", "route", "model"}}}},
       {"owner", scalar_of("string", "tenant/name for a key")},
       {"name", scalar_of("string", "As in the file")},
       {"window", {{"type", "string"}, {"enum", policy::window_names}}},
       {"timezone", scalar_of("string", "Whose clocks and calendar the window follows")},
       {"when_spent", {{"type", "string"}, {"enum", {"reject", "downgrade", "alert", "shadow"}}}},
       {"amount_usd", scalar_of("string", "As in the file; dollars, exact, as all amounts here")},
       {"limit_usd", scalar_of("string", "With all grants")},
       {"stop_at_usd", scalar_of({"string", "null"}, "What downgraded requests are held to")},
       {"spent_usd", scalar_of("string", "In this window")},
       {"held_usd", scalar_of("string", "For calls in flight")},
       {"overshoot_usd", scalar_of("string", "What calls have cost beyond what was held for them")},
       {"beyond", scalar_of("integer", "Requests in this window that went on without room: alert and shadow")},
       {"begins_at", scalar_of("string", "The window's first moment")},
       {"resets_at", scalar_of({"string", "null"}, "When the next one begins; null: never")},
       {"grants", list_of(grant)}},
      "A budget of the configuration and how it stands");
}

Json budget_list_schema() { return object_of({{"data", list_of(reference("Budget"))}}, "Budgets"); }

Json new_grant_schema() {
  return object_of({{"amount", scalar_of("string", "\"100 USD\"")},
                    {"until", scalar_of("string", "A date or a moment in UTC")},
                    {"reason", scalar_of("string", "Why, for the audit; 1 to 256 bytes")}},
                   "More money for a budget, for a while");
}

}  // namespace tollgate::server::admin
