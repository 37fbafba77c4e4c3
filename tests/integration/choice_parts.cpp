#include "choice_parts.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <deque>
#include <utility>
#include <vector>

namespace tollgate::test {

AnsweringUpstream::AnsweringUpstream(Says says) : says_(std::move(says)), thread_([this] { run(); }) {}

void AnsweringUpstream::stop() {
  if (!thread_.joinable()) return;
  const RawSocket stop = RawSocket::connect("127.0.0.1:" + std::to_string(stopper_.port()));
  thread_.join();
}

void AnsweringUpstream::run() {
  std::deque<RawSocket> connections;
  for (;;) {
    std::vector<pollfd> entries{{stopper_.descriptor(), POLLIN, 0}, {listener_.descriptor(), POLLIN, 0}};
    for (const RawSocket& socket : connections) entries.push_back({socket.descriptor(), POLLIN, 0});
    ::poll(entries.data(), entries.size(), -1);
    if (entries[0].revents != 0) return;
    for (std::size_t i = 0; i + 2 < entries.size(); ++i)
      if (entries[i + 2].revents != 0) serve(connections[i]);
    if (entries[1].revents != 0) connections.push_back(listener_.accept());
    std::erase_if(connections, [](const RawSocket& socket) { return !socket.is_open(); });
  }
}

void AnsweringUpstream::serve(RawSocket& connection) {
  char first = 0;
  if (::recv(connection.descriptor(), &first, 1, MSG_PEEK) <= 0) {
    connection.close();
    return;
  }
  const std::string bytes = says_(RawUpstream::read_request(connection));
  if (bytes == reset)
    connection.close_with_reset();
  else
    connection.send(bytes);
}

}  // namespace tollgate::test
