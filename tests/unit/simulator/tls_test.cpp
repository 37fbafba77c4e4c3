// The server under TLS: the same answers, and the ways to end that differ from plain TCP. The client is Asio's own,
// with the certificate made on the spot.
#include "tollgate/simulator/server.hpp"

#include "client.hpp"
#include "self_signed.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <stdexcept>

namespace tollgate::simulator {
namespace {

using namespace test;
namespace asio = boost::asio;
using asio::ip::tcp;

class Tls : public ::testing::Test {
 protected:
  Tls() {
    const SelfSigned pair = make_self_signed();
    Options options;
    options.certificate_pem = pair.certificate_pem;
    options.private_key_pem = pair.private_key_pem;
    server_ = std::make_unique<Server>(fast(), options);
    port_ = server_->start();
    trust_.add_certificate_authority(asio::buffer(pair.certificate_pem));
    trust_.set_verify_mode(asio::ssl::verify_peer);
    stream_.next_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
  }

  void post(const std::string& model, const std::string& fields = "") {
    const std::string body = chat(model, R"(,"stream":true)");
    asio::write(stream_, asio::buffer("POST /v1/chat/completions HTTP/1.1\r\nhost: s\r\n" + fields +
                                      "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  }
  /// Everything up to the peer's end; `error` says how it ended.
  std::string read_all(boost::system::error_code& error) {
    std::string bytes;
    asio::read(stream_, asio::dynamic_buffer(bytes), error);
    return bytes;
  }

  asio::io_context context_;
  asio::ssl::context trust_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_{context_, trust_};
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(Tls, serves_a_stream_and_says_goodbye) {
  stream_.handshake(asio::ssl::stream_base::client);
  post("sim,tokens=5", "connection: close\r\n");
  boost::system::error_code error;
  const std::string bytes = read_all(error);
  EXPECT_NE(bytes.find("data: [DONE]"), std::string::npos);
  EXPECT_EQ(error, asio::error::eof) << "close_notify, not a cut";
  stream_.next_layer().close();
  EXPECT_TRUE(server_->wait_until([&] { return server_->open_connections() == 0; }));
  EXPECT_EQ(server_->truth()[0].ended, "complete");
}

TEST_F(Tls, notices_a_client_that_leaves_while_it_waits) {
  stream_.handshake(asio::ssl::stream_base::client);
  post("sim,first_token=10m");
  ASSERT_TRUE(server_->wait_until([&] { return server_->gauges().requests_active == 1; }));
  stream_.next_layer().close();
  ASSERT_TRUE(server_->wait_until([&] { return server_->truth().size() == 1; }));
  EXPECT_EQ(server_->truth()[0].ended, "client_gone");
}

TEST_F(Tls, resets_under_tls_too) {
  stream_.handshake(asio::ssl::stream_base::client);
  post("sim,fault=reset_mid_stream");
  boost::system::error_code error;
  read_all(error);
  EXPECT_EQ(error, asio::error::connection_reset);
}

TEST_F(Tls, closes_on_who_does_not_speak_it) {
  Client plain(port_);
  plain.get("/v1/models");
  EXPECT_TRUE(plain.closed_by_peer());
  EXPECT_EQ(server_->gauges().requests_received, 0u);
}

TEST_F(Tls, stops_under_a_half_done_handshake) {
  ASSERT_TRUE(server_->wait_until([&] { return server_->open_connections() == 1; }));
  server_->stop();
  EXPECT_EQ(server_->open_connections(), 0u);
}

TEST(TlsOptions, must_be_a_pair_that_parses) {
  Options half;
  half.certificate_pem = make_self_signed().certificate_pem;
  EXPECT_THROW(Server(fast(), half), std::invalid_argument);
  Options strangers = half;
  strangers.private_key_pem = make_self_signed().private_key_pem;
  EXPECT_THROW(Server(fast(), strangers), std::invalid_argument);
  Options garbage;
  garbage.certificate_pem = garbage.private_key_pem = "not PEM";
  EXPECT_THROW(Server(fast(), garbage), std::invalid_argument);
}

}  // namespace
}  // namespace tollgate::simulator
