#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::policy {

/// An IP address as 16 bytes: IPv4 as the IPv6 address that it is mapped to, so that ::ffff:10.0.0.1 is 10.0.0.1.
using IpAddress = std::array<std::uint8_t, 16>;

/// An IP literal without brackets, zone or port; nothing where the text is anything else.
std::optional<IpAddress> parse_ip(std::string_view text);

/// The addresses that begin with the same bits: "10.0.0.0/8", "2001:db8::/32", or one address alone.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const;

 private:
  IpAddress first_{};
  unsigned bits_ = 0;  ///< 0..128, of the mapped form
};

/// Those of the texts that are networks.
std::vector<Network> parse_networks(const std::vector<std::string>& texts);

bool any_contains(const std::vector<Network>& networks, const IpAddress& address);

}  // namespace tollgate::policy
