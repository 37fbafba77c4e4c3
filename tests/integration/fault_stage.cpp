// One poll(2) over listeners and connections. Nothing here waits for anything else than that, apart from a TLS
// handshake, which the gateway is sure to end.
#include "fault_stage.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace tollgate::test {

namespace {

/// So that a large request fills what lies between gateway and provider, and its end is never sent.
constexpr int little_room = 16 * 1024;

bool is_whole(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::size_t length = request.find("\r\nContent-Length: ");
  return length > end || request.size() >= end + 4 + std::stoul(request.substr(length + 18));
}

}  // namespace

FaultStage::FaultStage(const std::vector<Play>& plays) : waker_(::eventfd(0, EFD_CLOEXEC)) {
  for (const Play& play : plays) {
    Player& player = players_.emplace_back();
    player.play = play;
    if (play.certificate) {
      player.tls = std::make_unique<TlsUpstream>(*play.certificate, TLS1_3_VERSION);
      continue;
    }
    player.plain = std::make_unique<RawListener>();
    if (play.cue != Play::Cue::first_bytes) continue;
    const int room = little_room;
    ::setsockopt(player.plain->descriptor(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  }
  thread_ = std::thread([this] { run(); });
}

FaultStage::~FaultStage() {
  stop();
  ::close(waker_);
}

std::uint16_t FaultStage::port(std::size_t provider) const {
  const Player& player = players_[provider];
  return player.tls ? player.tls->port() : player.plain->port();
}

DeafPort::DeafPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket_.descriptor(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ::getsockname(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

void FaultStage::wake() { ::eventfd_write(waker_, 1); }

void FaultStage::client_has_content() {
  client_has_content_ = true;
  wake();
}

void FaultStage::stop() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

/// First the waker, then the listeners, then the lines, each in its order.
std::vector<pollfd> FaultStage::watched() const {
  std::vector<pollfd> entries{{waker_, POLLIN, 0}};
  for (const Player& player : players_)
    entries.push_back({player.tls ? player.tls->descriptor() : player.plain->descriptor(), POLLIN, 0});
  for (const Line& line : lines_) {
    // Whoever has acted without a whole request reads no more, and only sees the other side go.
    const bool reads = line.player->play.cue == Play::Cue::request || !line.has_acted;
    entries.push_back({line.socket.descriptor(), static_cast<short>(reads ? POLLIN : POLLRDHUP), 0});
  }
  return entries;
}

int FaultStage::longest_wait() const {
  for (const Line& line : lines_)
    if (!line.unsent.empty()) return static_cast<int>(line.player->play.byte_pause.count());
  return -1;
}

void FaultStage::run() {
  for (;;) {
    std::erase_if(lines_, [](const Line& line) { return !line.socket.is_open(); });
    std::vector<pollfd> entries = watched();
    ::poll(entries.data(), entries.size(), longest_wait());
    if (stopping_) return;
    if (entries[0].revents != 0) {
      eventfd_t ignored = 0;
      ::eventfd_read(waker_, &ignored);
    }
    const std::size_t known = lines_.size();
    for (std::size_t i = 0; i < players_.size(); ++i)
      if (entries[1 + i].revents != 0) accept(players_[i]);
    for (std::size_t i = 0; i < known; ++i) {
      Line& line = lines_[i];
      if (entries[1 + players_.size() + i].revents != 0) take(line);
      if (!line.unsent.empty()) send_next_byte(line);
      if (line.waits && client_has_content_) leave(line);
    }
  }
}

void FaultStage::accept(Player& player) {
  if (player.tls) {
    ++player.asked;
    player.tls->accept();
    return;
  }
  lines_.push_back({player.plain->accept(), &player});
  if (player.play.cue == Play::Cue::connection) act(lines_.back());
}

void FaultStage::take(Line& line) {
  const Play::Cue cue = line.player->play.cue;
  if (cue != Play::Cue::request && line.has_acted) return line.socket.close();
  const auto piece = line.socket.receive(std::chrono::milliseconds(0));
  if (!piece || piece->empty()) return line.socket.close();
  line.received += *piece;
  if (cue == Play::Cue::first_bytes || is_whole(line.received)) act(line);
}

void FaultStage::act(Line& line) {
  const Play& play = line.player->play;
  ++line.player->asked;
  line.received.clear();
  line.has_acted = true;
  if (play.byte_by_byte) {
    line.unsent = play.says;
    return;
  }
  line.socket.send(play.says);
  said_all(line);
}

void FaultStage::send_next_byte(Line& line) {
  if (!line.socket.is_open()) return;
  if (!line.socket.send(line.unsent.substr(0, 1))) return line.socket.close();
  line.unsent.erase(0, 1);
  if (line.unsent.empty()) said_all(line);
}

void FaultStage::said_all(Line& line) {
  line.waits = line.player->play.awaits_client;
  if (!line.waits) leave(line);
}

void FaultStage::leave(Line& line) {
  line.waits = false;
  switch (line.player->play.then) {
    case Play::Then::stay: break;
    case Play::Then::end:
      // Where a request lies unread, a close would be a reset.
      line.player->play.cue == Play::Cue::connection ? line.socket.close() : line.socket.shutdown_send();
      break;
    case Play::Then::reset: line.socket.close_with_reset(); break;
  }
}

}  // namespace tollgate::test
