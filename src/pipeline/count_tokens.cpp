#include "tollgate/pipeline/serve.hpp"
#include "tollgate/policy/token_estimate.hpp"

#include "adapter.hpp"
#include "stages.hpp"

namespace tollgate::pipeline {

namespace {

// More than that takes too long on an event loop.
constexpr std::size_t longest_counted = 64 * 1024;

std::uint64_t count(const Exchange& exchange) {
  if (exchange.body.size() > longest_counted) return expected_input_tokens(exchange);
  const std::string& name = exchange.choice.target->upstream_model;
  return policy::estimate_prompt_tokens(
      exchange.body.view(), policy::token_rules(name == "*" ? exchange.choice.part : std::string_view(name)));
}

}  // namespace

bool counts_here(const Exchange& exchange) {
  if (!exchange.inbound.only_counts) return false;
  const auto& providers = exchange.world->snapshot->providers;
  return fit_of(exchange.inbound, providers[exchange.choice.target->provider].protocol) == Fit::impossible;
}

void answer_count(Exchange& exchange) {
  exchange.warning = "estimated_tokens";
  RequestRecord& record = exchange.record;
  record.phase = Phase::done;
  record.ended_by = EndedBy::gateway;
  record.status = 200;
  const std::string body = "{\"input_tokens\":" + std::to_string(count(exchange)) + "}";
  record.bytes_out += body.size();
  const std::string_view piece = body;
  exchange.client.begin(200, answer_fields(exchange, "Content-Type: application/json\r\n").view(),
                        {.length = body.size()});
  exchange.client.write({&piece, 1});
  exchange.client.end();
}

}  // namespace tollgate::pipeline
