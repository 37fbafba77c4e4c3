#pragma once
#include "tollgate/io/store.hpp"
#include "tollgate/policy/key.hpp"

#include "strict_json.hpp"

namespace tollgate::server::admin {

/// What operators may know of a key: schema Key. Neither its text nor its digest.
Json view_of(const policy::Key& key);  ///< of the file
Json view_of(const io::KeyRow& row);   ///< of the store
/// The members of schema Key.
Json key_properties();

Json time_or_null(const std::optional<SystemTime>& time);

}  // namespace tollgate::server::admin
