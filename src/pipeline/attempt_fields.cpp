#include "attempt_fields.hpp"

#include "tollgate/protocol/http/crossing.hpp"

#include "adapter.hpp"

#include <algorithm>
#include <array>

namespace tollgate::pipeline {

using protocol::http::equals_ignoring_case;
using protocol::http::ResponseHead;

namespace {

// What the header fields of an answer usually take, with the gateway's own: more only costs a growth, and blocks of up
// to 1 KiB are those that malloc gives without a search.
constexpr std::size_t usual_bytes = 1000;

}  // namespace

bool is_event_stream(const ResponseHead& head) {
  constexpr std::string_view type = "text/event-stream";
  return equals_ignoring_case(head.fields.value("content-type").substr(0, type.size()), type);
}

// A stream's content type is our own. What is left of the gateway's own limits at the provider is none of a tenant's
// business, and would hide what is left of its own.
ByteBuffer crossing_fields(const Exchange& exchange, const ResponseHead& head, bool streaming, Adapter* adapter) {
  constexpr std::string_view limits = "x-ratelimit-", anthropic_limits = "anthropic-ratelimit-";
  const bool shared = exchange.caller.tenant && !exchange.caller.tenant->passes_credentials;
  const auto begins = [](std::string_view name, std::string_view prefix) {
    return name.size() > prefix.size() && equals_ignoring_case(name.substr(0, prefix.size()), prefix);
  };
  ByteBuffer fields;
  fields.reserve(usual_bytes);
  for (const auto& field : head.fields) {
    if (!protocol::http::crosses_to_client(field.name)) continue;
    if (streaming && equals_ignoring_case(field.name, "content-type")) continue;
    if ((shared || adapter) && (begins(field.name, limits) || begins(field.name, anthropic_limits))) continue;
    fields.append_all(field.name, ": ", field.value, "\r\n");
  }
  if (adapter && !shared) fields.append(adapter->limit_fields(head.fields));
  return fields;
}

std::string fields_for_others(std::string_view fields) {
  constexpr std::array<std::string_view, 2> prefixes{"anthropic-", "openai-"};
  std::string kept;
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n") + 2);
    fields.remove_prefix(line.size());
    const auto begins = [line](std::string_view prefix) {
      return equals_ignoring_case(line.substr(0, prefix.size()), prefix);
    };
    if (std::ranges::none_of(prefixes, begins)) kept += line;
  }
  return kept;
}

}  // namespace tollgate::pipeline
