#include "support/tls_upstream.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace tollgate::test {

TlsUpstream::TlsUpstream(const Identity& identity, int version)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), identity.certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), identity.key.get()), 1);
}

TlsUpstream::Connection TlsUpstream::accept() {
  Connection connection;
  connection.socket_ = listener_.accept();
  if (!connection.socket_.is_open()) {
    ADD_FAILURE() << "nobody connected to the upstream";
    return connection;
  }
  const timeval limit{patience.count() / 1000, 0};
  ::setsockopt(connection.socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  connection.ssl_ = {SSL_new(context_.get()), SSL_free};
  SSL_set_fd(connection.ssl_.get(), connection.socket_.descriptor());
  connection.shaken_ = SSL_accept(connection.ssl_.get()) == 1;
  ERR_clear_error();
  return connection;
}

bool TlsUpstream::Connection::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string TlsUpstream::Connection::asked_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

std::string TlsUpstream::Connection::read_request() {
  std::string text;
  std::size_t wanted = std::string::npos;
  while (text.size() < wanted) {
    char bytes[16 * 1024];
    std::size_t count = 0;
    if (SSL_read_ex(ssl_.get(), bytes, sizeof bytes, &count) != 1) break;
    text.append(bytes, count);
    const std::size_t head = text.find("\r\n\r\n");
    const std::size_t length = text.find("\r\nContent-Length: ");
    if (head != std::string::npos && length < head) wanted = head + 4 + std::stoul(text.substr(length + 18));
  }
  ERR_clear_error();
  return text;
}

bool TlsUpstream::Connection::send(std::string_view bytes) {
  std::size_t count = 0;
  return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1 && count == bytes.size();
}

void TlsUpstream::Connection::close(bool goodbye) {
  if (goodbye) SSL_shutdown(ssl_.get());
  socket_.close();
}

}  // namespace tollgate::test
