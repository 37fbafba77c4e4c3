#pragma once
// Takes in an answer that has an error status. It is held whole, since a provider may have put our credential into its
// words, and those are taken out before the client sees them; and since another target may have a better one.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/pipeline/exchange.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::pipeline {

/// The text without what the gateway sends this request's provider in confidence and without anything that looks like
/// a key, or nothing where neither is in it.
std::optional<std::string> without_secrets(const Exchange& exchange, std::string_view text);

/// Whether it is worth looking: a secret stands in the text as it is, or an escape might hide one. For short texts that
/// every answer brings, which hardly ever do.
bool may_hold_secrets(const Exchange& exchange, std::string_view text);

/// A short text that every answer brings, for the log: nothing of it where one of those secrets is in it.
std::string_view loggable(const Exchange& exchange, std::string_view text);

/// Sends what is held. `may_retry`: clients are not told to leave it at that.
void send_held(Exchange& exchange, bool may_retry);

class Adapter;

class ErrorRelay {
 public:
  /// `adapter`: null where the provider speaks the client's API.
  ErrorRelay(Exchange& exchange, Adapter* adapter) : exchange_(exchange), adapter_(adapter) {}

  /// The status and header lines for the client.
  void head(std::string fields, const protocol::http::ResponseHead& upstream);
  /// False: the answer is larger than any error is, and others words are held in its place. No more is wanted.
  bool take(std::string_view bytes);
  /// The body is complete: it is held in the exchange.
  void ended();

 private:
  void keep(std::string body);
  void send_stand_in(const std::string& reason);

  Exchange& exchange_;
  Adapter* adapter_;
  std::uint16_t status_ = 0;
  std::string fields_;
  bool encoded_ = false;
  ByteBuffer held_;
};

}  // namespace tollgate::pipeline
