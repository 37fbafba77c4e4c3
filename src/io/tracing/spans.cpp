// A request's spans: names and attributes by OpenTelemetry's conventions for HTTP servers and generative AI, and what
// only a gateway knows below `tollgate.`. Content is never among them.
#include "spans.hpp"

#include "tollgate/base/decimal.hpp"
#include "tollgate/protocol/openai/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace tollgate::io {
namespace {

using pipeline::AttemptRecord;
using pipeline::Outcome;
using pipeline::RequestRecord;
using protocol::openai::quote;

/// OTLP's numbers (opentelemetry/proto/trace/v1/trace.proto).
enum class Kind { server = 2, client = 3 };
constexpr std::string_view error_status = R"(,"status":{"code":2})";

/// One span; its attributes follow in any order.
class SpanWriter {
 public:
  explicit SpanWriter(std::string& out) : out_(out) {}

  void begin(const protocol::TraceContext& trace, const protocol::SpanId& id, const protocol::SpanId* parent) {
    if (!out_.empty()) out_ += ',';
    out_.append(R"({"traceId":")").append(trace.trace_id.data(), trace.trace_id.size());
    out_.append(R"(","spanId":")").append(id.data(), id.size());
    if (parent) out_.append(R"(","parentSpanId":")").append(parent->data(), parent->size());
    out_ += '"';
    if (!trace.state.empty()) out_.append(R"(,"traceState":)").append(quote(trace.state));
  }
  void what(const std::string& name, Kind kind, SystemTime from, SystemTime to) {
    out_.append(R"(,"name":)").append(quote(name)).append(R"(,"kind":)").append(kind == Kind::server ? "2" : "3");
    out_.append(R"(,"startTimeUnixNano":")").append(Decimal(nanos(from)).text());
    out_.append(R"(","endTimeUnixNano":")").append(Decimal(nanos(std::max(from, to))).text());
    out_.append(R"(","attributes":[)");
  }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    start(key);
    out_.append(R"("stringValue":)").append(quote(value)).append("}}");
  }
  void number(std::string_view key, std::uint64_t value) {
    start(key);
    out_.append(R"("intValue":")").append(Decimal(value).text()).append("\"}}");
  }
  void flag(std::string_view key, bool value) {
    start(key);
    out_.append(R"("boolValue":)").append(value ? "true}}" : "false}}");
  }
  void real(std::string_view key, double value) {
    std::array<char, 32> digits;
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    start(key);
    out_.append(R"("doubleValue":)").append(digits.data(), written.ptr).append("}}");
  }
  void end(bool failed) { out_.append("]").append(failed ? error_status : "").append("}"); }

 private:
  static std::uint64_t nanos(SystemTime time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  }
  void start(std::string_view key) {
    if (out_.back() != '[') out_ += ',';
    out_.append(R"({"key":")").append(key).append(R"(","value":{)");
  }
  std::string& out_;
};

/// gen_ai.operation.name: the convention's words where it has one, else the endpoint's own.
std::string operation_of(std::string_view endpoint) {
  if (endpoint == "/v1/chat/completions" || endpoint == "/v1/responses") return "chat";
  if (endpoint == "/v1/completions") return "text_completion";
  if (endpoint == "/v1/embeddings") return "embeddings";
  return "other";
}

/// The attempt whose answer the client has; its usage and its first token are the request's.
const AttemptRecord* answering(const RequestRecord& record) {
  const auto& attempts = record.attempts;
  const auto found = std::find_if(attempts.rbegin(), attempts.rend(), [&](const AttemptRecord& attempt) {
    return attempt.target == record.target && attempt.waste != pipeline::Waste::hedge;
  });
  return found == attempts.rend() ? nullptr : &*found;
}

void write_usage(SpanWriter& span, const protocol::Usage& usage) {
  span.number("gen_ai.usage.input_tokens", usage.input);
  span.number("gen_ai.usage.output_tokens", usage.output);
  span.number("gen_ai.usage.cache_read.input_tokens", usage.cached_input);
  span.number("gen_ai.usage.cache_creation.input_tokens", usage.cache_write + usage.cache_write_long);
  span.number("gen_ai.usage.reasoning.output_tokens", usage.reasoning);
}

void write_cost(SpanWriter& span, const std::optional<Money>& cost) {
  if (cost) span.text("tollgate.cost_usd", MoneyText(*cost).text());
}

