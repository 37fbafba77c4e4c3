#include "body_reader.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate::io {

using protocol::http::ChunkedDecoder;
using protocol::http::Framing;

BodyReader::BodyReader(const protocol::http::ResponseHead& head) : framing_(head.framing), left_(head.content_length) {
  const bool empty = framing_ == Framing::none || (framing_ == Framing::length && left_ == 0);
  state_ = empty ? State::complete : State::reading;
}

std::string_view BodyReader::take(std::span<char> bytes) {
  if (state_ == State::complete) {
    leftover_ = leftover_ || !bytes.empty();
    return {};
  }
  if (framing_ == Framing::until_close) return {bytes.data(), bytes.size()};
  if (framing_ == Framing::length) {
    const std::size_t mine = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= mine;
    leftover_ = mine < bytes.size();
    if (left_ == 0) state_ = State::complete;
    return {bytes.data(), mine};
  }
  std::size_t kept = 0;
  std::string_view rest(bytes.data(), bytes.size());
  while (!rest.empty() && chunked_.state() == ChunkedDecoder::State::reading) {
    const auto step = chunked_.step(rest);
    if (!step.content.empty()) {
      std::memmove(bytes.data() + kept, step.content.data(), step.content.size());
      kept += step.content.size();
    }
    rest.remove_prefix(step.consumed);
    if (step.consumed == 0) break;
  }
  if (chunked_.state() == ChunkedDecoder::State::malformed) state_ = State::malformed;
  if (chunked_.state() == ChunkedDecoder::State::complete) {
    state_ = State::complete;
    leftover_ = !rest.empty();
  }
  return {bytes.data(), kept};
}

void BodyReader::closed() {
  if (state_ != State::reading) return;
  state_ = framing_ == Framing::until_close ? State::complete : State::malformed;
}

}  // namespace tollgate::io
