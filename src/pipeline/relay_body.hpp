#pragma once
// Passes an answer on that is not a stream of events: whole where it is small, so that a broken one never begins, else
// as it comes.
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/pipeline/exchange.hpp"

#include <string>
#include <string_view>

namespace tollgate::pipeline {

class BodyRelay {
 public:
  explicit BodyRelay(Exchange& exchange) : exchange_(exchange) {}

  /// The status and header lines for the client, and the length where the upstream gave one.
  void head(std::uint16_t status, ByteBuffer fields, const protocol::http::ResponseHead& upstream);
  void take(std::string_view bytes);
  /// The body is complete: sends it, or its end.
  void ended();

  /// What is wrong with a 200 that holds no answer, of which nothing was sent; empty: nothing.
  std::string_view fault() const { return fault_; }

 private:
  void begin(BodyForm form);
  void send_whole(std::string_view body);
  void read(std::string_view body);

  Exchange& exchange_;
  std::uint16_t status_ = 0;
  ByteBuffer fields_;
  bool length_known_ = false;
  std::uint64_t length_ = 0;
  ByteBuffer held_;
  bool settled_ = false;  ///< what came has been looked at as a whole
  std::string_view fault_;
};

}  // namespace tollgate::pipeline
