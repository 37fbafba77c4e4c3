#pragma once
#include "tollgate/protocol/http/head.hpp"

#include <cstdint>
#include <string_view>

namespace tollgate::protocol::http {

// Rules for the values of single fields. Each gives the reason of a refusal, a literal, or empty where all is well.

/// Content-Length: digits without leading zeros, below 2^63.
std::string_view read_content_length(std::string_view value, std::uint64_t& length);

/// Transfer-Encoding: the one token "chunked".
std::string_view check_transfer_encoding(std::string_view value);

/// Host: a name, an IPv4 address or an IPv6 address in brackets, with or without a port.
std::string_view check_host(std::string_view value);

/// What the Connection fields of a head ask for.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
};

/// Connection: tokens, adding to `options`. Fields that we act on or pass on must not be named, as the message would
/// then mean one thing to whoever drops them and another to whoever does not.
std::string_view read_connection(std::string_view value, bool request, ConnectionOptions& options);

/// Takes the next element off the front of a comma-separated list, white space around it removed; it may be empty.
std::string_view take_element(std::string_view& list);

/// What the framing fields of a head say, gathered while its fields are read.
class BodyFields {
 public:
  /// Reason or empty.
  std::string_view content_length(std::string_view value);
  std::string_view transfer_encoding(std::string_view value);
  /// To be asked when all fields are read.
  std::string_view conflict(bool http_1_0) const;

  bool has_length() const { return has_length_; }
  bool chunked() const { return chunked_; }
  std::uint64_t length() const { return length_; }

 private:
  bool has_length_ = false;
  bool chunked_ = false;
  std::uint64_t length_ = 0;
};

}  // namespace tollgate::protocol::http
