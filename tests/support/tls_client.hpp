#pragma once
// A client that speaks TLS by blocking calls, with what a test wants to say about versions, ciphers and trust.
#include "support/raw_client.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>

namespace tollgate::test {

struct TlsWishes {
  int min_version = 0, max_version = 0;  ///< TLS1_2_VERSION and so on; 0: the library's
  std::string ciphers{};                 ///< of TLS 1.2; empty: the library's
  std::string protocols{};               ///< ALPN, as it goes over the wire
};

class TlsClient final : public RawClient {
 public:
  explicit TlsClient(const std::string& address, const TlsWishes& wishes = {});
  ~TlsClient() override;

  bool shaken() const { return shaken_; }
  /// As negotiated: "TLSv1.3", and the cipher's name.
  std::string version() const;
  std::string cipher() const;
  std::string protocol() const;
  /// The common name of the server's certificate.
  std::string peer_name() const;

  bool send(std::string_view bytes) override;
  /// Says goodbye in TLS' own words, without closing the socket.
  void notify_close();

 protected:
  std::optional<std::string> receive() override;

 private:
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  bool shaken_ = false;
};

}  // namespace tollgate::test
