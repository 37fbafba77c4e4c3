// Chunked bodies: the same content and the same end however the input is cut, and the content put into chunks anew is
// the same again. The first byte is the size of the pieces.
#include "tollgate/protocol/http/chunked.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using tollgate::protocol::http::ChunkedDecoder;

struct Outcome {
  ChunkedDecoder::State state;
  std::string_view reason;
  std::string content;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

void require(bool holds) {
  if (!holds) std::abort();
}

Outcome decode(ChunkedDecoder::Side side, std::string_view bytes, std::size_t piece_size) {
  ChunkedDecoder decoder(side);
  Outcome outcome{};
  while (!bytes.empty() && decoder.state() == ChunkedDecoder::State::reading) {
    const std::string_view piece = bytes.substr(0, piece_size);
    const ChunkedDecoder::Step step = decoder.step(piece);
    require(step.consumed <= piece.size() && step.consumed != 0);
    require(step.content.empty() || (step.content.data() >= piece.data() &&
                                     step.content.data() + step.content.size() == piece.data() + step.consumed));
    outcome.content += step.content;
    outcome.consumed += step.consumed;
    bytes.remove_prefix(step.consumed);
  }
  outcome.state = decoder.state();
  outcome.reason = decoder.reason();
  return outcome;
}

std::string in_chunks(std::string_view content, std::size_t size) {
  std::string text;
  for (; !content.empty(); content.remove_prefix(std::min(size, content.size()))) {
    const std::string_view part = content.substr(0, size);
    std::array<char, 24> line{};
    text.append(line.data(), static_cast<std::size_t>(std::snprintf(line.data(), line.size(), "%zX\r\n", part.size())));
    text.append(part).append("\r\n");
  }
  return text + "0\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const auto side : {ChunkedDecoder::Side::request, ChunkedDecoder::Side::response}) {
    const Outcome whole = decode(side, bytes, bytes.size());
    require(whole == decode(side, bytes, 1));
    require(whole == decode(side, bytes, std::size_t{data[0]} + 1));
    require(whole.content.size() <= whole.consumed);
    const std::string anew = in_chunks(whole.content, std::size_t{data[0]} + 1);
    const Outcome again = decode(side, anew + "rest", 5);
    require(again.state == ChunkedDecoder::State::complete && again.content == whole.content);
    require(again.consumed == anew.size());
    require((whole.state == ChunkedDecoder::State::malformed) == !whole.reason.empty());
  }
  return 0;
}
