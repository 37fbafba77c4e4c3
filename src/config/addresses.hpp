#pragma once
#include "tollgate/config/snapshot.hpp"

#include "config/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::config {

/// The four forms of ListenAddress.
Parsed<ListenAddress> parse_listen(std::string_view text);

/// An http or https URL taken apart as Provider holds it. Problems never quote the URL: it may hold a password.
struct BaseUrl {
  bool tls = false;
  std::string host;  ///< lower case, IPv6 without brackets
  std::uint16_t port = 80;
  std::string path;  ///< without a trailing slash
};
Parsed<BaseUrl> parse_base_url(std::string_view text);
std::string show_base_url(const BaseUrl& url);

bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
/// A loopback IP literal, or "localhost".
bool is_loopback(std::string_view host);

/// A DNS name or an IP literal, or why it is none.
std::optional<Problem> check_host(std::string_view host);
/// "10.0.0.0/8", "::1"
std::optional<Problem> check_network(std::string_view text);
/// "*", or scheme and authority as a browser sends them in `Origin`: "https://app.example.com", no slash at the end.
std::optional<Problem> check_origin(std::string_view text);

}  // namespace tollgate::config
