// Two kinds of SSL_CTX on one strict base. All that could weaken them from outside, such as the system's openssl.cnf,
// is set here explicitly.
#include "tollgate/io/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

namespace tollgate::io {
namespace {

constexpr const char* tls12_suites = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL";
constexpr const char* tls13_suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";
/// A list of names, each after its length (RFC 7301, section 3.1).
constexpr std::string_view our_protocols("\x08http/1.1");

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// The first error in this thread's queue, which is the cause of the others; empties the queue.
std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(code);  // null for errors of the system, which have their own table
  if (reason) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Failure failure(const std::string& what) { return Failure{.message = what + ": " + take_openssl_error()}; }

SslContext new_context(const SSL_METHOD* method) { return {SSL_CTX_new(method), SSL_CTX_free}; }

Result<void> apply_base(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, 2);  // no key under 112 bits of security, no SHA-1 signature
  const bool done = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_cipher_list(context, tls12_suites) == 1 &&
                    SSL_CTX_set_ciphersuites(context, tls13_suites) == 1 &&
                    SSL_CTX_set1_groups_list(context, groups) == 1;
  if (!done) return failure("TLS cannot be set up");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Connections write what the socket takes and hold no record buffers while they wait.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return {};
}

/// An encrypted key would make OpenSSL ask on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

int select_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
  unsigned char* match = nullptr;
  const int found =
      SSL_select_next_proto(&match, length, bytes(our_protocols), our_protocols.size(), offered, offered_length);
  *chosen = match;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<void> load_identity(SSL_CTX* context, const config::ServerTls& settings) {
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) {
    return failure("cannot use the certificate " + settings.certificate);
  }
  // Also refuses a key that does not belong to the certificate loaded before.
  if (SSL_CTX_use_PrivateKey_file(context, settings.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failure("cannot use the private key " + settings.private_key + " with the certificate " +
                   settings.certificate);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return failure("the private key " + settings.private_key + " does not belong to the certificate " +
                   settings.certificate);
  }
  return {};
}

Result<void> load_trust(SSL_CTX* context, const config::UpstreamTls& settings) {
  if (settings.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return failure("the system's certificate store cannot be read");
    return {};
  }
  if (SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1) {
    return failure("cannot use the CA file " + settings.ca_file);
  }
  // What the file names is trusted as it stands, an intermediate too.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

bool is_ip_literal(const std::string& name) {
  in6_addr address{};
  return inet_pton(AF_INET, name.c_str(), &address) == 1 || inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

}  // namespace

Result<SslContext> make_server_context(const config::ServerTls& settings) {
  ERR_clear_error();
  auto context = new_context(TLS_server_method());
  if (!context) return failure("TLS cannot be set up");
  if (auto base = apply_base(context.get()); !base) return base.error();
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  if (auto identity = load_identity(context.get(), settings); !identity) return identity.error();
  return context;
}

std::optional<SystemTime> end_of(const SslContext& context) {
  std::optional<SystemTime> end;
  const auto consider = [&end](const X509* certificate) {
    tm fields{};
    if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &fields) != 1) return;
    const SystemTime when{std::chrono::seconds(timegm(&fields))};
    if (!end || when < *end) end = when;
  };
  consider(SSL_CTX_get0_certificate(context.get()));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context.get(), &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) consider(sk_X509_value(chain, i));
  return end;
}

Result<SslContext> make_client_context(const config::UpstreamTls& settings) {
  ERR_clear_error();
  auto context = new_context(TLS_client_method());
  if (!context) return failure("TLS cannot be set up");
  if (auto base = apply_base(context.get()); !base) return base.error();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (SSL_CTX_set_alpn_protos(context.get(), bytes(our_protocols), our_protocols.size()) != 0) {
    return failure("TLS cannot be set up");
  }
  if (auto trust = load_trust(context.get(), settings); !trust) return trust.error();
  return context;
}

Result<void> prepare_client(SSL* ssl, const std::string& host, const std::string& server_name) {
  ERR_clear_error();
  std::string name = server_name.empty() ? host : server_name;
  if (name.ends_with('.'))
    name.pop_back();  // certificates and SNI (RFC 6066, section 3) have names without the root's dot
  if (name.empty()) return Failure{.message = "there is no name to verify the upstream's certificate against"};
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  if (is_ip_literal(name)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return {};
    return failure("cannot verify " + name);
  }
  // The subject's common name is no name of a server (RFC 9110, section 4.3.4).
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_host(param, name.data(), name.size()) == 1 &&
      SSL_set_tlsext_host_name(ssl, name.c_str()) == 1) {
    return {};
  }
  return failure("cannot verify " + name);
}

}  // namespace tollgate::io
