// What a caller may do and how much of it: rights are judged on what the name was resolved to, then every limit that
// the request meets is taken at once. What was taken is put right when it is known what was used.
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/policy/limit_text.hpp"

#include "stages.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate::pipeline {

namespace {

using policy::ScopeKind;

// A provider that claims more for one request is not believed: its slip would lock a tenant out for years.
constexpr std::uint64_t most_believed = 100'000'000;
constexpr std::uint64_t bytes_per_token = 4;
// What a picture costs on the providers' usual scales, whatever its bytes.
constexpr std::uint64_t tokens_per_picture = 1'500;
// A body with less in it than this is not looked through for one.
constexpr std::size_t smallest_picture = 4096;

/// Tokens of a request body, before anybody has counted them: a tenth above one for four bytes, and data that stands in
/// it as base64 by the piece, since its bytes say nothing.
std::uint64_t estimated_tokens(std::string_view body) {
  constexpr std::string_view mark = ";base64,";
  std::uint64_t bytes = body.size(), tokens = 0;
  if (bytes < smallest_picture) return bytes / bytes_per_token + bytes / (bytes_per_token * 10) + 1;
  for (std::size_t at = body.find(mark); at != body.npos; at = body.find(mark, at)) {
    at += mark.size();
    const std::size_t end = std::min(body.find('"', at), body.size());
    bytes -= end - at;
    tokens += tokens_per_picture;
    at = end;
  }
  return tokens + bytes / bytes_per_token + bytes / (bytes_per_token * 10) + 1;
}

policy::Demand demand_of(const Exchange& exchange) {
  policy::Demand demand;
  demand.input_tokens = estimated_tokens(exchange.body.view());
  // What is no stream of text has no output that counts: embeddings, moderations.
  if (exchange.inbound.stream_kind == protocol::openai::StreamKind::opaque) {
    demand.output_known = true;
    return demand;
  }
  const auto& scan = exchange.scan;
  demand.output_known = scan.max_output.has_value();
  const std::uint64_t each = scan.max_output.value_or(exchange.resolution.model->default_max_output);
  const std::uint64_t choices = std::max<std::uint64_t>(1, scan.choices);
  constexpr std::uint64_t plenty = 1'000'000'000'000;
  demand.output_tokens = each > plenty / choices ? plenty : each * choices;
  return demand;
}

/// The scope of the end user that the request names, where its key may name one.
std::shared_ptr<policy::LimitScope> end_user_scope(const Exchange& exchange, SteadyTime now) {
  const Caller& caller = exchange.caller;
  if (!caller.key->key.settings.may_delegate || !caller.tenant->end_user_limits.any()) return nullptr;
  const std::string& named = !exchange.inbound.end_user.empty() ? exchange.inbound.end_user : exchange.scan.end_user;
  if (named.empty()) return nullptr;
  const Digest digest = sha256(named);
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return exchange.world->limits->live->end_users.scope(caller.tenant->name, hash, caller.tenant->end_user_limits, now);
}

template <class Items>
std::size_t index_in(const Items& items, const typename Items::value_type* item) {
  return static_cast<std::size_t>(item - items.data());
}

void add(policy::ScopeChain& chain, const std::shared_ptr<policy::LimitScope>& scope) {
  if (scope) chain.add(scope);
}

/// The limits of whoever calls.
void add_callers(policy::ScopeChain& chain, const Exchange& exchange) {
  const config::Tenant* tenant = exchange.caller.tenant;
  if (!tenant) return;
  const LimitScopes& scopes = *exchange.world->limits;
  if (tenant->group) add(chain, scopes.groups[*tenant->group]);
  add(chain, scopes.tenants[index_in(exchange.world->snapshot->tenants, tenant)]);
  add(chain, exchange.caller.key->limits);
}

/// And of what it calls.
void add_all(policy::ScopeChain& chain, const Exchange& exchange, SteadyTime now) {
  add_callers(chain, exchange);
  const config::Snapshot& snapshot = *exchange.world->snapshot;
  const LimitScopes& scopes = *exchange.world->limits;
  if (exchange.caller.tenant) add(chain, end_user_scope(exchange, now));
  const config::Resolution& resolution = exchange.resolution;
  if (resolution.route) add(chain, scopes.routes[index_in(snapshot.routes, resolution.route)]);
  add(chain, scopes.models[index_in(snapshot.models, resolution.model)]);
}

std::string_view unit_of(policy::LimitKind kind) {
  switch (kind) {
    case policy::LimitKind::requests: return "requests per minute";
    case policy::LimitKind::tokens: return "tokens per minute";
    case policy::LimitKind::concurrency: return "requests at one time";
  }
  return "";  // GCOVR_EXCL_LINE: every kind has returned
}

/// How the one who is limited is told of it. An end user's name is only known as a hash here.
std::string holder_of(const policy::Denial& denial) {
  switch (denial.kind) {
    case ScopeKind::group: return "the group '" + denial.scope + "' has";
    case ScopeKind::tenant: return "the tenant '" + denial.scope + "' has";
    case ScopeKind::key: return "this API key has";
    case ScopeKind::end_user: return "this end user has";
    case ScopeKind::route: return "the route '" + denial.scope + "' has, for all callers together,";
    case ScopeKind::model: return "the model '" + denial.scope + "' has, for all callers together,";
  }
  return "";  // GCOVR_EXCL_LINE: every kind has returned
}

Failure denied(Exchange& exchange, const policy::Denial& denial) {
  exchange.record.limit = std::string(name_of(denial.kind)) + "_" + std::string(name_of(denial.what));
  Failure failure{
      FailureKind::rate_limited, Source::client,
      holder_of(denial) + " a limit of " + std::to_string(denial.limit) + " " + std::string(unit_of(denial.what))};
  if (denial.retry_after) {
    failure.message += "; try again in " + policy::reset_text(*denial.retry_after);
    failure.retry_after = denial.retry_after;
  } else {
    failure.message += ", and this request alone needs more; ask for a shorter answer or send less";
    failure.final = true;
  }
  if (denial.what == policy::LimitKind::tokens) failure.type = "tokens";
  failure.param = exchange.record.limit;
  return failure;
}

/// What was used by a request whose provider did not say. Of what never came nothing; else what was sent and what came.
void settle_unsaid(policy::Hold& hold, const Exchange& exchange, SteadyTime now) {
  const RequestRecord& record = exchange.record;
  if (record.attempts.empty()) return hold.refund(now);
  const bool answered = record.status == 200 || exchange.events_begun;
  if (!answered) return hold.cancel(now);
  hold.settle({record.bytes_in / bytes_per_token, 0, record.bytes_out / bytes_per_token}, now);
}

}  // namespace

