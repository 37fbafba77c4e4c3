#pragma once
// The handlers, and the schemas of what they read and answer, by theme. A handler ends its exchange once, now or later.
#include "exchange.hpp"
#include "strict_json.hpp"

#include <string>

namespace tollgate::server::admin {

// keys.cpp, new_key.cpp
void list_keys(Context& context, const ExchangePointer& exchange);
void get_key(Context& context, const ExchangePointer& exchange);
void revoke_key(Context& context, const ExchangePointer& exchange);
void create_key(Context& context, const ExchangePointer& exchange);
Json key_schema();
Json key_list_schema();
Json new_key_schema();
Json created_key_schema();

// tenants.cpp
void list_tenants(Context& context, const ExchangePointer& exchange);
void get_tenant(Context& context, const ExchangePointer& exchange);
Json tenant_schema();
Json tenant_list_schema();

// budgets.cpp
void list_budgets(Context& context, const ExchangePointer& exchange);
void grant_budget(Context& context, const ExchangePointer& exchange);
Json budget_schema();
Json budget_list_schema();
Json new_grant_schema();

// targets.cpp
void list_targets(Context& context, const ExchangePointer& exchange);
Json target_schema();
Json target_list_schema();

// circuits.cpp
void force_circuit(Context& context, const ExchangePointer& exchange);
Json circuit_order_schema();

// explain.cpp
void explain_route(Context& context, const ExchangePointer& exchange);
Json route_question_schema();
Json route_explanation_schema();

// audit.cpp
void read_audit(Context& context, const ExchangePointer& exchange);
void verify_audit(Context& context, const ExchangePointer& exchange);
Json audit_row_schema();
Json audit_page_schema();
Json audit_verdict_schema();

// usage.cpp
void read_usage(Context& context, const ExchangePointer& exchange);
Json usage_sums_schema();
Json usage_row_schema();
Json usage_schema();

// control.cpp
void reload(Context& context, const ExchangePointer& exchange);
void show_config(Context& context, const ExchangePointer& exchange);
void show_openapi(Context& context, const ExchangePointer& exchange);
Json reload_report_schema();

// openapi.cpp
/// The document, made from the table of operations and the schemas above.
Json openapi_document();

}  // namespace tollgate::server::admin
