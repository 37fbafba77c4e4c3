#pragma once
// Providers that play a fault by themselves, on a thread of their own, and count how often they were asked: the test
// has its hands free for the client, and every attempt meets the same fault.
#include "support/certificates.hpp"
#include "support/raw_socket.hpp"
#include "support/tls_upstream.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

struct pollfd;

namespace tollgate::test {

/// What a provider does each time it is asked.
struct Play {
  /// What makes it act. Before and behind it nothing is read, but that a whole request may follow a whole answer.
  enum class Cue : std::uint8_t { connection, first_bytes, request };
  enum class Then : std::uint8_t { stay, end, reset };

  Cue cue = Cue::request;
  std::string says{};
  Then then = Then::stay;
  bool awaits_client = false;              ///< `then` comes once client_has_content() was called
  std::chrono::milliseconds byte_pause{};  ///< before each byte where they come one at a time
  bool byte_by_byte = false;
  std::optional<Identity> certificate{};  ///< speaks TLS; is not believed, so it has nothing to say
};

/// A port at which nobody listens, and that nobody else is given.
class DeafPort {
 public:
  DeafPort();
  std::uint16_t port() const { return port_; }

 private:
  RawSocket socket_;
  std::uint16_t port_ = 0;
};

class FaultStage {
 public:
  /// One provider for each play, on a port of its own.
  explicit FaultStage(const std::vector<Play>& plays);
  ~FaultStage();  ///< stops
  FaultStage(const FaultStage&) = delete;
  FaultStage& operator=(const FaultStage&) = delete;

  std::uint16_t port(std::size_t provider) const;
  /// What a provider has said has come through.
  void client_has_content();
  void stop();
  /// How often a provider's cue has come. After stop().
  std::size_t asked(std::size_t provider) const { return players_[provider].asked; }

 private:
  struct Player {
    Play play;
    std::unique_ptr<RawListener> plain;
    std::unique_ptr<TlsUpstream> tls;
    std::size_t asked = 0;
  };
  /// A connection that the gateway has made.
  struct Line {
    RawSocket socket;
    Player* player;
    std::string received{};
    std::string unsent{};
    bool has_acted = false;
    bool waits = false;  ///< for the client
  };

  void run();
  std::vector<pollfd> watched() const;
  int longest_wait() const;
  void accept(Player& player);
  void take(Line& line);
  void act(Line& line);
  void send_next_byte(Line& line);
  void said_all(Line& line);
  static void leave(Line& line);
  void wake();

  std::deque<Player> players_;
  std::deque<Line> lines_;
  std::atomic<bool> stopping_{false}, client_has_content_{false};
  int waker_;
  std::thread thread_;
};

}  // namespace tollgate::test