void write_request(SpanWriter& span, const RequestRecord& record) {
  const auto& trace = *record.trace;
  span.begin(trace, protocol::span_id_of(record.request_id), trace.has_parent() ? &trace.parent_id : nullptr);
  span.what(std::string(record.method) + " " + std::string(record.endpoint), Kind::server, record.began_at,
            record.began_at + record.duration);
  span.text("http.request.method", record.method == "other" ? std::string_view("_OTHER") : record.method);
  span.text("http.route", record.endpoint);
  span.number("http.response.status_code", record.status);
  span.text("tollgate.request_id", record.request_id);
  span.text("tollgate.client_request_id", record.client_request_id);
  span.text("tollgate.tenant", record.tenant);
  span.text("tollgate.key", record.key);
  span.text("tollgate.route", record.route);
  span.text("tollgate.task", record.task);
  span.text("tollgate.model", record.model);
  span.text("tollgate.target", record.target);
  span.text("tollgate.limit", record.limit);
  span.text("tollgate.outcome", pipeline::name_of(record.outcome));
  span.text("tollgate.ended_by", pipeline::name_of(record.ended_by));
  span.text("tollgate.phase", pipeline::name_of(record.phase));
  span.flag("tollgate.stream", record.stream);
  span.number("tollgate.attempts", record.attempts.size());
  span.number("tollgate.overhead_us", static_cast<std::uint64_t>(std::max<Micros::rep>(record.overhead().count(), 0)));
  write_cost(span, record.cost);
  if (record.outcome != Outcome::ok)
    span.text("error.type", record.error_code.empty() ? pipeline::name_of(record.outcome) : record.error_code);
  // What a client did wrong is no error of the server's (HTTP conventions); the attribute above tells it all the same.
  const bool ours = record.outcome != Outcome::ok && record.outcome != Outcome::client_error &&
                    record.outcome != Outcome::limited && record.outcome != Outcome::cancelled;
  span.end(ours);
}

void write_attempt(SpanWriter& span, const RequestRecord& record, const AttemptRecord& attempt, bool answers) {
  const std::size_t slash = std::min(attempt.target.find('/'), attempt.target.size());
  const std::string_view provider = attempt.target.substr(0, slash);
  const std::string_view model = attempt.target.substr(std::min(slash + 1, attempt.target.size()));
  const std::string operation = operation_of(record.endpoint);
  const auto server = protocol::span_id_of(record.request_id);
  span.begin(*record.trace, protocol::span_id_of(attempt.id.text()), &server);
  span.what(operation + " " + std::string(model), Kind::client, record.began_at + attempt.began,
            record.began_at + attempt.ended);
  span.text("gen_ai.operation.name", operation);
  span.text("gen_ai.provider.name", provider);
  span.text("gen_ai.request.model", model);
  span.flag("gen_ai.request.stream", record.stream);
  const auto& usage = attempt.usage || !answers ? attempt.usage : record.usage;
  if (usage) write_usage(span, *usage);
  if (answers && record.first_token)
    span.real("gen_ai.response.time_to_first_chunk",
              std::chrono::duration<double>(std::max(Micros{0}, *record.first_token - attempt.began)).count());
  if (answers) span.text("tollgate.upstream_request_id", record.upstream_request_id);
  span.text("tollgate.attempt_id", attempt.id.text());
  span.text("tollgate.target", attempt.target);
  span.text("tollgate.credential", attempt.credential);
  span.text("tollgate.reason", policy::name_of(attempt.reason));
  span.text("tollgate.outcome", pipeline::name_of(attempt.outcome));
  if (attempt.waste != pipeline::Waste::none) span.text("tollgate.waste", pipeline::name_of(attempt.waste));
  span.flag("tollgate.reused", attempt.reused);
  write_cost(span, attempt.cost);
  // One that was cut off by us, since another was faster or the client left, has not failed.
  const bool failed = attempt.outcome != Outcome::ok && attempt.outcome != Outcome::cancelled;
  if (failed) span.text("error.type", pipeline::name_of(attempt.outcome));
  span.end(failed);
}

}  // namespace

std::uint64_t append_spans(std::string& out, const RequestRecord& record) {
  SpanWriter span(out);
  write_request(span, record);
  const AttemptRecord* const answer = answering(record);
  for (const AttemptRecord& attempt : record.attempts) write_attempt(span, record, attempt, &attempt == answer);
  return 1 + record.attempts.size();
}

}  // namespace tollgate::io
