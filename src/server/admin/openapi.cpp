// The OpenAPI 3.1 document: paths and roles from the table of operations, schemas from beside the handlers. It says
// nothing that the code does not go by, but for the meaning of a status.
#include "handlers.hpp"
#include "key_settings.hpp"
#include "operations.hpp"
#include "schema.hpp"

#include <algorithm>

namespace tollgate::server::admin {

namespace {

constexpr std::string_view json_type = "application/json";

Json error_schema() {
  const Json error = object_of({{"message", scalar_of("string", "What is wrong and what to do")},
                                {"type", scalar_of("string", "As OpenAI's")},
                                {"param", scalar_of({"string", "null"}, "The member or parameter that is wrong")},
                                {"code", scalar_of({"string", "null"}, "For programs")}},
                               "As in OpenAI's API");
  return object_of({{"error", error}}, "A refusal");
}

Json free_schema(std::string_view meaning) { return {{"type", "object"}, {"description", meaning}}; }

Json schemas() {
  return {{"Key", key_schema()},
          {"KeyList", key_list_schema()},
          {"NewKey", new_key_schema()},
          {"CreatedKey", created_key_schema()},
          {"KeySettings", settings_schema()},
          {"Names", names_schema()},
          {"Limits", limits_schema()},
          {"Tenant", tenant_schema()},
          {"TenantList", tenant_list_schema()},
          {"Budget", budget_schema()},
          {"BudgetList", budget_list_schema()},
          {"NewGrant", new_grant_schema()},
          {"Target", target_schema()},
          {"TargetList", target_list_schema()},
          {"CircuitOrder", circuit_order_schema()},
          {"RouteQuestion", route_question_schema()},
          {"RouteExplanation", route_explanation_schema()},
          {"AuditRow", audit_row_schema()},
          {"AuditPage", audit_page_schema()},
          {"AuditVerdict", audit_verdict_schema()},
          {"UsageSums", usage_sums_schema()},
          {"UsageRow", usage_row_schema()},
          {"Usage", usage_schema()},
          {"ReloadReport", reload_report_schema()},
          {"Config", free_schema("routes.yaml as JSON; tollgate schema prints its JSON Schema")},
          {"Document", free_schema("An OpenAPI 3.1 document")},
          {"Error", error_schema()}};
}

std::string_view meaning_of(std::uint16_t status) {
  switch (status) {
    case 200: return "Done";
    case 201: return "Made";
    case 400: return "Something in the request is wrong; param names it";
    case 401: return "No token, or none that is known here";
    case 403: return "The token's role does not allow it (role_not_allowed), or a web page has asked";
    case 404: return "There is no such thing";
    case 409: return "It does not fit what is there: managed_by_config, key_conflict, no_storage";
    case 413: return "The body is larger than 64 KiB";
    case 415: return "The body is no JSON";
    case 422: return "The configuration has faults; the one before stays in force";
    case 429: return "Too many requests; see Retry-After";
    case 503: return "The store does not work at the moment (store_unavailable); nothing has changed";
    default: return "";
  }
}

Json content_of(std::string_view schema) { return {{std::string(json_type), {{"schema", reference(schema)}}}}; }

Json responses_of(const Operation& operation) {
  std::vector<std::uint16_t> failures(common_failures.begin(), common_failures.end());
  std::copy_if(operation.failures.begin(), operation.failures.end(), std::back_inserter(failures),
               [](std::uint16_t status) { return status != 0; });
  std::sort(failures.begin(), failures.end());
  Json responses = Json::object();
  responses[std::to_string(operation.success)] = {{"description", meaning_of(operation.success)},
                                                  {"content", content_of(operation.answer)}};
  for (const std::uint16_t status : failures)
    responses[std::to_string(status)] = {{"description", meaning_of(status)},
                                         {"content", content_of(status == 422 ? operation.answer : "Error")}};
  return responses;
}

Json schema_of(const Parameter& parameter) {
  switch (parameter.kind) {
    case Parameter::Kind::text: return {{"type", "string"}};
    case Parameter::Kind::flag: return {{"type", "boolean"}};
    case Parameter::Kind::number:
      return {{"type", "integer"}, {"minimum", parameter.least}, {"maximum", parameter.most}};
  }
  return {};  // GCOVR_EXCL_LINE: every kind has returned
}

Json parameters_of(const Operation& operation) {
  Json parameters = Json::array();
  if (operation.path.find("{id}") != operation.path.npos)
    parameters.push_back({{"name", "id"},
                          {"in", "path"},
                          {"required", true},
                          {"description", "May hold slashes, as they are or as %2F"},
                          {"schema", {{"type", "string"}}}});
  for (const Parameter& parameter : operation.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"in", "query"},
                          {"description", parameter.meaning},
                          {"schema", schema_of(parameter)}});
  return parameters;
}

Json document_of(const Operation& operation) {
  Json json{{"operationId", operation.name},
            {"summary", operation.summary},
            {"description", "Least role: " + std::string(config::name_of(operation.least)) + "."}};
  if (Json parameters = parameters_of(operation); !parameters.empty()) json["parameters"] = std::move(parameters);
  if (!operation.body.empty()) json["requestBody"] = {{"required", true}, {"content", content_of(operation.body)}};
  json["responses"] = responses_of(operation);
  return json;
}

}  // namespace

Json openapi_document() {
  Json paths = Json::object();
  for (const Operation& operation : operations()) {
    std::string method(operation.method);
    std::transform(method.begin(), method.end(), method.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    paths[std::string(operation.path)][method] = document_of(operation);
  }
  const Json token{{"type", "http"},
                   {"scheme", "bearer"},
                   {"description", "admin.token or one of admin.tokens; where there is none, loopback is enough"}};
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "tollgate admin API"},
            {"version", "1"},
            {"description",
             "For operators, on the admin listener alone. Roles: read looks at everything, operate also reloads, "
             "revokes and holds circuits, own also makes keys and grants money. HEAD is GET without its body; OPTIONS "
             "lists a path's "
             "methods."}}},
          {"security", Json::array({{{"bearer", Json::array()}}})},
          {"paths", std::move(paths)},
          {"components", {{"securitySchemes", {{"bearer", token}}}, {"schemas", schemas()}}}};
}

}  // namespace tollgate::server::admin
