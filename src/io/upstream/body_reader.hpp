#pragma once
#include "tollgate/protocol/http/chunked.hpp"
#include "tollgate/protocol/http/head.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace tollgate::io {

/// Takes the framing off a response body, whatever it is, in place.
class BodyReader {
 public:
  enum class State : std::uint8_t { reading, complete, malformed };

  BodyReader() = default;
  explicit BodyReader(const protocol::http::ResponseHead& head);

  /// Takes bytes as they came and gives the content among them, moved together at the front of the same bytes.
  std::string_view take(std::span<char> bytes);
  /// The peer has closed: complete where the body lasts until then, malformed (cut short) otherwise.
  void closed();

  State state() const { return state_; }
  /// The connection can carry another request: the end was seen and nothing came after it.
  bool reusable() const {
    return state_ == State::complete && !leftover_ && framing_ != protocol::http::Framing::until_close;
  }

 private:
  protocol::http::Framing framing_ = protocol::http::Framing::none;
  State state_ = State::complete;
  bool leftover_ = false;
  std::uint64_t left_ = 0;
  protocol::http::ChunkedDecoder chunked_{protocol::http::ChunkedDecoder::Side::response};
};

}  // namespace tollgate::io
