#include "support/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace tollgate::test {

TlsClient::TlsClient(const std::string& address, const TlsWishes& wishes)
    : RawClient(address), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX_set_security_level(context_.get(), 0);  // what the gateway refuses must not already be refused here
  if (wishes.min_version != 0) SSL_CTX_set_min_proto_version(context_.get(), wishes.min_version);
  if (wishes.max_version != 0) SSL_CTX_set_max_proto_version(context_.get(), wishes.max_version);
  if (!wishes.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), wishes.ciphers.c_str());
  if (!wishes.protocols.empty())
    SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                            static_cast<unsigned int>(wishes.protocols.size()));
  const timeval limit{patience.count() / 1000, 0};
  ::setsockopt(socket().descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket().descriptor(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ssl_ = {SSL_new(context_.get()), SSL_free};
  SSL_set_fd(ssl_.get(), socket().descriptor());
  shaken_ = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
}

TlsClient::~TlsClient() = default;

std::string TlsClient::version() const { return SSL_get_version(ssl_.get()); }
std::string TlsClient::cipher() const { return SSL_get_cipher(ssl_.get()); }

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsClient::peer_name() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!certificate) return {};
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
  return name;
}

bool TlsClient::send(std::string_view bytes) {
  std::size_t sent = 0;
  return bytes.empty() || (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent) == 1 && sent == bytes.size());
}

void TlsClient::notify_close() { SSL_shutdown(ssl_.get()); }

std::optional<std::string> TlsClient::receive() {
  std::string bytes(64 * 1024, '\0');
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (result != 1 && error != SSL_ERROR_ZERO_RETURN) return std::nullopt;
  bytes.resize(result == 1 ? count : 0);
  return bytes;
}

}  // namespace tollgate::test
