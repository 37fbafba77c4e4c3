#pragma once
#include "tollgate/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::config {

/// An http or https URL that the gateway itself sends to, taken apart. The operator wrote it, so it may be private.
struct WebAddress {
  bool tls = false;
  std::string host;  ///< lower case, an IP literal without brackets
  std::uint16_t port = 80;
  std::string target;  ///< path and query as they go into the request line; "/" at least
  bool operator==(const WebAddress&) const = default;
};

/// Without user, password and fragment. A failure's message never quotes the URL: its path may be a secret.
Result<WebAddress> parse_web_address(std::string_view text);

}  // namespace tollgate::config
