#include "handlers.hpp"
#include "schema.hpp"

namespace tollgate::server::admin {

namespace {

AdminReply reply_of(const ReloadReport& report) {
  const Json json{{"accepted", report.accepted},
                  {"generation", report.generation},
                  {"digest", report.digest},
                  {"faults", report.faults},
                  {"needs_restart", report.needs_restart}};
  return to_reply(to_text(json), report.accepted ? 200 : 422);
}

policy::AuditEntry entry_of(const Exchange& exchange, const ReloadReport& report) {
  policy::AuditEntry entry = audit_entry(exchange, "config.reload", "config");
  entry.before = to_text({{"digest", exchange.snapshot->digest}});
  Json after{{"accepted", report.accepted}, {"digest", report.digest}};
  if (!report.faults.empty()) after["fault"] = report.faults.front();
  entry.after = to_text(after);
  entry.config_digest = report.digest;
  return entry;
}

Failure not_audited() {
  Failure failure = store_unavailable();
  failure.message = "the configuration was read again, but the audit could not take its row; see GET /admin/v1/config";
  return failure;
}

}  // namespace

void reload(Context& context, const ExchangePointer& exchange) {
  io::Store* store = context.store();
  // What could not be audited is not begun.
  if (store && !store->reachable()) return exchange->refuse(store_unavailable());
  const ReloadReport report = context.parts().reload();
  if (!store) return exchange->done(reply_of(report));
  store->append_audit(entry_of(*exchange, report), context.later<void>([exchange, report](const Result<void>& kept) {
    if (!kept) return exchange->refuse(not_audited());
    exchange->done(reply_of(report));
  }));
}

void show_config(Context& context, const ExchangePointer& exchange) {
  exchange->done(to_reply(context.parts().effective_config(), 200));
}

void show_openapi(Context&, const ExchangePointer& exchange) {
  static const std::string document = to_text(openapi_document());
  exchange->done(to_reply(document, 200));
}

Json reload_report_schema() {
  const Json lines = list_of({{"type", "string"}});
  return object_of({{"accepted", scalar_of("boolean", "Whether the new configuration is in force")},
                    {"generation", scalar_of("integer", "Of the configuration in force")},
                    {"digest", scalar_of("string", "Of the configuration in force")},
                    {"faults", lines},
                    {"needs_restart", lines}},
                   "What a reload came to");
}

}  // namespace tollgate::server::admin
