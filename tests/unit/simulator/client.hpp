#pragma once
#include "tollgate/config/snapshot.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator::test {

/// One response as it came off the socket.
struct Reply {
  enum class End : std::uint8_t { whole, cut, reset, silent, garbage };
  int status = 0;
  std::map<std::string, std::string> fields;  ///< names in lower case
  std::string body;                           ///< chunk framing removed
  End end = End::silent;                      ///< cut: FIN before the body's end; silent: nothing came for a while
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// The data of every event of a stream, "[DONE]" included.
std::vector<std::string> events_of(const std::string& body);
/// The content deltas of choice `index`, joined.
std::string content_of(const std::string& body, int index = 0);

/// A client on a blocking socket, with no HTTP library between the test and the bytes.
class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  void post(const std::string& path, const std::string& body, const std::string& fields = "");
  void get(const std::string& path, const std::string& fields = "");
  /// Reads one response. A body that stops coming for `patience_ms` makes it End::silent.
  Reply read(int patience_ms = 10'000);
  /// Reads until `needle` has come; false if the connection ends or falls silent first.
  bool read_until(std::string_view needle);
  /// True once the peer has closed or reset.
  bool closed_by_peer();
  void close();
  void reset();
  /// How many bytes one read brought at most since the connection began.
  std::size_t largest_read() const { return largest_read_; }

 private:
  enum class Got : std::uint8_t { bytes, end, reset, silence };
  Got more(int patience_ms);
  Got read_chunked(std::string& body, int patience_ms);

  int socket_ = -1;
  std::string pending_;
  std::size_t largest_read_ = 0;
};

/// A chat request's body.
std::string chat(const std::string& model, const std::string& more = "", const std::string& text = "two words");
/// Settings without any wait.
config::SimulatorSettings fast(std::size_t answer_tokens = 12);

}  // namespace tollgate::simulator::test
