#include "tollgate/protocol/credentials.hpp"

#include <array>

namespace tollgate::protocol {

namespace {

constexpr std::string_view scheme = "bearer ";

bool has_scheme(std::string_view value) {
  return value.size() > scheme.size() && http::equals_ignoring_case(value.substr(0, scheme.size()), scheme);
}

std::string_view without_scheme(std::string_view value) {
  value.remove_prefix(scheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

}  // namespace

std::string_view bearer_token(const http::Fields& fields) {
  const std::string_view value = fields.value("authorization");
  return has_scheme(value) ? without_scheme(value) : std::string_view{};
}

Result<Credentials> read_credentials(const http::Fields& fields) {
  Credentials credentials;
  std::string_view shared;
  constexpr std::array<std::string_view, 3> spellings{"authorization", "x-api-key", "api-key"};
  for (const std::string_view name : spellings) {
    const std::string_view value = fields.value(name);
    const std::string_view given = name == "authorization" && has_scheme(value) ? without_scheme(value) : value;
    if (given.empty()) continue;
    if (!shared.empty() && shared != given)
      return Failure{FailureKind::bad_request, Source::client,
                     "two different credentials; send one of Authorization, x-api-key and api-key",
                     "ambiguous_credentials"};
    shared = given;
  }
  const std::string_view key = fields.value("x-tollgate-key");
  credentials.key = key.empty() ? shared : key;
  if (shared != credentials.key) credentials.provider = shared;
  return credentials;
}

}  // namespace tollgate::protocol
