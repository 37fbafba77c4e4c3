// Binding, accepting, handing over. It lives with what an acceptor meets in production: a left-over socket file, a
// flood of connections, no descriptors left.
#include "tollgate/server/listener.hpp"

#include "tollgate/base/errno_text.hpp"
#include "tollgate/io/connection.hpp"
#include "tollgate/io/diagnostics.hpp"
#include "tollgate/io/resolver.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tollgate::server {

namespace {

constexpr int backlog = 4096;
constexpr Millis pause_when_out_of_descriptors{100};

struct Bound {
  int descriptor = -1;
  int family = 0;
  std::string address;
};

Failure cannot(const std::string& what, const config::ListenAddress& address) {
  return {FailureKind::internal, Source::gateway, "cannot " + what + " " + address.text + ": " + errno_text()};
}

Result<Bound> bind_unix(const config::ListenAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof name.sun_path)
    return Failure{FailureKind::internal, Source::gateway,
                   "the path of " + address.text + " is too long for a Unix socket"};
  std::memcpy(name.sun_path, address.unix_path.data(), address.unix_path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot("open", address);
  const auto* generic = reinterpret_cast<const sockaddr*>(&name);
  if (::bind(descriptor, generic, sizeof name) != 0) {
    // A socket file that nobody listens on was left by a process that ended; a live one is somebody's.
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool alive = ::connect(probe, generic, sizeof name) == 0 || errno == EAGAIN;
    ::close(probe);
    errno = EADDRINUSE;
    if (!alive) ::unlink(address.unix_path.c_str());
    if (alive || ::bind(descriptor, generic, sizeof name) != 0) {
      const Failure failure = cannot("listen on", address);
      ::close(descriptor);
      return failure;
    }
  }
  ::chmod(address.unix_path.c_str(), 0660);
  return Bound{descriptor, AF_UNIX, "unix:" + address.unix_path};
}

Result<Bound> bind_tcp(const config::ListenAddress& address) {
  // Every address: an IPv6 socket that takes IPv4 as well.
  auto ip = io::Address::parse(address.host.empty() ? "::" : address.host);
  if (!ip) return Failure{FailureKind::internal, Source::gateway, address.text + " is not an IP address"};
  ip->set_port(address.port);
  const int descriptor = ::socket(ip->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return cannot("open", address);
  const int on = 1, off = 0;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (ip->family() == AF_INET6)
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, address.host.empty() ? &off : &on, sizeof on);
  if (::bind(descriptor, ip->data(), ip->size()) != 0) {
    const Failure failure = cannot("listen on", address);
    ::close(descriptor);
    return failure;
  }
  io::Address actual = *ip;
  socklen_t size = sizeof actual.storage;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&actual.storage), &size);
  const std::uint16_t port =
      ntohs(actual.family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(actual.data())->sin6_port
                                        : reinterpret_cast<const sockaddr_in*>(actual.data())->sin_port);
  const std::string host = actual.family() == AF_INET6 ? "[" + actual.text() + "]" : actual.text();
  return Bound{descriptor, ip->family(), host + ":" + std::to_string(port)};
}

int spare_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

struct Listener::State final : io::Watcher {
  State(Bound bound, Plane plane_, std::string unix_path_, std::vector<Worker*> workers_)
      : descriptor(bound.descriptor),
        pause(workers_.front()->loop().timers()),
        family(bound.family),
        address(std::move(bound.address)),
        plane(plane_),
        unix_path(std::move(unix_path_)),
        workers(std::move(workers_)),
        spare(spare_descriptor()) {}
  ~State() override {
    if (spare >= 0) ::close(spare);
  }

  io::Loop& loop() { return workers.front()->loop(); }
  bool is_open() const { return descriptor >= 0; }

  void close() {
    pause.clear();
    loop().forget(*this);
    ::close(std::exchange(descriptor, -1));
  }

  void happened(std::uint32_t) override { accept_all(); }

  void accept_all() {
    // Bounded, so that a flood of connections does not keep those that are being served from their turn.
    for (int i = 0; i < 64; ++i) {
      const int accepted = ::accept4(descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0 && plane == Plane::data && io::is_reserved(accepted)) {
        ::close(accepted);
        return out_of_descriptors();
      }
      if (accepted >= 0) {
        hand_over(accepted);
        continue;
      }
      if (errno == EMFILE || errno == ENFILE) return out_of_descriptors();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;  // the next one makes an edge
    }
    loop().call_soon(*this);
  }

  void hand_over(int accepted) {
    Services& services = workers.front()->services();
    const std::size_t limit = workers.front()->world()->snapshot->server.max_connections;
    if (plane == Plane::data && services.connections.load(std::memory_order_relaxed) >= limit) {
      services.diagnostics.log(io::Diagnostics::Level::debug, "connection_refused",
                               {{"reason", "server.max_connections"}});
      ::close(accepted);
      return;
    }
    if (plane == Plane::data) services.connections.fetch_add(1, std::memory_order_relaxed);
    if (family != AF_UNIX) io::set_client_options(accepted);
    Worker& worker = *workers[next++ % workers.size()];
    if (&worker == workers.front()) return worker.serve(accepted, family, plane);
    worker.loop().post([&worker, accepted, family = family, plane = plane] { worker.serve(accepted, family, plane); });
  }

  /// The waiting client is told by a close instead of hanging in the backlog, and the loop rests instead of spinning.
  void out_of_descriptors() {
    workers.front()->services().diagnostics.error("out_of_descriptors",
                                                  {{"hint", "raise the open files limit (ulimit -n)"}});
    ::close(std::exchange(spare, -1));
    if (const int refused = ::accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC); refused >= 0) ::close(refused);
    spare = spare_descriptor();
    pause.at(loop().now() + pause_when_out_of_descriptors, [this] { accept_all(); });
  }

  int descriptor;
  io::Delay pause;
  int family;
  std::string address;
  Plane plane;
  std::string unix_path;
  std::vector<Worker*> workers;
  std::size_t next = 0;
  int spare;
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() { close(); }

Result<std::unique_ptr<Listener>> Listener::open(const config::ListenAddress& address, Plane plane,
                                                 std::vector<Worker*> workers) {
  auto bound = address.unix_path.empty() ? bind_tcp(address) : bind_unix(address);
  if (!bound) return bound.error();
  if (::listen(bound->descriptor, backlog) != 0) {
    const Failure failure = cannot("listen on", address);
    ::close(bound->descriptor);
    return failure;
  }
  return std::unique_ptr<Listener>(
      new Listener(std::make_unique<State>(std::move(*bound), plane, address.unix_path, std::move(workers))));
}

void Listener::start() {
  if (state_->loop().watch(state_->descriptor, *state_)) return;
  state_->workers.front()->services().diagnostics.error("cannot_listen", {{"why", errno_text()}});
}

void Listener::close() {
  if (!state_->is_open()) return;
  state_->close();
  if (!state_->unix_path.empty()) ::unlink(state_->unix_path.c_str());
}

const std::string& Listener::address() const { return state_->address; }

}  // namespace tollgate::server
