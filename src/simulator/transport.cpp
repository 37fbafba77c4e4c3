// Plain and TLS connections behind one small interface, so that pacing and faults need not know which they have.
// Closing is where the two differ most, and closing is what half of the faults are about.
#include "simulator/transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <stdexcept>
#include <utility>

namespace tollgate::simulator {

namespace asio = boost::asio;

namespace {

/// How long a peer may take to answer close_notify before the socket goes regardless.
constexpr std::chrono::milliseconds goodbye_limit{250};

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Socket socket) : socket_(std::move(socket)) {}

  Async<bool> handshake() override { co_return true; }

  Async<std::size_t> read_some(std::span<char> room) override {
    const auto [error, count] = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), as_result);
    co_return error ? 0 : count;
  }

  Async<std::size_t> write(std::string_view bytes) override {
    const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes), as_result);
    static_cast<void>(error);  // the count says it
    co_return count;
  }

  void finish(std::shared_ptr<void>) override { close(); }

 private:
  Socket& socket() override { return socket_; }

  Socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(Socket socket, asio::ssl::context& context)
      : stream_(std::move(socket), context), goodbye_(stream_.get_executor()) {}

  Async<bool> handshake() override {
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
    co_return !error;
  }

  Async<std::size_t> read_some(std::span<char> room) override {
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), as_result);
    co_return error ? 0 : count;
  }

  Async<std::size_t> write(std::string_view bytes) override {
    const auto [error, count] = co_await asio::async_write(stream_, asio::buffer(bytes), as_result);
    static_cast<void>(error);  // the count says it
    co_return count;
  }

  void finish(std::shared_ptr<void> owner) override {
    goodbye_.expires_after(goodbye_limit);
    goodbye_.async_wait([this, owner](const boost::system::error_code&) { close(); });
    stream_.async_shutdown([this, owner](const boost::system::error_code&) { goodbye_.cancel(); });
  }

 private:
  Socket& socket() override { return stream_.next_layer(); }

  asio::ssl::stream<Socket> stream_;
  Timer goodbye_;
};

}  // namespace

void Transport::close() {
  boost::system::error_code ignored;  // a connection that is gone already is what was wanted
  socket().shutdown(asio::socket_base::shutdown_both, ignored);
  socket().close(ignored);
}

void Transport::reset() {
  boost::system::error_code ignored;
  socket().set_option(asio::socket_base::linger(true, 0), ignored);
  socket().close(ignored);
}

std::unique_ptr<Transport> plain_transport(Socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> tls_transport(Socket socket, asio::ssl::context& context) {
  return std::make_unique<TlsTransport>(std::move(socket), context);
}

asio::ssl::context tls_context(const std::string& certificate_pem, const std::string& private_key_pem) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  boost::system::error_code error;
  context.use_certificate_chain(asio::buffer(certificate_pem), error);
  if (!error) context.use_private_key(asio::buffer(private_key_pem), asio::ssl::context::pem, error);
  if (error) throw std::invalid_argument("simulator: certificate or key is not usable: " + error.message());
  return context;
}

}  // namespace tollgate::simulator
