#pragma once
#include "support/raw_socket.hpp"

#include <cstdint>
#include <string>

namespace tollgate::test {

/// One request as the gateway sent it.
struct UpstreamRequest {
  std::string head;  ///< with its empty line
  std::string body;
  /// The value of a field, or empty; `name` in lower case.
  std::string field(const std::string& name) const;
};

/// A provider that the test plays by hand, byte by byte: accept a connection, read a request, send whatever is wanted.
class RawUpstream {
 public:
  std::uint16_t port() const { return listener_.port(); }
  RawSocket accept(std::chrono::milliseconds limit = patience) { return listener_.accept(limit); }
  /// Reads one request with Content-Length framing. Fails the test where none comes.
  static UpstreamRequest read_request(RawSocket& connection);
  void close() { listener_.close(); }

 private:
  RawListener listener_;
};

/// A whole JSON answer with Content-Length.
std::string json_answer(const std::string& body, int status = 200);
/// The head of a chunked event stream, and one chunk.
extern const std::string stream_head;
std::string chunk(const std::string& bytes);
extern const std::string last_chunk;

}  // namespace tollgate::test
