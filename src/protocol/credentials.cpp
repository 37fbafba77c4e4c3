#include "tollgate/protocol/credentials.hpp"

#include <initializer_list>

namespace tollgate::protocol {

namespace {

constexpr std::string_view scheme = "bearer ";

bool has_scheme(std::string_view value) {
  if (value.starts_with("Bearer ") && value.size() > scheme.size()) return true;  // as everybody writes it
  return value.size() > scheme.size() && http::equals_ignoring_case(value.substr(0, scheme.size()), scheme);
}

std::string_view without_scheme(std::string_view value) {
  value.remove_prefix(scheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

}  // namespace

std::string_view bearer_token(const http::RequestHead& head) {
  return has_scheme(head.authorization) ? without_scheme(head.authorization) : std::string_view{};
}

Result<Credentials> read_credentials(const http::RequestHead& head) {
  const std::string_view authorization =
      has_scheme(head.authorization) ? without_scheme(head.authorization) : head.authorization;
  std::string_view shared;
  for (const std::string_view given : {authorization, head.x_api_key, head.api_key}) {
    if (given.empty()) continue;
    if (!shared.empty() && shared != given)
      return Failure{FailureKind::bad_request, Source::client,
                     "two different credentials; send one of Authorization, x-api-key and api-key",
                     "ambiguous_credentials"};
    shared = given;
  }
  Credentials credentials;
  const std::string_view ours = head.speaks_to_us ? head.fields.value("x-tollgate-key") : std::string_view{};
  credentials.key = ours.empty() ? shared : ours;
  if (!ours.empty() && shared != ours) credentials.provider = shared;
  return credentials;
}

}  // namespace tollgate::protocol
