#pragma once
#include "support/raw_socket.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace tollgate::test {

/// An address on which connecting never comes to an end: its backlog is full, and the kernel drops what else arrives.
class SilentAddress {
 public:
  explicit SilentAddress(const std::string& literal = "127.0.0.1", std::uint16_t port = 0);
  std::uint16_t port() const { return port_; }

 private:
  RawSocket listening_;
  std::array<RawSocket, 4> fill_;
  std::uint16_t port_ = 0;
};

}  // namespace tollgate::test
