// Real handshakes in memory: our client context against servers with every bad kind of certificate, and our server
// context against clients with old versions, weak suites and foreign protocols. Each refusal has its counterpart that
// is accepted.
#include "tollgate/io/tls_context.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

namespace {

using namespace tollgate;
using io::SslContext;
using test::CertificateSpec;
using test::Identity;
using testing::HasSubstr;
namespace fs = std::filesystem;

using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

/// The two ends of a connection that exists in memory only.
struct Pair {
  Ssl client, server;

  Pair(SSL_CTX* client_context, SSL_CTX* server_context)
      : client(SSL_new(client_context), SSL_free), server(SSL_new(server_context), SSL_free) {
    BIO *client_end = nullptr, *server_end = nullptr;
    BIO_new_bio_pair(&client_end, 64 * 1024, &server_end, 64 * 1024);
    SSL_set_bio(client.get(), client_end, client_end);
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
  }

  /// Whether both ends finish. A TLS 1.3 client finishes first, so the server decides as well.
  bool handshake() {
    bool client_done = false, server_done = false;
    for (int turn = 0; turn < 20 && !(client_done && server_done); ++turn) {
      for (const auto& [ssl, done] : {std::pair{client.get(), &client_done}, std::pair{server.get(), &server_done}}) {
        if (*done) continue;
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl);
        *done = result == 1;
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return false;
      }
    }
    return client_done && server_done;
  }
  /// What the client reads of `text` that the server writes; takes tickets in on the way.
  std::string transfer(const std::string& text) {
    std::size_t count = 0;
    if (SSL_write_ex(server.get(), text.data(), text.size(), &count) != 1) return {};
    std::array<char, 1024> received;
    if (SSL_read_ex(client.get(), received.data(), received.size(), &count) != 1) return {};
    return {received.data(), count};
  }
};

class TlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = new Identity(test::self_signed({.common_name = "authority", .authority = true}));
    good_ = new Identity(test::issued_by(*authority_, {.dns_names = {"api.test"}}));
  }
  static void TearDownTestSuite() {
    delete authority_;
    delete good_;
  }
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tls_context_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  // Client side.
  SslContext client_trusting(const Identity& anchor) const {
    return io::make_client_context({.ca_file = write("ca.pem", anchor.certificate_pem()), .server_name = ""}).value();
  }
  /// A server that shows whatever it is given, however bad.
  static SslContext any_server(const Identity& identity) {
    SslContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    EXPECT_EQ(SSL_CTX_use_certificate(context.get(), identity.certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()), 1);
    return context;
  }
  /// X509_V_OK, or why our client, which trusts the authority, refused this server when it wanted to reach `host`.
  long verdict(const Identity& server, const std::string& host = "api.test",
               const std::string& server_name = "") const {
    const auto client = client_trusting(*authority_);
    const auto shown = any_server(server);
    Pair pair(client.get(), shown.get());
    EXPECT_TRUE(io::prepare_client(pair.client.get(), host, server_name).has_value());
    const bool finished = pair.handshake();
    const long verified = SSL_get_verify_result(pair.client.get());
    EXPECT_EQ(finished, verified == X509_V_OK);
    return verified;
  }
  long verdict_on(const CertificateSpec& spec) const { return verdict(test::issued_by(*authority_, spec)); }

  // Server side.
  config::ServerTls server_files(const Identity& identity) const {
    return {.certificate = write("cert.pem", identity.certificate_pem()),
            .private_key = write("key.pem", identity.key_pem())};
  }
  SslContext our_server() const { return io::make_server_context(server_files(*good_)).value(); }
  /// A client with no scruples, so that what fails is the server's refusal.
  static SslContext any_client(const std::function<void(SSL_CTX*)>& adjust = [](SSL_CTX*) {}) {
    SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    adjust(context.get());
    return context;
  }
  bool server_accepts(const std::function<void(SSL_CTX*)>& adjust) const {
    const auto client = any_client(adjust);
    const auto server = our_server();
    return Pair(client.get(), server.get()).handshake();
  }

  static const Identity* authority_;
  static const Identity* good_;
  fs::path folder_;
};
const Identity* TlsTest::authority_ = nullptr;
const Identity* TlsTest::good_ = nullptr;

