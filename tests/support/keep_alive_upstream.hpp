#pragma once
// A provider played by hand that keeps its connections open, so that a test sees on which of them the gateway sends its
// next request, and which of them it never uses again.
#include "support/raw_socket.hpp"
#include "support/raw_upstream.hpp"

#include <deque>
#include <string>

namespace tollgate::test {

class KeepAliveUpstream {
 public:
  /// A request and the connection it came on, counted from 0 in the order in which they were accepted.
  struct Call {
    std::size_t connection = 0;
    UpstreamRequest request;
  };

  std::uint16_t port() const { return listener_.port(); }
  /// The next request on any connection, old or new. Fails the test where none comes in time.
  Call next();
  RawSocket& connection(std::size_t index) { return connections_.at(index); }
  std::size_t accepted() const { return connections_.size(); }

 private:
  RawListener listener_;
  std::deque<RawSocket> connections_;
};

}  // namespace tollgate::test