std::uint64_t expected_tokens(const Exchange& exchange) {
  return estimated_tokens(exchange.body.view()) + exchange.scan.max_output.value_or(0);
}

bool Caller::may_call(const config::Snapshot& snapshot, const config::Resolution& resolution) const {
  if (!tenant) return true;
  const auto permits = [&](const policy::Rights& rights) {
    return rights.allow_all() || snapshot.permits(rights, resolution);
  };
  return permits(tenant->rights) && permits(key->key.settings.rights);
}

Result<void> authorize(Exchange& exchange) {
  if (exchange.caller.may_call(*exchange.world->snapshot, exchange.resolution)) return {};
  return Failure{
      FailureKind::not_allowed, Source::client,
      "this API key may not call '" + exchange.scan.model.substr(0, 128) + "'; GET /v1/models lists what it may",
      "model_not_allowed", "model"};
}

Result<void> may_begin(Exchange& exchange) {
  policy::ScopeChain chain;
  add_callers(chain, exchange);
  if (chain.empty()) return {};
  const SteadyTime now = exchange.alarm.woken_at();
  const auto denial = policy::would_deny(chain, now);
  if (!denial) return {};
  exchange.standing = policy::standing(chain, now);
  return denied(exchange, *denial);
}

Result<void> admit(Exchange& exchange) {
  if (!exchange.caller.tenant && !exchange.world->limits->for_all) return {};
  const SteadyTime now = exchange.alarm.woken_at();
  add_all(exchange.hold.begin(), exchange, now);
  const auto denial = policy::admit(exchange.hold, demand_of(exchange), now, exchange.standing);
  if (denial) return denied(exchange, *denial);
  return {};
}

void settle(Exchange& exchange) {
  if (exchange.hold.chain().empty()) return;
  const SteadyTime now = exchange.alarm.woken_at();
  const auto& usage = exchange.record.usage;
  if (!usage) return settle_unsaid(exchange.hold, exchange, now);
  exchange.hold.settle({std::min(usage->input, most_believed), std::min(usage->cached_input, most_believed),
                        std::min(usage->output, most_believed)},
                       now);
}

}  // namespace tollgate::pipeline
