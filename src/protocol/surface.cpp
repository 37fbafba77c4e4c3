#include "tollgate/protocol/surface.hpp"

#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/openai/error.hpp"

#include <algorithm>

namespace tollgate::protocol {

std::string error_body(Surface surface, const Failure& failure, std::uint16_t status, std::string_view request_id) {
  if (surface == Surface::openai) return openai::error_body(failure);
  const std::string_view code = failure.code.empty() ? openai::error_form(failure.kind).code : failure.code;
  return anthropic::error_body(status, failure.message, request_id, code);
}

std::string error_event(Surface surface, std::string_view body) {
  std::string event = surface == Surface::anthropic ? "event: error\n" : "";
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    event.append("data: ").append(body.substr(0, end)).append("\n");
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return event + "\n";
}

std::string_view heartbeat(Surface surface) {
  // Anthropic's SDKs know the one, and comments are what all others pass over.
  return surface == Surface::anthropic ? "event: ping\ndata: {\"type\": \"ping\"}\n\n" : ": hb\n\n";
}

}  // namespace tollgate::protocol
