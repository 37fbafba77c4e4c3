// Boost.Beast as an independent reader of whole requests.
#include "reading.hpp"

#include <boost/beast/http.hpp>

#include <algorithm>
#include <cctype>

namespace tollgate::differential {
namespace {

namespace beast = boost::beast::http;
using Values = std::map<std::string, std::vector<std::string>>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Values by_name(const Reading& reading) {
  Values values;
  for (const auto& [name, value] : reading.fields) values[lower(name)].push_back(value);
  return values;
}

Reading read(const beast::request_parser<beast::string_body>& parser) {
  const auto& message = parser.get();
  Reading reading;
  reading.method = message.method_string();
  reading.target = message.target();
  reading.http_1_0 = message.version() == 10;
  for (const auto& field : message) reading.fields.emplace_back(field.name_string(), field.value());
  reading.framing = parser.chunked() ? "chunked" : parser.content_length() ? "length" : "none";
  reading.keep_alive = parser.keep_alive();
  reading.body = message.body();
  return reading;
}

std::string difference(const Reading& ours, const Reading& theirs) {
  if (ours.method != theirs.method) return "method";
  if (ours.target != theirs.target) return "target";
  if (ours.http_1_0 != theirs.http_1_0) return "version";
  if (by_name(ours) != by_name(theirs)) return "fields";
  if (ours.framing != theirs.framing) return "framing";
  if (ours.body != theirs.body) return "body";
  // In HTTP/1.0 with both "close" and "keep-alive" we close and Beast does not.
  return ours.keep_alive && !theirs.keep_alive ? "keep-alive" : "";
}

}  // namespace

Verdict ask_beast(std::string_view raw, const Reading& ours, std::string& why) {
  if (raw.starts_with("\r\n")) raw.remove_prefix(2);  // Beast skips no empty line
  beast::request_parser<beast::string_body> parser;
  parser.eager(true);
  parser.header_limit(1 << 20);
  parser.body_limit(boost::none);
  const std::string stream = std::string(raw) + "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";
  std::size_t consumed = 0;
  while (!parser.is_done()) {
    boost::system::error_code error;
    const std::size_t step = parser.put(boost::asio::buffer(stream.data() + consumed, stream.size() - consumed), error);
    consumed += step;
    if (error && error != beast::error::need_more) return Verdict::refused;
    if (step == 0) break;
  }
  why = parser.is_done() ? difference(ours, read(parser)) : "no end found";
  if (why.empty() && consumed != raw.size()) why = "another end";
  return why.empty() ? Verdict::same : Verdict::disagree;
}

}  // namespace tollgate::differential
