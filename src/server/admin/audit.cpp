#include "tollgate/base/instant.hpp"

#include "handlers.hpp"
#include "schema.hpp"

namespace tollgate::server::admin {

namespace {

constexpr std::uint64_t usual_limit = 100;

std::int64_t nanoseconds_of(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

/// All that the hash is made of, byte for byte, so that anybody can make it anew.
Json view_of(const policy::AuditRow& row) {
  const policy::AuditEntry& entry = row.entry;
  return {{"seq", row.seq},
          {"at", show_instant(entry.at)},
          {"at_nanoseconds", std::to_string(nanoseconds_of(entry.at))},
          {"actor", entry.actor},
          {"role", entry.role},
          {"action", entry.action},
          {"object", entry.object},
          {"before", entry.before},
          {"after", entry.after},
          {"config_digest", entry.config_digest},
          {"prev", to_hex(row.prev)},
          {"hash", to_hex(row.hash)}};
}

}  // namespace

void read_audit(Context& context, const ExchangePointer& exchange) {
  if (!context.store()) return exchange->refuse(no_storage());
  const std::uint64_t limit = exchange->query.number("limit", usual_limit);
  const auto answer = [exchange, limit](const Result<std::vector<policy::AuditRow>>& rows) {
    if (!rows) return exchange->refuse(store_unavailable());
    Json data = Json::array();
    for (const policy::AuditRow& row : *rows) data.push_back(view_of(row));
    // A page that is not full was the last one.
    Json next = rows->size() < limit ? Json() : Json(rows->back().seq);
    exchange->reply({{"data", std::move(data)}, {"next", std::move(next)}});
  };
  context.store()->read_audit(exchange->query.number("after", 0), limit,
                              context.later<std::vector<policy::AuditRow>>(answer));
}

void verify_audit(Context& context, const ExchangePointer& exchange) {
  if (!context.store()) return exchange->refuse(no_storage());
  context.store()->verify_audit(context.later<io::AuditVerdict>([exchange](const Result<io::AuditVerdict>& verdict) {
    if (!verdict) return exchange->refuse(store_unavailable());
    exchange->reply({{"rows", verdict->rows},
                     {"intact", !verdict->first_broken},
                     {"broken_at", verdict->first_broken ? Json(*verdict->first_broken) : Json()},
                     {"last", to_hex(verdict->last)}});
  }));
}

Json audit_row_schema() {
  return object_of({{"seq", scalar_of("integer", "1, 2, 3, ... without a gap")},
                    {"at", scalar_of("string", "UTC")},
                    {"at_nanoseconds", scalar_of("string", "The same since 1970, exactly")},
                    {"actor", scalar_of("string", "The name of the admin token; owner; local where none is needed")},
                    {"role", scalar_of("string", "By which right")},
                    {"action", scalar_of("string", "key.create, key.revoke, circuit.force, config.reload")},
                    {"object", scalar_of("string", "What was changed")},
                    {"before", scalar_of("string", "Its state, as JSON; empty where there was none")},
                    {"after", scalar_of("string", "The same afterwards")},
                    {"config_digest", scalar_of("string", "Of the configuration in force")},
                    {"prev", scalar_of("string", "The hash of the row before; zeros in the first")},
                    {"hash", scalar_of("string", "SHA-256 of all above, in hex")}},
                   "One change");
}

Json audit_page_schema() {
  return object_of(
      {{"data", list_of(reference("AuditRow"))},
       {"next", scalar_of({"integer", "null"}, "What to send as `after` for the next page; null: no more")}},
      "Rows of the audit, the oldest first");
}

Json audit_verdict_schema() {
  return object_of({{"rows", scalar_of("integer", "How many rows hold together, from the first one on")},
                    {"intact", scalar_of("boolean", "Whether that is all of them")},
                    {"broken_at", scalar_of({"integer", "null"}, "The sequence number at which the chain breaks")},
                    {"last", scalar_of("string", "The hash of the last good row; kept elsewhere, it tells a cut end")}},
                   "Whether the audit's chain holds");
}

}  // namespace tollgate::server::admin
