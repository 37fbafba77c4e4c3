#include "key_view.hpp"

#include "tollgate/base/instant.hpp"

#include "handlers.hpp"
#include "key_settings.hpp"
#include "schema.hpp"

namespace tollgate::server::admin {

namespace {

/// A settings text that a newer program has written is not guessed at.
Json stored_settings(const std::string& text) {
  const auto settings = key_settings_from(text);
  return settings ? settings_json(*settings) : Json();
}

}  // namespace

Json time_or_null(const std::optional<SystemTime>& time) { return time ? Json(show_instant(*time)) : Json(); }

Json view_of(const policy::Key& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"tenant", key.tenant},
          {"hint", key.hint},
          {"created_at", nullptr},
          {"created_by", nullptr},
          {"expires_at", time_or_null(key.expires)},
          {"revoked_at", nullptr},
          {"managed_by", "config"},
          {"settings", settings_json(key.settings)}};
}

Json view_of(const io::KeyRow& row) {
  return {{"id", row.id},
          {"name", row.name},
          {"tenant", row.tenant},
          {"hint", row.hint},
          {"created_at", show_instant(row.created_at)},
          {"created_by", row.created_by},
          {"expires_at", time_or_null(row.expires_at)},
          {"revoked_at", time_or_null(row.revoked_at)},
          {"managed_by", "api"},
          {"settings", stored_settings(row.settings)}};
}

Json key_properties() {
  return {{"id", scalar_of("string", "For paths and the audit; tenant/name for a key of the file")},
          {"name", scalar_of("string", "What logs and reports call it")},
          {"tenant", scalar_of("string", "Whose it is")},
          {"hint", scalar_of("string", "Its first and last characters; empty where only its digest is known")},
          {"created_at", scalar_of({"string", "null"}, "UTC; null for a key of the file")},
          {"created_by", scalar_of({"string", "null"}, "The name of the admin token; null for a key of the file")},
          {"expires_at", scalar_of({"string", "null"}, "UTC")},
          {"revoked_at", scalar_of({"string", "null"}, "UTC")},
          {"managed_by", {{"type", "string"}, {"enum", {"config", "api"}}}},
          {"settings", or_null_of(reference("KeySettings"), "null: written by a newer program")}};
}

Json key_schema() { return object_of(key_properties(), "A tenant's API key; neither its text nor its digest"); }

}  // namespace tollgate::server::admin