using TlsClient = TlsTest;

TEST_F(TlsTest, a_server_tells_the_earliest_end_of_what_it_shows) {
  const auto days_from_now = [](const SslContext& context) {
    const auto left = io::end_of(context).value() - std::chrono::system_clock::now();
    return std::chrono::duration_cast<std::chrono::hours>(left + std::chrono::hours(1)).count() / 24;
  };
  const auto leaf = test::issued_by(*authority_, {.valid_until_days = 20});
  EXPECT_EQ(days_from_now(io::make_server_context(server_files(leaf)).value()), 20);
  const auto short_lived = test::self_signed({.valid_until_days = 10, .authority = true});
  auto chain = server_files(leaf);
  std::ofstream(chain.certificate, std::ios::app) << short_lived.certificate_pem();
  EXPECT_EQ(days_from_now(io::make_server_context(chain).value()), 10);
}

TEST_F(TlsClient, accepts_a_good_certificate) {
  EXPECT_EQ(verdict(*good_), X509_V_OK);
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .key = test::KeyKind::rsa_2048}), X509_V_OK);
  const auto wildcard = test::issued_by(*authority_, {.dns_names = {"other.test", "*.example.test"}});
  EXPECT_EQ(verdict(wildcard, "api.example.test"), X509_V_OK);
}

TEST_F(TlsClient, refuses_an_expired_certificate) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .valid_from_days = -30, .valid_until_days = -1}),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(TlsClient, refuses_a_certificate_that_is_not_valid_yet) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .valid_from_days = 1}), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_F(TlsClient, refuses_a_wrong_name) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.other"}}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verdict_on({.dns_names = {"api.test.other"}}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verdict_on({.dns_names = {"*.api.test"}}), X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_F(TlsClient, refuses_a_wildcard_for_a_part_of_a_label) {
  const auto partial = test::issued_by(*authority_, {.dns_names = {"a*.example.test"}});
  EXPECT_EQ(verdict(partial, "api.example.test"), X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_F(TlsClient, refuses_a_self_signed_certificate) {
  EXPECT_EQ(verdict(test::self_signed({.dns_names = {"api.test"}})), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST_F(TlsClient, refuses_an_unknown_authority_even_of_the_same_name) {
  const auto stranger = test::self_signed({.common_name = "stranger", .authority = true});
  EXPECT_EQ(verdict(test::issued_by(stranger, {.dns_names = {"api.test"}})),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  const auto impostor = test::self_signed({.common_name = "authority", .authority = true});
  EXPECT_EQ(verdict(test::issued_by(impostor, {.dns_names = {"api.test"}})), X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

TEST_F(TlsClient, refuses_a_certificate_for_clients) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .extended_usage = "clientAuth"}), X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(TlsClient, refuses_a_weak_key) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .key = test::KeyKind::rsa_1024}), X509_V_ERR_EE_KEY_TOO_SMALL);
}

TEST_F(TlsClient, refuses_a_sha1_signature) {
  EXPECT_EQ(verdict_on({.dns_names = {"api.test"}, .digest = test::Digest::sha1}), X509_V_ERR_CA_MD_TOO_WEAK);
}

