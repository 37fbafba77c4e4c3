// How many tokens a request may be, before anybody has counted them.
#include "stages.hpp"

#include <algorithm>

namespace tollgate::pipeline {

namespace {

constexpr std::uint64_t bytes_per_token = 4;
// What a picture costs on the providers' usual scales, whatever its bytes.
constexpr std::uint64_t tokens_per_picture = 1'500;
// A body with less in it than this is not looked through for one.
constexpr std::size_t smallest_picture = 4096;

constexpr std::string_view base64_mark = ";base64,";
// A tokenizer over bytes never makes more tokens than there are bytes, and what a message adds beside its text is less
// than its braces and names; this is for the whole.
constexpr std::uint64_t beside_the_text = 16;
constexpr std::uint64_t most_tokens_of_a_picture = 16'000;
// {"messages": [{"content": "..."}]}: pictures and files of a chat stand in parts of its messages, two brackets deeper.
constexpr unsigned depth_of_plain_messages = 3;
// Where nobody has said what the model takes.
constexpr std::uint64_t longest_context = 2'000'000;

/// Tokens of a request body, before anybody has counted them: a tenth above one for four bytes, and data that stands in
/// it as base64 by the piece, since its bytes say nothing.
std::uint64_t estimated_tokens(std::string_view body) {
  std::uint64_t bytes = body.size(), tokens = 0;
  if (bytes < smallest_picture) return bytes / bytes_per_token + bytes / (bytes_per_token * 10) + 1;
  for (std::size_t at = body.find(base64_mark); at != body.npos; at = body.find(base64_mark, at)) {
    at += base64_mark.size();
    const std::size_t end = std::min(body.find('"', at), body.size());
    bytes -= end - at;
    tokens += tokens_per_picture;
    at = end;
  }
  return tokens + bytes / bytes_per_token + bytes / (bytes_per_token * 10) + 1;
}

}  // namespace

std::uint64_t tokens_of_bytes(std::uint64_t bytes) { return bytes / bytes_per_token; }

std::uint64_t expected_input_tokens(const Exchange& exchange) { return estimated_tokens(exchange.body.view()); }

std::uint64_t expected_tokens(const Exchange& exchange) {
  return expected_input_tokens(exchange) + exchange.scan.max_output.value_or(0);
}

std::uint64_t most_input_tokens(const Exchange& exchange, const config::Model& model) {
  const std::string_view body = exchange.body.view();
  std::uint64_t most = body.size() + beside_the_text;
  bool refers_elsewhere = exchange.scan.refers_elsewhere;
  const bool has_no_parts = exchange.inbound.stream_kind == protocol::openai::StreamKind::chat &&
                            exchange.scan.depth <= depth_of_plain_messages;
  // Both names are found by the one character of theirs that is rare.
  for (std::size_t at = has_no_parts ? body.npos : body.find('_'); at != body.npos; at = body.find('_', at + 1)) {
    const std::string_view before = body.substr(0, at), behind = body.substr(at + 1);
    if (before.ends_with("image") && behind.starts_with("url")) most += most_tokens_of_a_picture;
    refers_elsewhere = refers_elsewhere || (before.ends_with("\"file") && behind.starts_with("id\""));
  }
  // What the body only refers to may be as long as the model can take.
  return refers_elsewhere ? std::max(most, model.context.value_or(longest_context)) : most;
}

std::uint64_t most_output_tokens(const Exchange& exchange, const config::Model& model) {
  if (exchange.inbound.stream_kind == protocol::openai::StreamKind::opaque) return 0;
  constexpr std::uint64_t plenty = 1'000'000'000'000;
  const std::uint64_t each = exchange.scan.max_output.value_or(model.default_max_output);
  const std::uint64_t choices = std::max<std::uint64_t>(1, exchange.scan.choices);
  return each > plenty / choices ? plenty : each * choices;
}

}  // namespace tollgate::pipeline
