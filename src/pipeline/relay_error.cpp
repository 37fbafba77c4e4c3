// A provider may put our credential into its words, so an error is held whole and looked through before it goes to the
// client.
#include "relay_error.hpp"

#include "tollgate/pipeline/serve.hpp"
#include "tollgate/protocol/redactor.hpp"

#include "account.hpp"
#include "adapter.hpp"
#include "error_status.hpp"

#include <algorithm>

namespace tollgate::pipeline {

namespace {

// No API's error comes near it.
constexpr std::size_t whole_limit = 1024 * 1024;

/// The header lines but for those whose names begin so.
std::string without_field(std::string_view fields, std::string_view prefix) {
  std::string kept;
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n") + 2);
    fields.remove_prefix(line.size());
    if (!protocol::http::equals_ignoring_case(line.substr(0, prefix.size()), prefix)) kept += line;
  }
  return kept;
}

const config::Provider& provider_of(const Exchange& exchange) {
  return exchange.world->snapshot->providers[exchange.choice.target->provider];
}

}  // namespace

std::optional<std::string> without_secrets(const Exchange& exchange, std::string_view text) {
  const config::Provider& provider = provider_of(exchange);
  std::vector<std::string_view> secrets;
  for (const config::Credential& credential : provider.credentials) secrets.push_back(credential.key.reveal());
  for (const auto& [name, value] : provider.headers) secrets.push_back(value.reveal());
  if (const auto own = exchange.own_credential(); !own.value.empty()) secrets.push_back(own.value);
  return protocol::Redactor(secrets).redact(text);
}

bool may_hold_secrets(const Exchange& exchange, std::string_view text) {
  const config::Provider& provider = provider_of(exchange);
  const auto holds = [text](std::string_view secret) {
    return secret.size() >= protocol::Redactor::shortest_secret && text.find(secret) != std::string_view::npos;
  };
  const auto in_text = [holds](const config::Secret& secret) { return holds(secret.reveal()); };
  return std::ranges::any_of(provider.credentials, in_text, &config::Credential::key) ||
         std::ranges::any_of(provider.headers, in_text, &std::pair<std::string, config::Secret>::second) ||
         holds(exchange.own_credential().value) || text.find('%') != std::string_view::npos;
}

std::string_view loggable(const Exchange& exchange, std::string_view text) {
  return may_hold_secrets(exchange, text) && without_secrets(exchange, text) ? std::string_view() : text;
}

void send_held(Exchange& exchange, bool may_retry) {
  const HeldAnswer& held = *exchange.held;
  RequestRecord& record = exchange.record;
  record.outcome = outcome_of(held.status);
  record.ended_by = EndedBy::upstream;
  const std::string_view body = held.body;
  if (exchange.client.begun()) {
    // The 200 is out already: the event says it all by itself.
    const std::string event = protocol::error_event(exchange.inbound.surface, body);
    const std::string_view piece = event;
    record.bytes_out += event.size();
    close_account(exchange);
    exchange.client.write({&piece, 1});
    exchange.client.end();
    return;
  }
  record.status = held.status;
  record.bytes_out = held.body.size();
  close_account(exchange);
  std::string fields = held.fields;
  if (!may_retry) fields = without_field(fields, "x-should-retry") + "X-Should-Retry: false\r\n";
  exchange.client.begin(held.status, answer_fields(exchange, fields).view(), {.length = body.size()});
  exchange.client.write({&body, 1});
  exchange.client.end();
}

void ErrorRelay::head(std::string fields, const protocol::http::ResponseHead& upstream) {
  status_ = upstream.status;
  fields_ = std::move(fields);
  if (auto clean = without_secrets(exchange_, fields_)) fields_ = std::move(*clean);
  const std::string_view coding = upstream.fields.value("content-encoding");
  encoded_ = !coding.empty() && !protocol::http::equals_ignoring_case(coding, "identity");
}

bool ErrorRelay::take(std::string_view bytes) {
  if (encoded_) return true;
  if (held_.size() + bytes.size() > whole_limit) {
    send_stand_in("larger than 1 MiB");
    return false;
  }
  held_.append(bytes);
  return true;
}

void ErrorRelay::ended() {
  if (encoded_) return send_stand_in("in a Content-Encoding that was not asked for");
  auto clean = without_secrets(exchange_, held_.view());
  keep(clean ? std::move(*clean) : std::string(held_.view()));
}

void ErrorRelay::keep(std::string body) {
  if (!adapter_) {
    exchange_.held = std::make_unique<HeldAnswer>(HeldAnswer{status_, std::move(fields_), std::move(body), {}});
    return;
  }
  auto [status, translated] = adapter_->error(status_, body);
  fields_ = without_field(fields_, "content-type") + "Content-Type: application/json\r\n";
  exchange_.held =
      std::make_unique<HeldAnswer>(HeldAnswer{status, std::move(fields_), std::move(translated), std::move(body)});
}

/// What cannot be looked through is not passed on; its status is.
void ErrorRelay::send_stand_in(const std::string& reason) {
  held_.release();
  fields_ = without_field(fields_, "content-") + "Content-Type: application/json\r\n";
  const std::string target(exchange_.record.target);
  const Failure failure{FailureKind::upstream_error, Source::upstream,
                        "provider '" + target.substr(0, target.find('/')) + "' answered with status " +
                            std::to_string(status_) + "; what it said is withheld, as it is " + reason};
  exchange_.held = std::make_unique<HeldAnswer>(
      HeldAnswer{status_,
                 std::move(fields_),
                 protocol::error_body(exchange_.inbound.surface, failure, status_, exchange_.record.request_id),
                 {}});
}

}  // namespace tollgate::pipeline
