#include "session.hpp"

namespace tollgate::server {

namespace {

/// Nothing where a field of the name is not there just once.
const protocol::http::Field* only_field(const protocol::http::RequestHead& head, std::string_view name) {
  const protocol::http::Field* found = nullptr;
  for (const auto& field : head.fields) {
    if (!protocol::http::equals_ignoring_case(field.name, name)) continue;
    if (found) return nullptr;
    found = &field;
  }
  return found;
}

}  // namespace

/// The trace that the client says the request belongs to. One that is malformed is none, and no fault of the request's.
void Session::read_trace(const Head& head) {
  const auto* parent = only_field(head, "traceparent");
  if (!parent) return;
  request_->trace = protocol::parse_traceparent(parent->value);
  if (!request_->trace) return;
  std::string& state = request_->trace->state;
  for (const auto& field : head.fields) {
    if (!protocol::http::equals_ignoring_case(field.name, "tracestate") || field.value.empty()) continue;
    if (!state.empty()) state += ',';
    state += field.value;
  }
  if (!protocol::is_passable_tracestate(state)) state.clear();
}

void Session::begin_trace(pipeline::RequestRecord& record) const {
  if (const auto* tracer = worker_.tracer())
    record.trace = tracer->begin(request_->trace, record.request_id);
  else
    record.trace = request_->trace;
}

}  // namespace tollgate::server
