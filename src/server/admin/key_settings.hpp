#pragma once
// What the holder of a key may do, as JSON in the words of routes.yaml: in requests, in answers and in the store.
#include "tollgate/config/snapshot.hpp"
#include "tollgate/policy/key.hpp"

#include "strict_json.hpp"

namespace tollgate::server::admin {

/// Every setting, those that are not set as null: what read_settings() takes back.
Json settings_json(const policy::KeySettings& settings);
Json rights_json(const policy::Rights& rights);  ///< {allow, deny}
Json limits_json(const policy::Limits& limits);

/// Takes the settings from the members of an object, which may have others beside them.
void read_settings(Members& members, policy::KeySettings& settings);

/// The settings as the store keeps them, and back. A text that is none of ours is a Failure.
std::string key_settings_text(const policy::KeySettings& settings);
Result<policy::KeySettings> key_settings_from(std::string_view text);

/// Whether the routes and models that the settings name are there.
void check_names(const config::Snapshot& snapshot, const policy::Rights& rights, Fault& fault);

/// A name of a key: letters, digits and . _ : @ -, at most 128 bytes.
std::optional<std::string> check_key_name(std::string_view name);

// Schemas, named as in the OpenAPI document.
Json names_schema();
Json limits_schema();
Json settings_schema();

}  // namespace tollgate::server::admin
