// A client of its own, because the tests must tell FIN, reset and silence apart and see the chunk framing. An HTTP
// library hides all of that behind one error.
#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>

namespace tollgate::simulator::test {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void read_head(const std::string& head, Reply& reply) {
  reply.status = std::stoi(head.substr(9, 3));
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    reply.fields[lower(head.substr(at, colon - at))] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
}

}  // namespace

std::vector<std::string> events_of(const std::string& body) {
  std::vector<std::string> events;
  std::size_t at = 0;
  for (std::size_t end = body.find("\n\n"); end != std::string::npos; end = body.find("\n\n", at)) {
    const std::string event = body.substr(at, end - at);
    const std::size_t data = event.find("data: ");
    if (data != std::string::npos) events.push_back(event.substr(data + 6));
    at = end + 2;
  }
  return events;
}

std::string content_of(const std::string& body, int index) {
  std::string text;
  for (const std::string& event : events_of(body)) {
    const auto chunk = nlohmann::json::parse(event, nullptr, false);
    if (!chunk.is_object() || !chunk.contains("choices")) continue;
    for (const auto& choice : chunk["choices"]) {
      if (choice["index"] != index || !choice["delta"].contains("content")) continue;
      if (choice["delta"]["content"].is_string()) text += choice["delta"]["content"].get<std::string>();
    }
  }
  return text;
}

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the simulator");
  }
}

Client::~Client() { close(); }

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the simulator does not take the request");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::post(const std::string& path, const std::string& body, const std::string& fields) {
  send("POST " + path + " HTTP/1.1\r\nhost: sim\r\ncontent-type: application/json\r\n" + fields +
       "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

void Client::get(const std::string& path, const std::string& fields) {
  send("GET " + path + " HTTP/1.1\r\nhost: sim\r\n" + fields + "\r\n");
}

Client::Got Client::more(int patience_ms) {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, patience_ms) <= 0) return Got::silence;
  char buffer[64 * 1024];
  const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
  if (count < 0) return Got::reset;
  if (count == 0) return Got::end;
  largest_read_ = std::max(largest_read_, static_cast<std::size_t>(count));
  pending_.append(buffer, static_cast<std::size_t>(count));
  return Got::bytes;
}

Client::Got Client::read_chunked(std::string& body, int patience_ms) {
  for (;;) {
    const std::size_t line = pending_.find("\r\n");
    if (line != std::string::npos) {
      const std::size_t size = std::stoul(pending_.substr(0, line), nullptr, 16);
      if (pending_.size() >= line + 2 + size + 2) {
        body.append(pending_, line + 2, size);
        pending_.erase(0, line + 2 + size + 2);
        if (size == 0) return Got::bytes;
        continue;
      }
    }
    if (const Got got = more(patience_ms); got != Got::bytes) return got;
  }
}

Reply Client::read(int patience_ms) {
  Reply reply;
  const auto ended = [&](Got got) {
    reply.end = got == Got::end ? Reply::End::cut : got == Got::reset ? Reply::End::reset : Reply::End::silent;
    return reply;
  };
  std::size_t head_end = 0;
  while ((head_end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (const Got got = more(patience_ms); got != Got::bytes) return ended(got);
  }
  if (!pending_.starts_with("HTTP/1.")) {
    reply.end = Reply::End::garbage;
    return reply;
  }
  read_head(pending_.substr(0, head_end + 2), reply);
  pending_.erase(0, head_end + 4);

  if (reply.status == 100) {
    // No body, whatever follows.
  } else if (reply.fields.count("transfer-encoding") > 0) {
    if (const Got got = read_chunked(reply.body, patience_ms); got != Got::bytes) return ended(got);
  } else {
    const auto length = reply.fields.find("content-length");
    const std::size_t size = length == reply.fields.end() ? std::string::npos : std::stoull(length->second);
    Got got = Got::bytes;
    while (pending_.size() < size && got == Got::bytes) got = more(patience_ms);
    reply.body = pending_.substr(0, size);
    pending_.erase(0, size);
    if (got != Got::bytes && size != std::string::npos) return ended(got);
  }
  reply.end = Reply::End::whole;
  return reply;
}

bool Client::read_until(std::string_view needle) {
  while (pending_.find(needle) == std::string::npos) {
    if (more(10'000) != Got::bytes) return false;
  }
  return true;
}

bool Client::closed_by_peer() {
  Got got = Got::bytes;
  while (got == Got::bytes) got = more(10'000);
  return got != Got::silence;
}

void Client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Client::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

std::string chat(const std::string& model, const std::string& more, const std::string& text) {
  return R"({"model":")" + model + R"(","messages":[{"role":"user","content":")" + text + R"("}])" + more + "}";
}

config::SimulatorSettings fast(std::size_t answer_tokens) {
  config::SimulatorSettings settings;
  settings.first_token = Millis{0};
  settings.tokens_per_second = 0;
  settings.answer_tokens = answer_tokens;
  return settings;
}

}  // namespace tollgate::simulator::test
