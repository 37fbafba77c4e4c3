#pragma once
#include "tollgate/io/store.hpp"
#include "tollgate/policy/key.hpp"

#include <string>

namespace tollgate::server::admin {

/// A key as the store keeps it; server::key_from() is the way back.
io::KeyRow row_of(const policy::Key& key, const std::string& creator);

}  // namespace tollgate::server::admin
