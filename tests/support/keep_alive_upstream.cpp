#include "support/keep_alive_upstream.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <vector>

namespace tollgate::test {

KeepAliveUpstream::Call KeepAliveUpstream::next() {
  for (;;) {
    std::vector<pollfd> entries{{listener_.descriptor(), POLLIN, 0}};
    for (const RawSocket& socket : connections_)
      entries.push_back({socket.descriptor(), POLLIN, 0});  // a closed one is -1: ignored
    if (::poll(entries.data(), entries.size(), static_cast<int>(patience.count())) <= 0) {
      ADD_FAILURE() << "the upstream got no request";
      return {};
    }
    if (entries[0].revents != 0) connections_.push_back(listener_.accept());
    for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
      if (entries[i + 1].revents == 0) continue;
      char first = 0;
      if (::recv(connections_[i].descriptor(), &first, 1, MSG_PEEK) <= 0) {
        connections_[i].close();
        continue;
      }
      return {i, RawUpstream::read_request(connections_[i])};
    }
  }
}

}  // namespace tollgate::test
