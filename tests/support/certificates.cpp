// Certificates through OpenSSL's own calls, so that the tests need no openssl program, no files and no key material in
// the repository. Everything is random but the fields a test asks for.
#include "support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace tollgate::test {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test certificate: ") + what);
}

std::shared_ptr<EVP_PKEY> new_key(KeyKind kind) {
  EVP_PKEY* key = kind == KeyKind::ec_p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kind == KeyKind::rsa_2048 ? 2048 : 1024);
  require(key, "key");
  return {key, EVP_PKEY_free};
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), X509_EXTENSION_free);
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

std::string alternative_names(const CertificateSpec& spec) {
  std::string names;
  const auto append = [&](const char* kind, const std::string& value) {
    names += (names.empty() ? "" : ",") + std::string(kind) + value;
  };
  for (const auto& name : spec.dns_names) append("DNS:", name);
  for (const auto& address : spec.ip_addresses) append("IP:", address);
  return names;
}

void add_extensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  add_extension(certificate, issuer, NID_basic_constraints, spec.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage,
                spec.authority ? "critical,keyCertSign" : "critical,digitalSignature");
  if (!spec.authority && !spec.extended_usage.empty()) {
    add_extension(certificate, issuer, NID_ext_key_usage, spec.extended_usage);
  }
  if (const auto names = alternative_names(spec); !names.empty()) {
    add_extension(certificate, issuer, NID_subject_alt_name, names);
  }
}

/// Without an issuer the certificate signs itself.
Identity make(const CertificateSpec& spec, const Identity* issuer) {
  Identity made{{X509_new(), X509_free}, new_key(spec.key)};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  X509_time_adj_ex(X509_getm_notBefore(certificate), spec.valid_from_days, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate), spec.valid_until_days, 0, nullptr);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1, -1, 0);
  X509* signer = issuer ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509_set_pubkey(certificate, made.key.get());
  add_extensions(certificate, signer, spec);
  const EVP_MD* digest = spec.digest == Digest::sha1 ? EVP_sha1() : EVP_sha256();
  require(X509_sign(certificate, (issuer ? issuer->key : made.key).get(), digest) > 0, "signature");
  return made;
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  require(write(out.get()) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

std::string Identity::certificate_pem() const {
  return pem([this](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
}

std::string Identity::key_pem() const {
  return pem(
      [this](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

Identity self_signed(const CertificateSpec& spec) { return make(spec, nullptr); }
Identity issued_by(const Identity& issuer, const CertificateSpec& spec) { return make(spec, &issuer); }

}  // namespace tollgate::test
