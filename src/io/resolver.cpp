// The threads are detached: one that hangs in the system's resolver must hold up neither a reload nor the end of the
// process. So each shares ownership of all it touches.
#include "tollgate/io/resolver.hpp"

#include "tollgate/base/errno_text.hpp"

#include "io/background_thread.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace tollgate::io {

std::optional<Address> Address::parse(const std::string& literal) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    address.length = sizeof v4;
    return address;
  }
  if (inet_pton(AF_INET6, literal.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    address.length = sizeof v6;
    return address;
  }
  return std::nullopt;
}

void Address::set_port(std::uint16_t port) {
  // Both kinds have their port at the same place: sockaddr_in6 was made so.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
}

std::string Address::text() const {
  std::array<char, NI_MAXHOST> host{};
  const int error =
      getnameinfo(data(), length, host.data(), static_cast<socklen_t>(host.size()), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? host.data() : std::string();
}

namespace {

Failure lookup_failure(const std::string& host, const std::string& reason) {
  return Failure{.kind = FailureKind::upstream_error,
                 .source = Source::upstream,
                 .message = "cannot resolve " + host + ": " + reason};
}

}  // namespace

Addresses interleave_families(const Addresses& ranked) {
  Addresses first, second, mixed;
  for (const auto& address : ranked) (address.family() == ranked.front().family() ? first : second).push_back(address);
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

Result<Addresses> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) return lookup_failure(host, error == EAI_SYSTEM ? errno_text() : gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Addresses ranked;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    if (std::find(ranked.begin(), ranked.end(), address) == ranked.end()) ranked.push_back(address);
  }
  return interleave_families(ranked);
}

/// One watched name, owned by the Resolver and by the thread that looks it up.
struct Resolver::Name {
  explicit Name(std::string name) : host(std::move(name)) {}

  void run(const ResolverSettings& settings);
  Result<Addresses> look_up(const ResolverSettings& settings) const;
  void settle(std::unique_lock<std::mutex>& lock, Result<Addresses> outcome);
  void wait_for_next(std::unique_lock<std::mutex>& lock, const ResolverSettings& settings);
  void call_waiting(std::unique_lock<std::mutex>& lock);
  void stop();

  const std::string host;
  std::size_t watchers = 0;  // guarded by State::mutex
  std::mutex mutex;          // over all below
  std::condition_variable changed;
  std::shared_ptr<const Addresses> answer;
  std::string error;
  bool known = false;  // an answer or a failure has arrived
  bool refresh_wanted = false;
  bool stopping = false;
  bool calling = false;
  std::vector<std::function<void()>> waiting;
};

struct Resolver::State {
  ResolverSettings settings;
  mutable std::mutex mutex;  // over the map, never held while a name's own mutex is waited for
  std::map<std::string, std::shared_ptr<Name>> names;
};

void Resolver::Name::run(const ResolverSettings& settings) {
  std::unique_lock lock(mutex);
  while (!stopping) {
    refresh_wanted = false;
    lock.unlock();
    auto outcome = look_up(settings);
    lock.lock();
    if (stopping) return;
    settle(lock, std::move(outcome));
    wait_for_next(lock, settings);
  }
}

Result<Addresses> Resolver::Name::look_up(const ResolverSettings& settings) const {
  auto outcome = settings.lookup(host);
  if (outcome && outcome->empty()) return lookup_failure(host, "no address");
  return outcome;
}

void Resolver::Name::settle(std::unique_lock<std::mutex>& lock, Result<Addresses> outcome) {
  if (outcome) {
    answer = std::make_shared<const Addresses>(std::move(*outcome));
    error.clear();
  } else {
    error = outcome.error().message;
  }
  known = true;
  call_waiting(lock);
}

void Resolver::Name::wait_for_next(std::unique_lock<std::mutex>& lock, const ResolverSettings& settings) {
  const auto now = std::chrono::steady_clock::now();
  const auto due = now + (error.empty() ? settings.refresh : std::min(settings.refresh, settings.pause));
  changed.wait_until(lock, now + settings.pause, [this] { return stopping; });
  changed.wait_until(lock, due, [this] { return stopping || refresh_wanted; });
}

void Resolver::Name::call_waiting(std::unique_lock<std::mutex>& lock) {
  calling = true;
  auto callbacks = std::exchange(waiting, {});
  lock.unlock();
  for (const auto& callback : callbacks) callback();
  callbacks.clear();  // what they hold may be destroyed here, without the lock
  lock.lock();
  calling = false;
  changed.notify_all();
}

void Resolver::Name::stop() {
  std::unique_lock lock(mutex);
  stopping = true;
  changed.notify_all();
  changed.wait(lock, [this] { return !calling; });
}

Resolver::Resolver(ResolverSettings settings) : state_(std::make_unique<State>()) {
  state_->settings = std::move(settings);
}

Resolver::~Resolver() { stop(); }

void Resolver::stop() {
  std::unique_lock lock(state_->mutex);
  const auto names = state_->names;
  lock.unlock();
  for (const auto& [host, name] : names) {
    name->stop();
    const std::lock_guard name_lock(name->mutex);
    name->waiting.clear();
  }
}

std::shared_ptr<Resolver::Name> Resolver::find(const std::string& host) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(host);
  return found == state_->names.end() ? nullptr : found->second;
}

void Resolver::watch(const std::string& host) {
  const std::lock_guard lock(state_->mutex);
  auto& name = state_->names[host];
  if (!name) name = std::make_shared<Name>(host);
  if (++name->watchers > 1) return;
  if (const auto literal = Address::parse(host)) {
    name->answer = std::make_shared<const Addresses>(1, *literal);
    name->known = true;
    return;
  }
  try {
    start_background_thread([name, settings = state_->settings] { name->run(settings); }).detach();
  } catch (const std::system_error& error) {
    name->error = lookup_failure(host, error.what()).message;
    name->known = true;
  }
}

void Resolver::unwatch(const std::string& host) {
  std::shared_ptr<Name> last;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->names.find(host);
    if (found == state_->names.end() || --found->second->watchers > 0) return;
    last = std::move(found->second);
    state_->names.erase(found);
  }
  last->stop();
  std::unique_lock lock(last->mutex);
  last->call_waiting(lock);
}

std::shared_ptr<const Addresses> Resolver::current(const std::string& host) const {
  const auto name = find(host);
  if (!name) return nullptr;
  const std::lock_guard lock(name->mutex);
  return name->answer;
}

void Resolver::when_known(const std::string& host, std::function<void()> callback) {
  if (const auto name = find(host)) {
    const std::lock_guard lock(name->mutex);
    if (!name->known && !name->stopping) {
      name->waiting.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

std::string Resolver::last_error(const std::string& host) const {
  const auto name = find(host);
  if (!name) return lookup_failure(host, "it is not watched").message;
  const std::lock_guard lock(name->mutex);
  return name->error;
}

void Resolver::refresh_now(const std::string& host) {
  const auto name = find(host);
  if (!name) return;
  const std::lock_guard lock(name->mutex);
  name->refresh_wanted = true;
  name->changed.notify_all();
}

}  // namespace tollgate::io
