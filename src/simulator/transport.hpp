#pragma once
#include "simulator/network.hpp"

#include <boost/asio/ssl/context.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::simulator {

/// A connection's bytes, in the clear or under TLS. One read and one write may be under way at once.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Async<bool> handshake() = 0;
  /// 0: the peer has closed, or the connection is broken or closed here.
  virtual Async<std::size_t> read_some(std::span<char> room) = 0;
  /// How many bytes the kernel took; fewer than given: the connection is broken or closed here.
  virtual Async<std::size_t> write(std::string_view bytes) = 0;
  /// Says goodbye as the protocol has it (FIN, under TLS close_notify first). `owner` keeps this object alive
  /// meanwhile.
  virtual void finish(std::shared_ptr<void> owner) = 0;

  /// Drops the connection without a goodbye under TLS; FIN.
  void close();
  /// TCP reset.
  void reset();

 protected:
  virtual Socket& socket() = 0;
};

std::unique_ptr<Transport> plain_transport(Socket socket);
std::unique_ptr<Transport> tls_transport(Socket socket, boost::asio::ssl::context& context);

/// Server side of TLS 1.2 and 1.3. Throws std::invalid_argument if certificate and key do not parse or do not belong
/// together.
boost::asio::ssl::context tls_context(const std::string& certificate_pem, const std::string& private_key_pem);

}  // namespace tollgate::simulator
