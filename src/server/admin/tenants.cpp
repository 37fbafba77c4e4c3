#include "handlers.hpp"
#include "key_settings.hpp"
#include "schema.hpp"

#include <algorithm>

namespace tollgate::server::admin {

namespace {

Json view_of(const config::Snapshot& snapshot, const config::Tenant& tenant, const std::vector<io::KeyRow>& rows) {
  Json tags = Json::object();
  for (const auto& [name, value] : tenant.tags) tags[name] = value;
  const auto stored =
      std::count_if(rows.begin(), rows.end(), [&tenant](const io::KeyRow& row) { return row.tenant == tenant.name; });
  return {{"name", tenant.name},
          {"group", tenant.group ? Json(snapshot.groups[*tenant.group].name) : Json()},
          {"tags", std::move(tags)},
          {"rights", rights_json(tenant.rights)},
          {"limits", limits_json(tenant.limits)},
          {"end_user_limits", limits_json(tenant.end_user_limits)},
          {"keys", {{"config", tenant.keys.size()}, {"api", stored}}}};
}

/// Calls `then` with the store's keys that are not revoked.
void with_keys(Context& context, const ExchangePointer& exchange,
               std::function<void(const std::vector<io::KeyRow>&)> then) {
  if (!context.store()) return then({});
  context.store()->list_keys(
      false, context.later<std::vector<io::KeyRow>>([exchange, then = std::move(then)](const auto& rows) {
        if (!rows) return exchange->refuse(store_unavailable());
        then(*rows);
      }));
}

}  // namespace

void list_tenants(Context& context, const ExchangePointer& exchange) {
  with_keys(context, exchange, [exchange](const std::vector<io::KeyRow>& rows) {
    Json tenants = Json::array();
    for (const config::Tenant& tenant : exchange->snapshot->tenants)
      tenants.push_back(view_of(*exchange->snapshot, tenant, rows));
    exchange->reply({{"data", std::move(tenants)}});
  });
}

void get_tenant(Context& context, const ExchangePointer& exchange) {
  const config::Tenant* tenant = exchange->snapshot->tenant(exchange->id);
  if (!tenant)
    return exchange->refuse({FailureKind::not_found, Source::client,
                             "no tenant has this name; GET /admin/v1/tenants lists them", "tenant_not_found"});
  with_keys(context, exchange, [exchange, tenant](const std::vector<io::KeyRow>& rows) {
    exchange->reply(view_of(*exchange->snapshot, *tenant, rows));
  });
}

Json tenant_schema() {
  const Json count = {{"type", "integer"}, {"minimum", 0}};
  Json tags{{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  return object_of(
      {{"name", scalar_of("string", "As in the file")},
       {"group", scalar_of({"string", "null"}, "Whose limits it shares")},
       {"tags", std::move(tags)},
       {"rights",
        object_of({{"allow", or_null_of(reference("Names"), "null: everything")}, {"deny", reference("Names")}},
                  "What its keys may call")},
       {"limits", reference("Limits")},
       {"end_user_limits", reference("Limits")},
       {"keys", object_of({{"config", count}, {"api", count}},
                          "How many keys stand in the file, and how many made by the API are not revoked")}},
      "Whoever calls: an application, a team, a customer");
}

Json tenant_list_schema() { return object_of({{"data", list_of(reference("Tenant"))}}, "Tenants"); }

}  // namespace tollgate::server::admin
