#include "support/raw_upstream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace tollgate::test {

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string last_chunk = "0\r\n\r\n";

std::string UpstreamRequest::field(const std::string& name) const {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t at = lower.find("\r\n" + name + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

UpstreamRequest RawUpstream::read_request(RawSocket& connection) {
  UpstreamRequest request;
  std::string text;
  if (!connection.receive_until(text, "\r\n\r\n")) {
    ADD_FAILURE() << "the upstream got no request, only: " << text;
    return request;
  }
  const std::size_t end = text.find("\r\n\r\n") + 4;
  request.head = text.substr(0, end);
  request.body = text.substr(end);
  const std::string length = request.field("content-length");
  const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
  while (request.body.size() < wanted) {
    const auto piece = connection.receive();
    if (!piece || piece->empty()) break;
    request.body += *piece;
  }
  EXPECT_EQ(request.body.size(), wanted);
  return request;
}

std::string json_answer(const std::string& body, int status) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Status\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

}  // namespace tollgate::test
