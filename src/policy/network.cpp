#include "tollgate/policy/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace tollgate::policy {

namespace {

constexpr unsigned mapped_bits = 96;  ///< of ::ffff:0:0, before an IPv4 address begins

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  constexpr std::size_t longest = INET6_ADDRSTRLEN;
  if (text.empty() || text.size() > longest || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address{};
  if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (::inet_pton(AF_INET, terminated.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const bool v4 = text.substr(0, slash).find(':') == text.npos;
  const unsigned most = v4 ? 32 : 128;
  unsigned bits = most;
  if (slash < text.size()) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + slash + 1, end, bits);
    if (parsed.ec != std::errc{} || parsed.ptr != end || bits > most) return std::nullopt;
  }
  Network network;
  network.first_ = *address;
  network.bits_ = v4 ? mapped_bits + bits : bits;
  return network;
}

bool Network::contains(const IpAddress& address) const {
  const std::size_t whole = bits_ / 8;
  if (!std::equal(address.begin(), address.begin() + whole, first_.begin())) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || (address[whole] ^ first_[whole]) >> (8 - rest) == 0;
}

std::vector<Network> parse_networks(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const std::string& text : texts) {
    if (const auto network = Network::parse(text)) networks.push_back(*network);
  }
  return networks;
}

bool any_contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&address](const Network& network) { return network.contains(address); });
}

}  // namespace tollgate::policy
