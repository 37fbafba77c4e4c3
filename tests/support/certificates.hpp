#pragma once
// Certificates made on the spot, good ones and every bad kind, so that no test carries key material or an expiry date.
#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

namespace tollgate::test {

enum class KeyKind { ec_p256, rsa_2048, rsa_1024 };
enum class Digest { sha256, sha1 };

struct CertificateSpec {
  std::string common_name = "tollgate test";
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  int valid_from_days = -1;  ///< relative to now
  int valid_until_days = 30;
  std::string extended_usage = "serverAuth";  ///< as in openssl x509v3_config; empty: none
  bool authority = false;                     ///< may sign others
  KeyKind key = KeyKind::ec_p256;
  Digest digest = Digest::sha256;  ///< of the signature by its issuer
};

/// A certificate with its key. Copies share both.
struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;

  std::string certificate_pem() const;
  std::string key_pem() const;
};

/// Throws std::runtime_error where OpenSSL refuses.
Identity self_signed(const CertificateSpec& spec);
Identity issued_by(const Identity& issuer, const CertificateSpec& spec);

}  // namespace tollgate::test
