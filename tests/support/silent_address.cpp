#include "support/silent_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tollgate::test {

SilentAddress::SilentAddress(const std::string& literal, std::uint16_t port)
    : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, literal.c_str(), &address.sin_addr), 1);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listening_.descriptor(), generic, size), 0);
  EXPECT_EQ(::listen(listening_.descriptor(), 0), 0);
  ::getsockname(listening_.descriptor(), generic, &size);
  port_ = ntohs(address.sin_port);
  for (RawSocket& socket : fill_) {
    socket = RawSocket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(socket.descriptor(), generic, size);
  }
}

}  // namespace tollgate::test
