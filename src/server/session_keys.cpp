// Who is calling: the one place where a credential is judged, whatever its spelling. Unknown, revoked and expired keys
// get the same answer, so that guessing teaches nothing.
#include "tollgate/protocol/credentials.hpp"

#include "session.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>

namespace tollgate::server {

using protocol::http::equals_ignoring_case;

namespace {

// No key is longer; a longer text is not even hashed.
constexpr std::size_t longest_key = 512;

std::optional<policy::IpAddress> peer_address(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  if (address.ss_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  return policy::parse_ip(text);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Where a request came from: the nearest address that is not one of our own proxies. Each hop appends the one that it
/// heard from, so the list is believed from its end on, and only as long as those who wrote it are trusted.
std::optional<policy::IpAddress> client_address(int descriptor, const protocol::http::RequestHead& head,
                                                const std::vector<policy::Network>& proxies) {
  auto address = peer_address(descriptor);
  std::string forwarded;
  for (const auto& field : head.fields) {
    if (!equals_ignoring_case(field.name, "x-forwarded-for")) continue;
    if (!forwarded.empty()) forwarded += ',';
    forwarded += field.value;
  }
  std::string_view hops = forwarded;
  while (address && any_contains(proxies, *address) && !hops.empty()) {
    const std::size_t comma = hops.rfind(',');
    address = policy::parse_ip(trimmed(comma == hops.npos ? hops : hops.substr(comma + 1)));
    hops = comma == hops.npos ? std::string_view{} : hops.substr(0, comma);
  }
  return address;
}

}  // namespace

bool Session::judge_key(const Head& head) {
  Request& request = *request_;
  const config::Snapshot& snapshot = *world().snapshot;
  const bool needs_key = plane_ == Plane::data &&
                         (request.route.endpoint == Endpoint::forward || request.route.endpoint == Endpoint::models);
  if (!needs_key || snapshot.tenants.empty()) return true;

  const auto credentials = protocol::read_credentials(head);
  if (!credentials) {
    refuse(credentials.error());
    return false;
  }
  if (credentials->key.empty()) {
    refuse({FailureKind::unauthorized, Source::client,
            "send an API key of this gateway as Authorization: Bearer, x-api-key or api-key"},
           "WWW-Authenticate: Bearer\r\n");
    return false;
  }
  return find_caller(credentials->key) && judge_address(head, *request.caller.key) &&
         judge_provider_credential(credentials->provider);
}

bool Session::find_caller(std::string_view credential) {
  Request& request = *request_;
  const bool same = last_caller_ && last_caller_->keys_version == worker_.keys_version() &&
                    same_secret(last_caller_->credential, credential) && worker_.services().keys_current();
  if (!same) {
    if (credential.size() > longest_key) return refuse_key();
    const auto verdict = worker_.find_key(sha256(credential));
    if (verdict.unsure) {
      Failure unsure{FailureKind::overloaded, Source::gateway,
                     "the gateway cannot look up keys at the moment; try again shortly"};
      unsure.retry_after = seconds(1);
      refuse(unsure, "Retry-After: 1\r\n");
      return false;
    }
    const config::Tenant* tenant = verdict.key ? world().snapshot->tenant(verdict.key->key.tenant) : nullptr;
    if (!tenant) return refuse_key();
    if (!last_caller_) last_caller_ = std::make_unique<LastCaller>();
    *last_caller_ = {std::string(credential), verdict.key, tenant, worker_.keys_version()};
  }
  const auto& expires = last_caller_->key->key.expires;
  if (expires && *expires <= request.began_at) return refuse_key();
  request.caller.key = last_caller_->key;
  request.caller.tenant = last_caller_->tenant;
  return true;
}

bool Session::refuse_key() {
  refuse({FailureKind::unauthorized, Source::client, "this API key is not known here"}, "WWW-Authenticate: Bearer\r\n");
  return false;
}

bool Session::judge_address(const Head& head, const policy::KnownKey& key) {
  if (key.networks.empty()) return true;
  const auto address = client_address(connection_->descriptor(), head, settings().trusted_networks);
  if (address && policy::any_contains(key.networks, *address)) return true;
  refuse({FailureKind::not_allowed, Source::client, "this API key may not be used from this address",
          "address_not_allowed"});
  return false;
}

bool Session::judge_provider_credential(std::string_view given) {
  Request& request = *request_;
  const bool passes = request.caller.tenant->passes_credentials;
  if (!passes && !given.empty()) {
    refuse({FailureKind::bad_request, Source::client,
            "two different credentials; x-tollgate-key beside another one is for tenants with credentials: client",
            "ambiguous_credentials"});
    return false;
  }
  if (passes && given.empty() && request.route.endpoint == Endpoint::forward) {
    refuse({FailureKind::unauthorized, Source::client,
            "this tenant's requests carry the gateway's key in x-tollgate-key and the provider's own in Authorization",
            "provider_credential_missing"});
    return false;
  }
  if (passes) request.caller.provider_credential = given;
  return true;
}

}  // namespace tollgate::server
