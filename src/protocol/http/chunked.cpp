// The chunked framing as a state machine over single bytes of framing and whole runs of content, so that it makes no
// difference where the reads happened to cut the body.
#include "tollgate/protocol/http/chunked.hpp"

#include "protocol/http/characters.hpp"

#include <algorithm>

namespace tollgate::protocol::http {
namespace {

constexpr std::uint8_t most_digits = 16;
constexpr std::size_t most_extension_bytes = 256;
constexpr std::size_t most_trailer_bytes = 8 * 1024;

std::uint64_t hex_value(char c) {
  if (is_digit(c)) return static_cast<std::uint64_t>(c - '0');
  return static_cast<std::uint64_t>(lower_case(c) - 'a') + 10;
}

bool is_text(char c) { return !is_control(c) || c == '\t'; }

}  // namespace

void ChunkedDecoder::refuse(std::string_view why) {
  state_ = State::malformed;
  reason_ = why;
}

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view bytes) {
  Step step;
  while (state_ == State::reading && step.consumed < bytes.size()) {
    if (at_ == At::content) {
      const std::size_t here = bytes.size() - step.consumed;
      const std::size_t run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, here));
      step.content = bytes.substr(step.consumed, run);
      step.consumed += run;
      left_ -= run;
      if (left_ == 0) at_ = At::content_cr;
      return step;
    }
    take_framing(bytes[step.consumed]);
    ++step.consumed;
  }
  return step;
}

void ChunkedDecoder::take_framing(char c) {
  switch (at_) {
    case At::size: return take_size(c);
    case At::extension: return take_extension(c);
    case At::size_lf:
      digits_ = 0;
      extra_ = 0;
      return expect(c, '\n', left_ == 0 ? At::trailer_start : At::content, "chunk size without CR LF");
    case At::content_cr: return expect(c, '\r', At::content_lf, "chunk longer than its size");
    case At::content_lf: return expect(c, '\n', At::size, "chunk without CR LF");
    case At::trailer_start:
    case At::trailer_name:
    case At::trailer_value: return take_trailer(c);
    case At::trailer_lf: return expect(c, '\n', At::trailer_start, "trailer without CR LF");
    case At::end_lf:
      expect(c, '\n', At::size, "last chunk without CR LF");
      if (state_ == State::reading) state_ = State::complete;
      return;
    case At::content: return;  // step() takes content by the run
  }
}

void ChunkedDecoder::expect(char c, char wanted, At next, std::string_view why) {
  if (c != wanted) return refuse(why);
  at_ = next;
}

void ChunkedDecoder::take_size(char c) {
  if (is(c, hex_characters)) {
    if (digits_ == most_digits || left_ >> 59 != 0)
      return refuse("chunk size of 2^63 or more, or of more than 16 digits");
    ++digits_;
    left_ = left_ << 4 | hex_value(c);
    return;
  }
  if (digits_ == 0) return refuse("chunk size is not a hex number");
  if (c == '\r') {
    at_ = At::size_lf;
  } else if (c != ';') {
    refuse("chunk size is not a hex number");
  } else if (side_ == Side::request) {
    refuse("chunk extension on a request");
  } else {
    at_ = At::extension;
    extra_ = 1;
  }
}

void ChunkedDecoder::take_extension(char c) {
  if (c == '\r') {
    at_ = At::size_lf;
  } else if (!is_text(c)) {
    refuse("control byte in a chunk extension");
  } else if (++extra_ > most_extension_bytes) {
    refuse("chunk extension too long");
  }
}

void ChunkedDecoder::take_trailer(char c) {
  if (at_ == At::trailer_start && c == '\r') {
    at_ = At::end_lf;
    return;
  }
  if (side_ == Side::request) return refuse("trailer on a request");
  if (++extra_ > most_trailer_bytes) return refuse("trailers too long");
  if (at_ == At::trailer_value) {
    if (c == '\r') {
      at_ = At::trailer_lf;
    } else if (!is_text(c)) {
      refuse("control byte in a trailer");
    }
  } else if (at_ == At::trailer_name && c == ':') {
    at_ = At::trailer_value;
  } else if (is(c, token_characters)) {
    at_ = At::trailer_name;
  } else {
    refuse("trailer is not a field line");
  }
}

ChunkHeader::ChunkHeader(std::size_t size) : text_{}, start_(text_.size()) {
  text_[--start_] = '\n';
  text_[--start_] = '\r';
  do {
    text_[--start_] = "0123456789abcdef"[size & 0xF];
    size >>= 4;
  } while (size != 0);
}

}  // namespace tollgate::protocol::http
