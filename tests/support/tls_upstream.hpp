#pragma once
// A provider that speaks TLS, played by hand: shows what name it was asked for, whether a session was resumed, and what
// a client that does not trust it still said.
#include "support/certificates.hpp"
#include "support/raw_socket.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>

namespace tollgate::test {

class TlsUpstream {
 public:
  /// `version`: the only one that is spoken, TLS1_2_VERSION or TLS1_3_VERSION.
  TlsUpstream(const Identity& identity, int version);

  class Connection {
   public:
    bool shaken() const { return shaken_; }
    bool resumed() const;
    std::string asked_name() const;  ///< SNI
    /// Whatever of a request comes: everything up to the end of a body with Content-Length.
    std::string read_request();
    bool send(std::string_view bytes);
    /// With TLS' own goodbye, or without it as an attacker or a crash would.
    void close(bool goodbye);

   private:
    friend class TlsUpstream;
    RawSocket socket_;
    std::shared_ptr<SSL> ssl_;
    bool shaken_ = false;
  };

  std::uint16_t port() const { return listener_.port(); }
  int descriptor() const { return listener_.descriptor(); }  ///< readable where somebody connects
  Connection accept();

 private:
  RawListener listener_;
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace tollgate::test
