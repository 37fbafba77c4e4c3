// What a caller may do and how much of it: rights are judged on what the name was resolved to, then every limit that
// the request meets is taken at once. What was taken is put right when it is known what was used.
#include "tollgate/pipeline/live_state.hpp"
#include "tollgate/policy/limit_text.hpp"

#include "index_in.hpp"
#include "stages.hpp"

#include <algorithm>

namespace tollgate::pipeline {

namespace {

using policy::ScopeKind;

// A provider that claims more for one request is not believed: its slip would lock a tenant out for years.
constexpr std::uint64_t most_believed = 100'000'000;
policy::Demand demand_of(const Exchange& exchange) {
  policy::Demand demand;
  demand.output_known = exchange.inbound.only_counts;
  if (exchange.inbound.only_counts) return demand;
  demand.input_tokens = expected_input_tokens(exchange);
  // What is no stream of text has no output that counts: embeddings, moderations.
  if (exchange.inbound.stream_kind == protocol::openai::StreamKind::opaque) {
    demand.output_known = true;
    return demand;
  }
  demand.output_known = exchange.scan.max_output.has_value();
  demand.output_tokens = most_output_tokens(exchange, *exchange.resolution.model);
  return demand;
}

/// The scope of the end user that the request names, where its key may name one.
std::shared_ptr<policy::LimitScope> end_user_scope(const Exchange& exchange, SteadyTime now) {
  const Caller& caller = exchange.caller;
  if (!caller.key->key.settings.may_delegate || !caller.tenant->end_user_limits.any()) return nullptr;
  if (end_user_of(exchange).empty()) return nullptr;
  return exchange.world->limits->live->end_users.scope(caller.tenant->name, end_user_hash_of(exchange),
                                                       caller.tenant->end_user_limits, now);
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
  hold.settle({tokens_of_bytes(record.bytes_in), 0, tokens_of_bytes(record.bytes_out)}, now);
}

}  // namespace

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
  exchange.hold = std::make_unique<policy::Hold>();
  add_all(exchange.hold->begin(), exchange, now);
  const auto denial = policy::admit(*exchange.hold, demand_of(exchange), now, exchange.standing);
  if (denial) return denied(exchange, *denial);
  return {};
}

void settle(Exchange& exchange) {
  if (!exchange.hold || exchange.hold->chain().empty()) return;
  const SteadyTime now = exchange.alarm.woken_at();
  const auto& usage = exchange.record.usage;
  if (exchange.inbound.only_counts) return exchange.hold->settle({}, now);
  if (!usage) return settle_unsaid(*exchange.hold, exchange, now);
  exchange.hold->settle({std::min(usage->input, most_believed), std::min(usage->cached_input, most_believed),
                         std::min(usage->output, most_believed)},
                        now);
}

}  // namespace tollgate::pipeline
