// Keys as operators see them: those of the file and those of the store side by side, never a digest, never a key. And
// the end of a key's life.
#include "handlers.hpp"
#include "key_view.hpp"
#include "schema.hpp"

#include <algorithm>

namespace tollgate::server::admin {

namespace {

Failure no_such_key() {
  return {FailureKind::not_found, Source::client, "no key has this id; GET /admin/v1/keys lists them", "key_not_found"};
}

const policy::Key* key_of_file(const config::Snapshot& snapshot, std::string_view id) {
  for (const config::Tenant& tenant : snapshot.tenants)
    for (const policy::Key& key : tenant.keys)
      if (key.id == id) return &key;
  return nullptr;
}

/// Calls `then` with the store's keys; with none where nothing is stored. A store that fails ends the exchange.
void with_rows(Context& context, const ExchangePointer& exchange, bool include_revoked,
               std::function<void(const std::vector<io::KeyRow>&)> then) {
  if (!context.store()) return then({});
  context.store()->list_keys(
      include_revoked, context.later<std::vector<io::KeyRow>>([exchange, then = std::move(then)](const auto& rows) {
        if (!rows) return exchange->refuse(store_unavailable());
        then(*rows);
      }));
}

/// Calls `then` with the store's key of the exchange's id; without one the exchange ends.
void with_row(Context& context, const ExchangePointer& exchange, std::function<void(const io::KeyRow&)> then) {
  with_rows(context, exchange, true, [exchange, then = std::move(then)](const std::vector<io::KeyRow>& rows) {
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&exchange](const io::KeyRow& row) { return row.id == exchange->id; });
    if (found == rows.end()) return exchange->refuse(no_such_key());
    then(*found);
  });
}

void revoke(Context& context, const ExchangePointer& exchange, io::KeyRow row) {
  if (row.revoked_at) return exchange->refuse(no_such_key());
  policy::AuditEntry entry = audit_entry(*exchange, "key.revoke", "key/" + row.id);
  entry.before = to_text(view_of(row));
  row.revoked_at = exchange->now;
  entry.after = to_text(view_of(row));
  context.store()->revoke_key(row.id, exchange->now, std::move(entry),
                              context.later<bool>([&context, exchange, row](const Result<bool>& revoked) {
                                if (!revoked) return exchange->refuse(store_unavailable());
                                // Somebody else was quicker.
                                if (!*revoked) return exchange->refuse(no_such_key());
                                context.parts().key_revoked(row.digest);
                                exchange->reply(view_of(row));
                              }));
}

}  // namespace

void list_keys(Context& context, const ExchangePointer& exchange) {
  const auto tenant = exchange->query.text("tenant");
  const bool include_revoked = exchange->query.flag("include_revoked");
  with_rows(context, exchange, include_revoked, [exchange, tenant](const std::vector<io::KeyRow>& rows) {
    Json keys = Json::array();
    for (const config::Tenant& owner : exchange->snapshot->tenants)
      for (const policy::Key& key : owner.keys)
        if (!tenant || key.tenant == *tenant) keys.push_back(view_of(key));
    for (const io::KeyRow& row : rows)
      if (!tenant || row.tenant == *tenant) keys.push_back(view_of(row));
    // A tenant that has left the file may have left keys behind; one that never was is a slip.
    if (keys.empty() && tenant && !exchange->snapshot->tenant(*tenant))
      return exchange->refuse(bad_member("tenant", "no tenant has this name; GET /admin/v1/tenants lists them"));
    exchange->reply({{"data", std::move(keys)}});
  });
}

void get_key(Context& context, const ExchangePointer& exchange) {
  if (const policy::Key* key = key_of_file(*exchange->snapshot, exchange->id)) return exchange->reply(view_of(*key));
  with_row(context, exchange, [exchange](const io::KeyRow& row) { exchange->reply(view_of(row)); });
}

void revoke_key(Context& context, const ExchangePointer& exchange) {
  if (key_of_file(*exchange->snapshot, exchange->id))
    return exchange->refuse({FailureKind::conflict, Source::client,
                             "this key stands in the configuration; take it out there and reload",
                             "managed_by_config"});
  with_row(context, exchange, [&context, exchange](const io::KeyRow& row) { revoke(context, exchange, row); });
}

Json key_list_schema() { return object_of({{"data", list_of(reference("Key"))}}, "Keys"); }

}  // namespace tollgate::server::admin
