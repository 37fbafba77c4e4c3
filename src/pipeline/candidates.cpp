// Most requests have one candidate and need nothing of it but its place here, so everything that has to look into the
// body waits until it makes a difference.
#include "candidates.hpp"

#include "adapter.hpp"
#include "stages.hpp"

#include <algorithm>
#include <functional>

namespace tollgate::pipeline {

using policy::Option;

namespace {

// A prompt cache begins at 1,024 tokens.
constexpr std::size_t smallest_cached = 4096;

const config::Dispatch* dispatch_of(const Exchange& exchange) {
  if (exchange.task) return &exchange.task->dispatch;
  return exchange.resolution.route ? &exchange.resolution.route->dispatch : nullptr;
}

/// Callers with credentials of their own: what those meet is theirs alone.
bool has_own(const Exchange& exchange, std::size_t provider) {
  const config::Tenant* tenant = exchange.caller.tenant;
  if (!tenant) return false;
  return tenant->passes_credentials || std::any_of(tenant->credentials.begin(), tenant->credentials.end(),
                                                   [provider](const auto& own) { return own.first == provider; });
}

Option::State state_of(CredentialHealth::State state) {
  switch (state) {
    case CredentialHealth::State::cooling: return Option::State::cooling;
    case CredentialHealth::State::set_aside: return Option::State::set_aside;
    case CredentialHealth::State::usable: break;
  }
  return Option::State::usable;
}

/// Every bit of one depends on every bit of the other (the finaliser of MurmurHash3).
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccd;
  bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53;
  return bits ^ bits >> 33;
}

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

const config::Effort& effort_of(const Exchange& exchange) {
  const config::Dispatch* dispatch = dispatch_of(exchange);
  return dispatch ? dispatch->effort : exchange.world->snapshot->defaults;
}

Candidates::Candidates(const Exchange& exchange) : exchange_(exchange) {
  const config::Model& primary = *exchange.resolution.model;
  if (is_able(primary)) add_model(primary, exchange.resolution.wildcard_part, 0);
  const config::Dispatch* dispatch = dispatch_of(exchange);
  // What a spent budget has chosen, nobody dearer stands in for.
  if (!dispatch || exchange.downgraded) return;
  std::uint16_t rank = 1;
  for (const config::ModelName& name : dispatch->fallbacks) add(name, rank++);
}

void Candidates::add(const config::ModelName& name, std::uint16_t rank) {
  const config::Model& model = exchange_.world->snapshot->models[name.model];
  if (may_ask(model, name.part) && is_able(model)) add_model(model, name.part, rank);
}

/// A route may dispatch to what its caller may not call by name, but not to what is denied.
bool Candidates::may_ask(const config::Model& model, std::string_view part) const {
  if (!exchange_.caller.tenant) return true;
  return exchange_.caller.may_call(*exchange_.world->snapshot,
                                   {exchange_.resolution.route, &model, std::string(part), nullptr});
}

bool Candidates::is_able(const config::Model& model) {
  const config::Features& can = model.features;
  if (can.all()) return true;
  if (!needs_) needs_ = protocol::openai::read_needs(exchange_.body.view());
  const protocol::openai::Needs& needs = *needs_;
  if (needs.tools && !can.tools) lacking_ = "tools";
  if (needs.vision && !can.vision) lacking_ = "pictures";
  if (needs.json_schema && !can.json_schema) lacking_ = "response_format json_schema";
  return (can.tools || !needs.tools) && (can.vision || !needs.vision) && (can.json_schema || !needs.json_schema);
}

void Candidates::add_model(const config::Model& model, std::string_view part, std::uint16_t rank) {
  for (std::size_t i = 0; i < model.targets.size(); ++i) add_target(model, i, part, rank);
}

void Candidates::add_target(const config::Model& model, std::size_t index, std::string_view part, std::uint16_t rank) {
  const config::Snapshot& snapshot = *exchange_.world->snapshot;
  const Health& health = *exchange_.world->health;
  const config::Target& target = model.targets[index];
  if (fit_of(exchange_.inbound, snapshot.providers[target.provider].protocol) == Fit::impossible) {
    lacking_ = "a path that its provider does not know";
    return;
  }
  const auto place = static_cast<std::size_t>(&model - snapshot.models.data());
  const TargetHealth& known = health.models[place][index];
  const auto number = static_cast<std::uint16_t>(list_.empty() ? 0 : list_.back().number + 1);
  const auto& credentials = snapshot.providers[target.provider].credentials;
  const auto last = static_cast<std::uint16_t>(known.circuits.size() - 1);
  if (credentials.empty() || has_own(exchange_, target.provider)) {
    list_.push_back({&model, &target, part, &known, rank, number, last, nullptr, nullptr});
    return;
  }
  for (std::size_t i = 0; i < credentials.size(); ++i)
    list_.push_back({&model, &target, part, &known, rank, number, static_cast<std::uint16_t>(i), &credentials[i],
                     health.credentials[target.provider][i]});
}

bool Candidates::fits(const config::Model& model) const {
  if (!model.context || !several()) return true;
  if (!expected_tokens_) expected_tokens_ = expected_tokens(exchange_);
  return *expected_tokens_ <= *model.context;
}

Option Candidates::option(const Candidate& candidate, SteadyTime now) const {
  Option option;
  option.rank = candidate.rank;
  option.target = candidate.number;
  option.credential = candidate.circuit;
  option.context = candidate.model->context.value_or(0);
  option.fits = fits(*candidate.model);
  const policy::Circuit& circuit = *candidate.health->circuits[candidate.circuit];
  if (!circuit.usable(now)) {
    option.state = Option::State::circuit_open;
    option.usable_at = circuit.retry_at(now).value_or(now);
    return option;
  }
  if (candidate.of_credential) {
    const auto view = candidate.of_credential->view(now);
    option.state = state_of(view.state);
    option.usable_at = view.until;
  }
  if (several()) {
    option.probes = circuit.view(now).state == policy::CircuitState::half_open;
    const double weight = candidate.target->weight * (candidate.credential ? candidate.credential->weight : 1);
    option.load = candidate.health->load->choice(weight, circuit.share(now), now);
  }
  return option;
}

void Candidates::look(Options& options, SteadyTime now, bool begins) const {
  options.clear();
  for (const Candidate& candidate : list_) options.push_back(option(candidate, now));
  if (begins && several() && exchange_.body.size() >= smallest_cached && effort_of(exchange_).affinity) bind(options);
}

/// Binds the conversation to a target of each model, by how it begins.
void Candidates::bind(Options& options) const {
  const std::string_view start = protocol::openai::conversation_start(exchange_.body.view());
  if (start.empty()) return;
  const std::uint64_t conversation = hash_of(start);
  for (std::size_t i = 0; i < options.size(); ++i) {
    const Candidate& candidate = list_[i];
    const std::uint64_t at =
        hash_of(candidate.health->label) ^ hash_of(candidate.health->credentials[candidate.circuit]);
    options[i].load.affinity = std::max<std::uint64_t>(1, mixed(conversation ^ mixed(at)));
  }
}

}  // namespace tollgate::pipeline
