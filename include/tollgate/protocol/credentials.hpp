#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/protocol/http/head.hpp"

#include <string_view>

namespace tollgate::protocol {

/// What a request presents itself with, whatever the spelling. Views into the head.
struct Credentials {
  std::string_view key;       ///< what the gateway judges; empty: none
  std::string_view provider;  ///< beside x-tollgate-key: the caller's own credential for the provider; empty: none
};

/// Reads `Authorization: Bearer`, `x-api-key`, `api-key` and `x-tollgate-key`. Without the last, the first three are
/// spellings of one key: the same value in several is fine (some clients send two), two different ones are refused with
/// bad_request. (One of these fields twice is refused with the head.) With x-tollgate-key that is the key, and the
/// others are the caller's own. An `Authorization` of another scheme is a key that nobody has. Nothing that was sent is
/// repeated in a message.
Result<Credentials> read_credentials(const http::RequestHead& head);

/// The token of `Authorization: Bearer`, and of nothing else; empty: none.
std::string_view bearer_token(const http::RequestHead& head);

}  // namespace tollgate::protocol
