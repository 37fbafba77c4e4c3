#pragma once
#include "support/raw_socket.hpp"

#include <map>
#include <string>

namespace tollgate::test {

/// An HTTP answer, its framing taken off and checked.
struct Answer {
  int status = 0;
  std::string head;
  std::map<std::string, std::string> fields;  ///< names in lower case
  std::string body;
  bool complete = false;  ///< the framing's end was seen
};

/// A client that writes raw bytes and reads answers.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : socket_(RawSocket::connect(address)) {}
  RawClient(RawClient&&) = default;
  RawClient& operator=(RawClient&&) = default;
  virtual ~RawClient() = default;
  RawSocket& socket() { return socket_; }
  virtual bool send(std::string_view bytes) { return socket_.send(bytes); }
  /// Reads one answer; what comes after it stays for the next call. `to_head` is true after a HEAD request.
  Answer read_answer(bool to_head = false);
  /// Reads only the head of one; the body is left to read_body() or to the socket (see rest()).
  Answer read_head();
  /// Bytes that came but belong to nothing read so far.
  std::string& rest() { return rest_; }
  /// Waits for more of them; false at the end.
  bool read_more() { return more(); }

 protected:
  /// As RawSocket::receive().
  virtual std::optional<std::string> receive() { return socket_.receive(); }

 private:
  bool more();
  void read_chunks(Answer& answer);
  RawSocket socket_;
  std::string rest_;
};

/// A POST of JSON to a path, with Host and framing.
std::string post(const std::string& path, const std::string& body, const std::string& more_fields = {});
std::string get(const std::string& path, const std::string& more_fields = {});
/// A small chat request for a model.
std::string chat_body(const std::string& model, bool stream = false);

}  // namespace tollgate::test
