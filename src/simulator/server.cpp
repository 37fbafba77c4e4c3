// The listener and its thread. The thread ends by running out of work: stop() closes every socket, each coroutine then
// finds its connection over and returns, so nothing is torn down under a coroutine that still runs.
#include "tollgate/simulator/server.hpp"

#include "simulator/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <thread>
#include <utility>

namespace tollgate::simulator {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Out of descriptors or memory: accepting again at once would only spin.
constexpr Millis accept_pause{50};

asio::ip::address loopback_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::address address = asio::ip::make_address(host, error);
  if (error || !address.is_loopback()) {
    throw std::invalid_argument("simulator: '" + host + "' is not a loopback address");
  }
  return address;
}

}  // namespace

struct Server::Impl {
  Impl(const config::SimulatorSettings& settings, Options given)
      : options(std::move(given)),
        responder(settings, options.models),
        journal(options),
        acceptor(context),
        accept_retry(context) {
    if (options.certificate_pem.empty() != options.private_key_pem.empty()) {
      throw std::invalid_argument("simulator: TLS takes a certificate and a key");
    }
    if (!options.certificate_pem.empty()) tls.emplace(tls_context(options.certificate_pem, options.private_key_pem));
  }

  void listen(const tcp::endpoint& endpoint) {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
    bound_port = acceptor.local_endpoint().port();
  }

  Async<void> accept_loop() {
    while (acceptor.is_open()) {
      auto [error, socket] = co_await acceptor.async_accept(as_result);
      if (!acceptor.is_open()) break;
      if (error) {
        accept_retry.expires_after(accept_pause);
        co_await accept_retry.async_wait(as_result);
        continue;
      }
      admit(std::move(socket));
    }
  }

  void admit(Socket socket) {
    boost::system::error_code ignored;  // the client may be gone already; the first read will say so
    socket.set_option(tcp::no_delay(true), ignored);
    const Services services{options, responder, journal};
    auto transport = tls ? tls_transport(std::move(socket), *tls) : plain_transport(std::move(socket));
    const auto connection =
        std::make_shared<Connection>(services, std::move(transport), context.get_executor(), ++accepted);
    std::erase_if(connections, [](const std::weak_ptr<Connection>& entry) { return entry.expired(); });
    connections.push_back(connection);
    connection->start();
  }

  void close_everything() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    accept_retry.cancel();
    for (const std::weak_ptr<Connection>& entry : connections) {
      if (const std::shared_ptr<Connection> connection = entry.lock()) connection->stop();
    }
  }

  Options options;
  Responder responder;
  Journal journal;
  std::optional<asio::ssl::context> tls;
  asio::io_context context{1};
  Acceptor acceptor;
  Timer accept_retry;
  std::vector<std::weak_ptr<Connection>> connections;
  std::uint64_t accepted = 0;
  std::uint16_t bound_port = 0;
  std::thread thread;
};

Server::Server(const config::SimulatorSettings& settings, Options options)
    : impl_(std::make_unique<Impl>(settings, std::move(options))) {}

Server::~Server() { stop(); }

std::uint16_t Server::start(const std::string& host, std::uint16_t port) {
  if (impl_->bound_port != 0) throw std::logic_error("simulator: started twice");
  impl_->listen(tcp::endpoint(loopback_address(host), port));
  asio::co_spawn(impl_->context, impl_->accept_loop(), asio::detached);
  impl_->thread = std::thread([this] { impl_->context.run(); });
  return impl_->bound_port;
}

void Server::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->context, [this] { impl_->close_everything(); });
  impl_->thread.join();
}

std::uint16_t Server::port() const { return impl_->bound_port; }
void Server::script(Script next) { impl_->journal.queue(std::move(next)); }
std::size_t Server::scripts_left() const { return impl_->journal.scripts_left(); }
std::vector<TruthEntry> Server::truth() const { return impl_->journal.truth(); }
Stats Server::stats() const { return impl_->journal.stats(); }
std::vector<ReceivedRequest> Server::requests() const { return impl_->journal.requests(); }
Gauges Server::gauges() const { return impl_->journal.gauges(); }

bool Server::wait_until(const std::function<bool()>& predicate, Millis timeout) const {
  return impl_->journal.wait_until(predicate, timeout);
}

}  // namespace tollgate::simulator
