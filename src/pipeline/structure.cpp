// Answers that are to match a JSON schema, where the route wants that seen to: one that does not is kept back, and who
// gave it is asked once more with what is wrong. What was kept is still the best there is where that brings nothing.
#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/json_schema.hpp"
#include "tollgate/protocol/structured_output.hpp"

#include "account.hpp"
#include "candidates.hpp"
#include "stages.hpp"

#include <utility>

namespace tollgate::pipeline {

namespace {

using protocol::JsonSchema;
using protocol::openai::StreamKind;

constexpr std::string_view unfit_warning = "invalid_output";

std::string fault_of(const JsonSchema::Verdict& verdict) {
  return verdict.where.empty() ? verdict.what : "at " + verdict.where + ": " + verdict.what;
}

}  // namespace

void expect_structure(Exchange& exchange) {
  // What was streamed cannot be taken back.
  if (!effort_of(exchange).repairs_output || exchange.scan.stream) return;
  const StreamKind kind = exchange.inbound.stream_kind;
  if (kind != StreamKind::chat && kind != StreamKind::messages) return;
  const std::string_view schema = protocol::schema_asked_for(exchange.inbound.surface, exchange.body.view());
  if (schema.empty()) return;
  exchange.structure = std::make_unique<Structure>();
  exchange.structure->schema = schema;
}

bool keep_unfit(Exchange& exchange, std::uint16_t status, std::string_view fields, std::string_view body) {
  if (!exchange.structure) return false;
  Structure& structure = *exchange.structure;
  auto said = protocol::finished_text(exchange.inbound.surface, body);
  if (!said) return false;
  const auto schema = JsonSchema::read(structure.schema);
  if (!schema) return false;
  const auto verdict = schema->judge(*said);
  if (verdict.kind != JsonSchema::Verdict::Kind::differs) return false;
  if (structure.asked_again) {
    exchange.warning = unfit_warning;
    return false;
  }
  structure.kept = std::make_unique<HeldAnswer>(HeldAnswer{status, std::string(fields), std::string(body), {}});
  structure.said = std::move(*said);
  structure.fault = fault_of(verdict);
  structure.choice = exchange.choice;
  structure.model = exchange.record.model;
  structure.target = exchange.record.target;
  return true;
}

bool ask_again(Exchange& exchange) {
  if (!exchange.structure || !exchange.structure->kept) return false;
  Structure& structure = *exchange.structure;
  structure.asked_again = true;
  structure.usage = exchange.record.usage;
  const std::string body = protocol::asking_again(exchange.body.view(), structure.said, structure.fault);
  const std::uint64_t bytes_in = exchange.record.bytes_in;
  exchange.body.clear();
  exchange.body.append(body);
  exchange.scan = protocol::openai::RequestScan();
  const bool can_be_sent = parse(exchange).has_value();
  exchange.record.bytes_in = bytes_in;
  return can_be_sent;
}

bool send_kept(Exchange& exchange) {
  if (!exchange.structure || !exchange.structure->kept || exchange.client.begun()) return false;
  const Structure& structure = *exchange.structure;
  const HeldAnswer& kept = *structure.kept;
  RequestRecord& record = exchange.record;
  exchange.choice = structure.choice;
  exchange.warning = unfit_warning;
  record.model = structure.model;
  record.target = structure.target;
  record.usage = structure.usage;
  record.outcome = Outcome::ok;
  record.ended_by = EndedBy::nobody;
  record.status = kept.status;
  record.bytes_out = kept.body.size();
  close_account(exchange);
  exchange.client.begin(kept.status, answer_fields(exchange, kept.fields).view(), {.length = kept.body.size()});
  const std::string_view piece = kept.body;
  exchange.client.write({&piece, 1});
  exchange.client.end();
  return true;
}

}  // namespace tollgate::pipeline
