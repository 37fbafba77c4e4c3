#include "config/addresses.hpp"
// Addresses and URLs as an operator writes them. Everything here is stricter than a browser: a URL that could be read
// two ways is refused, because the rest of the gateway trusts these values without looking again.

#include "config/units.hpp"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tollgate::config {

namespace {

constexpr std::size_t longest_host = 253;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Parsed<std::uint16_t> parse_port(std::string_view text, std::uint64_t least) {
  const auto port = parse_count(text);
  if (!port || *port < least || *port > 65535)
    return Problem{"a port must be a number from " + std::to_string(least) + " to 65535"};
  return static_cast<std::uint16_t>(*port);
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

/// Splits "host:port", "[v6]:port" and the forms without a port.
Parsed<HostPort> split_host_port(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return Problem{"a '[' has no ']'"};
    const auto host = text.substr(1, close - 1);
    if (!is_ipv6(host)) return Problem{"the part in brackets is no IPv6 address"};
    const auto rest = text.substr(close + 1);
    if (rest.empty()) return HostPort{host, std::nullopt};
    if (!rest.starts_with(':')) return Problem{"expected ':' and a port after ']'"};
    return HostPort{host, rest.substr(1)};
  }
  const auto colon = text.find(':');
  if (colon == text.npos) return HostPort{text, std::nullopt};
  if (text.find(':', colon + 1) != text.npos)
    return Problem{"an IPv6 address must stand in brackets", "write it like [::1]:8080"};
  return HostPort{text.substr(0, colon), text.substr(colon + 1)};
}

Parsed<ListenAddress> parse_unix(std::string_view text) {
  ListenAddress address;
  address.text = text;
  address.unix_path = text.substr(5);
  address.loopback = true;
  if (!address.unix_path.starts_with('/'))
    return Problem{"the path of a Unix socket must be absolute", "write it like unix:/run/tollgate.sock"};
  if (address.unix_path.size() >= sizeof(sockaddr_un::sun_path))
    return Problem{"the path of a Unix socket is at most 107 bytes"};
  return address;
}

bool is_path_byte(char c) {
  constexpr std::string_view marks = "/-._~!$&'()*+,;=:@%";
  return std::isalnum(static_cast<unsigned char>(c)) || marks.find(c) != marks.npos;
}

std::optional<Problem> check_path(std::string_view path) {
  if (!std::all_of(path.begin(), path.end(), is_path_byte))
    return Problem{"the path of the URL holds a byte that needs escaping"};
  if ((std::string(path) + "/").find("/./") != std::string::npos ||
      (std::string(path) + "/").find("/../") != std::string::npos)
    return Problem{"the path of the URL holds a dot segment"};
  if (path.find("//") != path.npos) return Problem{"the path of the URL holds an empty segment"};
  return std::nullopt;
}

}  // namespace

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_loopback(std::string_view host) {
  if (is_ipv4(host)) return host.starts_with("127.");
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(host).c_str(), &address) != 1) return lower(host) == "localhost";
  return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

std::optional<Problem> check_host(std::string_view host) {
  if (is_ipv4(host) || is_ipv6(host)) return std::nullopt;
  if (host.empty()) return Problem{"the host is missing"};
  if (host.size() > longest_host) return Problem{"a host name is at most 253 bytes"};
  const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
  if (!std::all_of(host.begin(), host.end(), allowed))
    return Problem{"a host name holds letters, digits, '-', '.' and '_' only"};
  if (host.starts_with('.') || host.starts_with('-') || host.find("..") != host.npos)
    return Problem{"the host name is malformed"};
  // Resolvers read "127.1" and "0x7f.1" as addresses in forgotten notations; nobody means them.
  const auto last = host.substr(host.find_last_of('.') + 1);
  if (!last.empty() && std::isdigit(static_cast<unsigned char>(last.front())))
    return Problem{"the host is neither a name nor an IP address"};
  return std::nullopt;
}

Parsed<ListenAddress> parse_listen(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  const auto parts = split_host_port(text);
  if (!parts) return parts.error();
  if (!parts->port) return Problem{"an address needs a port", "write it like 127.0.0.1:8080"};
  const auto port = parse_port(*parts->port, 0);
  if (!port) return port.error();
  ListenAddress address;
  address.text = text;
  address.host = lower(parts->host);
  address.port = *port;
  if (text.starts_with("[]")) return Problem{"the part in brackets is no IPv6 address"};
  if (address.host == "localhost") {
    return Problem{"expected an IP address, not a name", "did you mean '127.0.0.1:" + std::to_string(*port) + "'?"};
  }
  if (!address.host.empty() && !is_ipv4(address.host) && !is_ipv6(address.host))
    return Problem{"expected an IP address, ':PORT' or 'unix:/PATH'", "write it like 127.0.0.1:8080"};
  address.loopback = !address.host.empty() && is_loopback(address.host);
  return address;
}

Parsed<BaseUrl> parse_base_url(std::string_view text) {
  BaseUrl url;
  if (text.starts_with("https://"))
    url.tls = true;
  else if (!text.starts_with("http://"))
    return Problem{"expected a URL that begins with http:// or https://"};
  text.remove_prefix(url.tls ? 8 : 7);
  if (text.find('?') != text.npos || text.find('#') != text.npos)
    return Problem{"the URL must not hold a query or a fragment"};
  const auto slash = std::min(text.find('/'), text.size());
  const auto authority = text.substr(0, slash);
  if (authority.find('@') != authority.npos)
    return Problem{"the URL must not hold a user or a password", "use credentials instead"};
  const auto parts = split_host_port(authority);
  if (!parts) return parts.error();
  if (auto problem = check_host(parts->host)) return *problem;
  url.host = lower(parts->host);
  url.port = url.tls ? 443 : 80;
  if (parts->port) {
    const auto port = parse_port(*parts->port, 1);
    if (!port) return port.error();
    url.port = *port;
  }
  auto path = text.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (auto problem = check_path(path)) return *problem;
  url.path = path;
  return url;
}

std::string show_base_url(const BaseUrl& url) {
  std::string text = url.tls ? "https://" : "http://";
  text += url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != (url.tls ? 443 : 80)) text += ":" + std::to_string(url.port);
  return text + url.path;
}

std::optional<Problem> check_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  const bool v4 = is_ipv4(address);
  if (!v4 && !is_ipv6(address))
    return Problem{"expected an IP address or a network", "write it like 10.0.0.0/8 or ::1"};
  if (slash == text.npos) return std::nullopt;
  const auto bits = parse_count(text.substr(slash + 1));
  if (!bits || *bits > (v4 ? 32u : 128u)) return Problem{"the prefix length of the network is out of range"};
  return std::nullopt;
}

std::optional<Problem> check_origin(std::string_view text) {
  if (text == "*") return std::nullopt;
  const Problem form{"expected '*' or an origin",
                     "write it like https://app.example.com, with no path and no slash at the end"};
  const auto url = parse_base_url(text);
  if (!url) return Problem{form.message + ": " + url.error().message, form.suggestion};
  if (text.ends_with('/') || !url->path.empty()) return form;
  if (lower(text) != text) return Problem{"an origin is written in lower case"};
  return std::nullopt;
}

}  // namespace tollgate::config
