#pragma once
// Names to addresses, off the hot path. Every watched name has a thread of its own that looks it up and keeps it fresh,
// so a name server that swallows one question delays no other name, and no event loop ever waits for one.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/result.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::io {

/// An IPv4 or IPv6 address, ready for connect(2) once it has a port.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  /// Of an IP literal without brackets; nothing for a name.
  static std::optional<Address> parse(const std::string& literal);
  void set_port(std::uint16_t port);
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  socklen_t size() const { return length; }
  int family() const { return storage.ss_family; }
  std::string text() const;  ///< without the port
  bool operator==(const Address& other) const { return text() == other.text(); }
};

using Addresses = std::vector<Address>;

/// The order within a family stays, and the families take turns beginning with the first one's: a family without a
/// working path then costs one attempt and not all of them (RFC 8305, section 4).
Addresses interleave_families(const Addresses& ranked);

/// getaddrinfo(3): as the system ranks them, the families interleaved, none twice. Blocks for as long as the system
/// likes.
Result<Addresses> system_lookup(const std::string& host);

using Lookup = std::function<Result<Addresses>(const std::string& host)>;

struct ResolverSettings {
  Lookup lookup =
      system_lookup;  ///< blocks; called from many threads at once, perhaps still running when the Resolver is gone
  Millis refresh = seconds(30);  ///< between the end of a look-up and the next
  Millis pause = seconds(1);     ///< the least time between two look-ups of one name; also the wait after a failure
};

/// Any thread may call any of these; none blocks for a look-up.
class Resolver {
 public:
  explicit Resolver(ResolverSettings settings = {});
  ~Resolver();  ///< stops
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Waits for a callback that is running, never for a look-up; no callback runs afterwards, and those that wait are
  /// dropped. For before what they would call goes.
  void stop();

  /// Begins to look the name up and to keep it fresh. Counted: as many unwatch() calls undo it. A literal is known at
  /// once.
  void watch(const std::string& host);
  /// The last one forgets the name; callbacks that still wait for it are called.
  void unwatch(const std::string& host);

  /// The last good answer, never empty; null while there has been none. It stays when a later look-up fails.
  std::shared_ptr<const Addresses> current(const std::string& host) const;
  /// Calls `callback` once when a first answer or failure is there: from the name's thread, or from within this call
  /// where that is so already or the name is not watched. It must return at once and not call the Resolver: post to a
  /// loop.
  void when_known(const std::string& host, std::function<void()> callback);
  /// Why the last look-up failed, or that the name is not watched; empty where neither is so.
  std::string last_error(const std::string& host) const;
  /// Asks for a look-up now, for example since no address could be connected to.
  void refresh_now(const std::string& host);

 private:
  struct Name;
  struct State;
  std::shared_ptr<Name> find(const std::string& host) const;
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
