#include "key_row.hpp"

#include "tollgate/server/admin_api.hpp"

#include "key_settings.hpp"

namespace tollgate::server {

io::KeyRow admin::row_of(const policy::Key& key, const std::string& creator) {
  io::KeyRow row;
  row.id = key.id;
  row.tenant = key.tenant;
  row.name = key.name;
  row.digest = key.digest;
  row.hint = key.hint;
  row.created_at = key.created;
  row.created_by = creator;
  row.expires_at = key.expires;
  row.settings = key_settings_text(key.settings);
  return row;
}

Result<policy::Key> key_from(const io::KeyRow& row) {
  auto settings = admin::key_settings_from(row.settings);
  if (!settings) return settings.error();
  policy::Key key;
  key.id = row.id;
  key.tenant = row.tenant;
  key.name = row.name;
  key.digest = row.digest;
  key.hint = row.hint;
  key.created = row.created_at;
  key.expires = row.expires_at;
  key.settings = std::move(*settings);
  return key;
}

}  // namespace tollgate::server
