// The table of operations and how paths are looked up in it. A row is all that a new operation needs here: roles, 405
// and the document follow.
#include "operations.hpp"

#include "handlers.hpp"

namespace tollgate::server::admin {

namespace {

using config::AdminRole;
using Kind = Parameter::Kind;

constexpr std::string_view id_mark = "{id}";
constexpr std::uint64_t any_row = std::uint64_t{1} << 53;  // what every reader of JSON can count to

constexpr std::array key_filters{
    Parameter{"tenant", Kind::text, "Only the keys of this tenant"},
    Parameter{"include_revoked", Kind::flag, "Revoked keys too; they are left out otherwise"},
};
constexpr std::array budget_filters{
    Parameter{"tenant", Kind::text, "Only the budgets of this tenant and of its keys"},
};
constexpr std::array audit_window{
    Parameter{"after", Kind::number, "Only rows after this sequence number; the last page's `next`", 0, any_row},
    Parameter{"limit", Kind::number, "How many rows at most; 100 where it is not given", 1, 1000},
};
constexpr std::array usage_question{
    Parameter{"by", Kind::text,
              "What to group by, with commas: tenant, key, route, task, model, target, user, tag, day, "
              "hour; one row for all where it is not given"},
    Parameter{"since", Kind::text, "A span back from now (7d, 12h) or a UTC date or time; 30d where it is not given"},
    Parameter{"until", Kind::text, "The same, exclusive; now where it is not given"},
    Parameter{"where", Kind::text, "Only what is equal, with commas: tenant=acme,model=gpt-5.5,tag=team=red"},
    Parameter{"limit", Kind::number, "How many rows at most; 1000 where it is not given", 1, 10'000},
};

// size: exempt, a table
constexpr std::array table{
    Operation{"GET",
              "/admin/v1/keys",
              "list_keys",
              AdminRole::read,
              list_keys,
              "The keys of the file and of the store",
              "KeyList",
              200,
              {503},
              key_filters},
    Operation{"POST",
              "/admin/v1/keys",
              "create_key",
              AdminRole::own,
              create_key,
              "Makes a key; its text is in this answer and nowhere else, ever",
              "CreatedKey",
              201,
              {409, 413, 415, 503},
              {},
              "NewKey"},
    Operation{"GET",
              "/admin/v1/keys/{id}",
              "get_key",
              AdminRole::read,
              get_key,
              "One key, revoked or not",
              "Key",
              200,
              {404, 503}},
    Operation{"DELETE",
              "/admin/v1/keys/{id}",
              "revoke_key",
              AdminRole::operate,
              revoke_key,
              "Revokes a key: once this is answered no request is let in by it",
              "Key",
              200,
              {404, 409, 413, 415, 503}},
    Operation{"GET",
              "/admin/v1/tenants",
              "list_tenants",
              AdminRole::read,
              list_tenants,
              "The tenants of the file",
              "TenantList",
              200,
              {503}},
    Operation{"GET",
              "/admin/v1/tenants/{id}",
              "get_tenant",
              AdminRole::read,
              get_tenant,
              "One tenant",
              "Tenant",
              200,
              {404, 503}},
    Operation{"GET",
              "/admin/v1/budgets",
              "list_budgets",
              AdminRole::read,
              list_budgets,
              "The budgets of the file and how they stand; those of end users are left out",
              "BudgetList",
              200,
              {},
              budget_filters},
    Operation{"POST",
              "/admin/v1/budgets/{id}/grants",
              "grant_budget",
              AdminRole::own,
              grant_budget,
              "Adds money to a budget for a while",
              "Budget",
              201,
              {404, 409, 413, 415, 503},
              {},
              "NewGrant"},
    Operation{"GET", "/admin/v1/targets", "list_targets", AdminRole::read, list_targets,
              "Every target with each of its credentials: circuit, cool-down, load", "TargetList", 200},
    Operation{"POST",
              "/admin/v1/targets/circuit",
              "force_circuit",
              AdminRole::operate,
              force_circuit,
              "Holds a target's circuits open or closed, or leaves them to themselves again",
              "TargetList",
              200,
              {404, 413, 415, 503},
              {},
              "CircuitOrder"},
    Operation{"POST",
              "/admin/v1/route",
              "explain_route",
              AdminRole::read,
              explain_route,
              "What would become of a request, and why; nobody is asked",
              "RouteExplanation",
              200,
              {413, 415},
              {},
              "RouteQuestion"},
    Operation{"GET",
              "/admin/v1/audit",
              "read_audit",
              AdminRole::read,
              read_audit,
              "Who changed what, the oldest first",
              "AuditPage",
              200,
              {409, 503},
              audit_window},
    Operation{"GET",
              "/admin/v1/audit/verify",
              "verify_audit",
              AdminRole::read,
              verify_audit,
              "Reads the whole audit and says whether its chain holds",
              "AuditVerdict",
              200,
              {409, 503}},
    Operation{"GET",
              "/admin/v1/usage",
              "read_usage",
              AdminRole::read,
              read_usage,
              "What was used and what it has cost, by tenant, model, task, key, user, tag and time",
              "Usage",
              200,
              {409, 503},
              usage_question},
    Operation{"POST",
              "/admin/v1/reload",
              "reload",
              AdminRole::operate,
              reload,
              "Reads the configuration again; a bad one changes nothing and its faults are told",
              "ReloadReport",
              200,
              {413, 415, 422, 503}},
    Operation{"GET", "/admin/v1/config", "show_config", AdminRole::read, show_config,
              "The configuration in effect, with every default and without secrets", "Config"},
    Operation{"GET", "/admin/v1/openapi.json", "show_openapi", AdminRole::read, show_openapi, "This document",
              "Document"},
};

}  // namespace

std::span<const Operation> operations() { return table; }

std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  const std::size_t mark = pattern.find(id_mark);
  if (mark == pattern.npos) return pattern == path ? std::optional(std::string()) : std::nullopt;
  const std::string_view before = pattern.substr(0, mark), after = pattern.substr(mark + id_mark.size());
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
    return std::nullopt;
  return unescaped(path.substr(before.size(), path.size() - before.size() - after.size()));
}

std::string methods_of(std::string_view path) {
  std::string methods;
  for (const Operation& operation : table) {
    if (!match(operation.path, path)) continue;
    methods.append(operation.method).append(operation.method == "GET" ? ", HEAD, " : ", ");
  }
  return methods.empty() ? methods : methods + "OPTIONS";
}

}  // namespace tollgate::server::admin