TEST_F(TlsClient, refuses_a_name_that_stands_in_the_subject_only) {
  EXPECT_EQ(verdict_on({.common_name = "api.test"}), X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_F(TlsClient, does_not_mix_names_and_addresses) {
  const auto as_name = test::issued_by(*authority_, {.dns_names = {"192.0.2.1"}});
  const auto as_address = test::issued_by(*authority_, {.ip_addresses = {"192.0.2.1", "2001:db8::1"}});
  EXPECT_EQ(verdict(as_name, "192.0.2.1"), X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(verdict(as_address, "api.test"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verdict(as_address, "192.0.2.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
  EXPECT_EQ(verdict(as_address, "192.0.2.1"), X509_V_OK);
  EXPECT_EQ(verdict(as_address, "2001:db8::1"), X509_V_OK);
}

TEST_F(TlsClient, refuses_a_chain_with_a_missing_link_and_takes_the_whole_one) {
  const auto middle = test::issued_by(*authority_, {.common_name = "middle", .authority = true});
  const auto leaf = test::issued_by(middle, {.dns_names = {"api.test"}});
  EXPECT_EQ(verdict(leaf), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  const auto client = client_trusting(*authority_);
  const auto server = any_server(leaf);
  ASSERT_EQ(SSL_CTX_add1_chain_cert(server.get(), middle.certificate.get()), 1);
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  EXPECT_TRUE(pair.handshake());
}

TEST_F(TlsClient, refuses_a_leaf_that_signs) {
  const auto client = client_trusting(*authority_);
  const auto server = any_server(test::issued_by(*good_, {.common_name = "below a leaf", .dns_names = {"api.test"}}));
  ASSERT_EQ(SSL_CTX_add1_chain_cert(server.get(), good_->certificate.get()), 1);
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  EXPECT_FALSE(pair.handshake());
  EXPECT_EQ(SSL_get_verify_result(pair.client.get()), X509_V_ERR_INVALID_CA);
}

TEST_F(TlsClient, trusts_an_intermediate_that_the_file_names) {
  const auto middle = test::issued_by(*authority_, {.common_name = "middle", .authority = true});
  const auto client = client_trusting(middle);
  const auto server = any_server(test::issued_by(middle, {.dns_names = {"api.test"}}));
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  EXPECT_TRUE(pair.handshake());
}

TEST_F(TlsClient, verifies_against_the_systems_store_by_default) {
  const auto client = io::make_client_context({}).value();
  const auto server = any_server(*good_);
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  EXPECT_FALSE(pair.handshake());
  EXPECT_EQ(SSL_get_verify_result(pair.client.get()), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST_F(TlsClient, sends_and_verifies_the_name_that_replaces_the_host) {
  EXPECT_EQ(verdict(*good_, "gateway.internal", "api.test"), X509_V_OK);
  EXPECT_EQ(verdict(*good_, "192.0.2.1", "api.test"), X509_V_OK);
  EXPECT_EQ(verdict(*good_, "api.test", "other.test"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verdict(*good_, "api.test."), X509_V_OK) << "the root's dot belongs to no certificate";
}

TEST_F(TlsClient, sends_names_and_no_addresses_as_server_name) {
  const auto client = client_trusting(*authority_);
  const auto server = any_server(*good_);
  const auto sent = [&](const std::string& host, const std::string& server_name) -> std::string {
    Pair pair(client.get(), server.get());
    EXPECT_TRUE(io::prepare_client(pair.client.get(), host, server_name).has_value());
    pair.handshake();
    const char* name = SSL_get_servername(pair.server.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "(none)";
  };
  EXPECT_EQ(sent("api.test", ""), "api.test");
  EXPECT_EQ(sent("192.0.2.1", ""), "(none)");
  EXPECT_EQ(sent("2001:db8::1", ""), "(none)");
  EXPECT_EQ(sent("192.0.2.1", "api.test"), "api.test");
}

TEST_F(TlsClient, needs_a_name) {
  const auto client = client_trusting(*authority_);
  const Ssl ssl(SSL_new(client.get()), SSL_free);
  EXPECT_TRUE(io::prepare_client(ssl.get(), "", "").has_error());
  EXPECT_TRUE(io::prepare_client(ssl.get(), ".", "").has_error());
  EXPECT_TRUE(io::prepare_client(ssl.get(), std::string(300, 'a'), "").has_error());
}

TEST_F(TlsClient, refuses_old_versions_and_suites_without_authentication) {
  const auto client = client_trusting(*authority_);
  const auto finishes_with = [&](const std::function<void(SSL_CTX*)>& adjust) {
    const auto server = any_server(*good_);
    adjust(server.get());
    Pair pair(client.get(), server.get());
    EXPECT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
    return pair.handshake();
  };
  EXPECT_FALSE(finishes_with([](SSL_CTX* server) { SSL_CTX_set_max_proto_version(server, TLS1_1_VERSION); }));
  EXPECT_TRUE(finishes_with([](SSL_CTX* server) { SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION); }));
  const auto only_suite = [&](const char* suite) {
    return finishes_with([=](SSL_CTX* server) {
      SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
      ASSERT_EQ(SSL_CTX_set_cipher_list(server, suite), 1);
    });
  };
  EXPECT_FALSE(only_suite("ECDHE-ECDSA-AES256-SHA384"));
  EXPECT_TRUE(only_suite("ECDHE-ECDSA-AES256-GCM-SHA384"));
}

TEST_F(TlsClient, a_ca_file_that_cannot_be_used_is_named) {
  const auto reason = [](const std::string& path) {
    const auto context = io::make_client_context({.ca_file = path, .server_name = ""});
    return context.has_error() ? context.error().message : "none";
  };
  EXPECT_THAT(reason((folder_ / "none.pem").string()),
              testing::AllOf(HasSubstr("none.pem"), HasSubstr("No such file")));
  EXPECT_THAT(reason(write("text.pem", "not a certificate\n")), HasSubstr("text.pem"));
}

using TlsServer = TlsTest;

TEST_F(TlsServer, speaks_tls_1_2_and_1_3_only) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_FALSE(server_accepts([=](SSL_CTX* client) { SSL_CTX_set_max_proto_version(client, version); })) << version;
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_TRUE(server_accepts([=](SSL_CTX* client) {
      SSL_CTX_set_min_proto_version(client, version);
      SSL_CTX_set_max_proto_version(client, version);
    })) << version;
  }
}

TEST_F(TlsServer, takes_suites_with_authenticated_encryption_only) {
  const auto accepts = [this](const char* suite) {
    return server_accepts([=](SSL_CTX* client) {
      SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
      ASSERT_EQ(SSL_CTX_set_cipher_list(client, suite), 1) << suite;
    });
  };
  for (const char* suite : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256"}) {
    EXPECT_FALSE(accepts(suite)) << suite;
  }
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_TRUE(accepts(suite)) << suite;
  }
  const auto accepts_13 = [this](const char* suite) {
    return server_accepts([=](SSL_CTX* client) {
      SSL_CTX_set_min_proto_version(client, TLS1_3_VERSION);
      ASSERT_EQ(SSL_CTX_set_ciphersuites(client, suite), 1) << suite;
    });
  };
  EXPECT_FALSE(accepts_13("TLS_AES_128_CCM_SHA256"));
  EXPECT_TRUE(accepts_13("TLS_CHACHA20_POLY1305_SHA256"));
}

TEST_F(TlsServer, offers_no_suite_without_authenticated_encryption) {
  const auto server = our_server();
  const STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(server.get());
  ASSERT_GE(sk_SSL_CIPHER_num(suites), 5);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* suite = sk_SSL_CIPHER_value(suites, i);
    EXPECT_TRUE(SSL_CIPHER_is_aead(suite)) << SSL_CIPHER_get_name(suite);
  }
}

TEST_F(TlsServer, keeps_no_session_of_a_client_without_tickets) {
  const auto server = our_server();
  const auto client = any_client([](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  });
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(pair.handshake());
  EXPECT_EQ(SSL_CTX_sess_number(server.get()), 0);
}

/// Has one end ask for a second handshake, the other one see the wish, and the first one see the answer.
void renegotiate(SSL* wishing, SSL* asked) {
  std::array<char, 1> byte;
  std::size_t count = 0;
  ASSERT_EQ(SSL_renegotiate(wishing), 1);
  SSL_do_handshake(wishing);
  SSL_read_ex(asked, byte.data(), byte.size(), &count);
  SSL_do_handshake(wishing);
}

TEST_F(TlsServer, does_not_renegotiate) {
  const auto client = any_client([](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
  const auto server = our_server();
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(pair.handshake());
  renegotiate(pair.client.get(), pair.server.get());
  EXPECT_NE(SSL_do_handshake(pair.client.get()), 1);
  EXPECT_EQ(SSL_num_renegotiations(pair.server.get()), 0);
}

TEST_F(TlsClient, does_not_renegotiate) {
  const auto client = client_trusting(*authority_);
  const auto server = any_server(*good_);
  SSL_CTX_set_max_proto_version(server.get(), TLS1_2_VERSION);
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  ASSERT_TRUE(pair.handshake());
  renegotiate(pair.server.get(), pair.client.get());
  EXPECT_EQ(SSL_get_state(pair.client.get()), TLS_ST_OK) << "no second handshake has begun";
}

TEST_F(TlsServer, chooses_http_1_1_and_refuses_clients_that_speak_something_else) {
  const auto server = our_server();
  const auto offering = [&](std::string protocols) -> std::string {
    const auto client = any_client([&](SSL_CTX* context) {
      if (protocols.empty()) return;
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                              static_cast<unsigned>(protocols.size()));
    });
    Pair pair(client.get(), server.get());
    if (!pair.handshake()) return "refused";
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(pair.client.get(), &chosen, &length);
    return {reinterpret_cast<const char*>(chosen), length};
  };
  EXPECT_EQ(offering("\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(offering("\x08http/1.1"), "http/1.1");
  EXPECT_EQ(offering(""), "");
  EXPECT_EQ(offering("\x02h2"), "refused");
}

TEST_F(TlsServer, resumes_by_ticket_with_our_client_in_both_versions) {
  const auto server = our_server();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto client = client_trusting(*authority_);
    SSL_CTX_set_max_proto_version(client.get(), version);
    Pair first(client.get(), server.get());
    ASSERT_TRUE(io::prepare_client(first.client.get(), "api.test", "").has_value());
    ASSERT_TRUE(first.handshake());
    EXPECT_FALSE(SSL_session_reused(first.client.get()));
    EXPECT_EQ(first.transfer("hello"), "hello");
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.client.get()),
                                                                            SSL_SESSION_free);
    ASSERT_TRUE(SSL_SESSION_is_resumable(session.get()));

    Pair second(client.get(), server.get());
    ASSERT_TRUE(io::prepare_client(second.client.get(), "api.test", "").has_value());
    SSL_set_session(second.client.get(), session.get());
    ASSERT_TRUE(second.handshake());
    EXPECT_TRUE(SSL_session_reused(second.client.get())) << version;
  }
  EXPECT_EQ(SSL_CTX_sess_number(server.get()), 0) << "nothing is kept in memory";
}

TEST_F(TlsServer, sends_the_whole_chain_of_its_file) {
  const auto middle = test::issued_by(*authority_, {.common_name = "middle", .authority = true});
  const auto leaf = test::issued_by(middle, {.dns_names = {"api.test"}});
  auto files = server_files(leaf);
  files.certificate = write("chain.pem", leaf.certificate_pem() + middle.certificate_pem());
  const auto server = io::make_server_context(files).value();
  const auto client = client_trusting(*authority_);
  Pair pair(client.get(), server.get());
  ASSERT_TRUE(io::prepare_client(pair.client.get(), "api.test", "").has_value());
  EXPECT_TRUE(pair.handshake());
}

TEST_F(TlsServer, refuses_files_that_cannot_work_and_names_them) {
  const auto reason = [](const config::ServerTls& files) {
    const auto context = io::make_server_context(files);
    return context.has_error() ? context.error().message : "none";
  };
  auto files = server_files(*good_);
  EXPECT_EQ(reason(files), "none");

  auto without_certificate = files;
  without_certificate.certificate = (folder_ / "none.pem").string();
  EXPECT_THAT(reason(without_certificate), testing::AllOf(HasSubstr("none.pem"), HasSubstr("No such file")));
  auto without_key = files;
  without_key.private_key = (folder_ / "none.key").string();
  EXPECT_THAT(reason(without_key), testing::AllOf(HasSubstr("none.key"), HasSubstr("No such file")));
  auto garbage = files;
  garbage.certificate = write("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(reason(garbage), HasSubstr("garbage.pem"));
  auto foreign_key = files;
  foreign_key.private_key = write("foreign.key", authority_->key_pem());
  EXPECT_THAT(reason(foreign_key), testing::AllOf(HasSubstr("foreign.key"), HasSubstr("mismatch")));
  auto rsa_key = files;
  rsa_key.private_key = write("rsa.key", test::self_signed({.key = test::KeyKind::rsa_2048}).key_pem());
  EXPECT_THAT(reason(rsa_key), HasSubstr("rsa.key"));
  const auto weak =
      server_files(test::issued_by(*authority_, {.dns_names = {"api.test"}, .key = test::KeyKind::rsa_1024}));
  EXPECT_THAT(reason(weak), HasSubstr("key too small"));
}

}  // namespace
