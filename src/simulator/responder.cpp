// What a request gets, and in which order it is judged: steering that is not understood, credential, limits, chance.
// The only place with a memory of earlier requests.
#include "simulator/responder.hpp"

#include "tollgate/base/digest.hpp"

#include "simulator/messages_ask.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tollgate::simulator {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view models_path = "/v1/models";
constexpr std::string_view model_path = "/v1/models/";

std::int64_t seconds_since_1970(SystemTime time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}

Prepared refused(const Voice& voice, const Failure& failure) {
  Prepared prepared;
  prepared.answer = refusal_answer(voice, failure);
  return prepared;
}

/// Refused before any planning; `why` is what the truth log calls it.
Prepared refused(Answer answer, std::string why, TruthEntry& entry) {
  Prepared prepared;
  prepared.answer = std::move(answer);
  entry.fault = std::move(why);
  return prepared;
}

std::string_view query_of(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

/// The API key of a request; empty for none. Where Anthropic is sent two, it looks at its own.
std::string_view key_of(const Request& request) {
  const std::string_view own = request["x-api-key"];
  if (!own.empty() && dialect_of(request) == Dialect::anthropic) return own;
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view value = request[http::field::authorization];
  const bool bearer = boost::beast::iequals(value.substr(0, scheme.size()), scheme);
  return bearer ? value.substr(scheme.size()) : value;
}

/// Steering does not know where it was written.
Prepared refused_steering(const Voice& voice, Failure failure, std::string where) {
  failure.param = std::move(where);
  return refused(voice, failure);
}

/// The tokens that count against a limit: the prompt's, and those of the answer that it will get.
std::uint64_t cost_of(const Call& call, const Plan& plan) {
  if (call.endpoint == Endpoint::count_tokens) return 0;
  const bool answers_in_tokens = call.endpoint != Endpoint::embeddings && call.endpoint != Endpoint::moderations;
  return call.prompt_tokens + (answers_in_tokens ? planned_tokens(&call, plan) : 0);
}

Result<Call> call_of(const Request& request, Endpoint endpoint) {
  const bool messages = endpoint == Endpoint::messages || endpoint == Endpoint::count_tokens;
  return messages ? read_messages_call(endpoint, request.body(), request["anthropic-version"])
                  : read_call(endpoint, request.body());
}

Prepared planned(const Voice& voice, Plan plan, TruthEntry& entry) {
  Prepared prepared;
  if (plan.fault) {
    entry.fault = name_of(*plan.fault);
    if (is_status_fault(*plan.fault)) prepared.answer = fault_answer(voice, *plan.fault, plan, entry.at);
  }
  prepared.plan = std::move(plan);
  return prepared;
}

}  // namespace

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

Dialect dialect_of(const Request& request) {
  const std::optional<Endpoint> endpoint = endpoint_of(path_of(request.target()));
  const bool own_path = endpoint == Endpoint::messages || endpoint == Endpoint::count_tokens;
  const bool says_so = !endpoint && request.count("anthropic-version") > 0;
  return own_path || says_so ? Dialect::anthropic : Dialect::openai;
}

std::string request_id_of(std::uint64_t ordinal) { return "req_sim_" + std::to_string(ordinal); }

std::string credential_of(const Request& request) {
  constexpr std::size_t enough_to_tell_apart = 8;
  const std::string_view key = key_of(request);
  return key.empty() ? "none" : to_hex(sha256(key)).substr(0, enough_to_tell_apart);
}

Responder::Responder(const config::SimulatorSettings& settings, std::vector<std::string> models)
    : planner_(settings), allowances_(settings.limits), accepted_(settings.accepts), models_(std::move(models)) {}

bool Responder::accepts(std::string_view key) const {
  const auto same = [&](const config::Secret& known) { return same_secret(known.reveal(), key); };
  return accepted_.empty() || std::any_of(accepted_.begin(), accepted_.end(), same);
}

std::optional<Moment> Responder::moment(SteadyTime now) const {
  if (!began_) return std::nullopt;
  const Micros since_start = std::chrono::duration_cast<Micros>(now - *began_);
  return Moment{since_start, planner_.conditions(since_start)};
}

Prepared Responder::respond(const Request& request, const Steering& scripted, TruthEntry& entry) {
  const Voice voice{dialect_of(request), request_id_of(entry.ordinal)};
  Prepared prepared = prepare(request, voice, scripted, entry);
  prepared.voice = voice;
  return prepared;
}

Prepared Responder::prepare(const Request& request, const Voice& voice, const Steering& scripted, TruthEntry& entry) {
  const std::string_view header = request["x-simulator"];
  const Result<Steering> steered = parse_steering(header, ';');
  if (!steered) return refused_steering(voice, steered.error(), "x-simulator");
  Steering steering = *steered;
  steering.override_with(scripted);

  const std::string_view key = key_of(request);
  const std::string_view path = path_of(request.target());
  const std::optional<Endpoint> endpoint = endpoint_of(path);
  const bool is_call = endpoint && request.method() == http::verb::post;
  if (is_call && !began_) began_ = entry.received;
  if (!accepts(key)) return refused(wrong_credential_answer(voice, !key.empty()), "wrong_credential", entry);
  if (is_call) {
    const Result<Call> call = call_of(request, *endpoint);
    if (!call) return refused(voice, call.error());
    return respond_to_call(*call, voice, std::move(steering), entry);
  }
  Prepared prepared = planned(voice, planner_.plan(entry.ordinal, nullptr, steering), entry);
  if (prepared.answer.body.empty()) prepared.answer = answer_without_call(request, voice, path);
  return prepared;
}

Prepared Responder::respond_to_call(const Call& call, const Voice& voice, Steering steering, TruthEntry& entry) {
  entry.model = call.model;
  entry.stream = call.stream;
  // Counting is free.
  entry.prompt_tokens = call.endpoint == Endpoint::count_tokens ? 0 : call.prompt_tokens;
  const Result<Steering> by_model = parse_steering(call.steering_text(), ',');
  if (!by_model) return refused_steering(voice, by_model.error(), "model");
  Steering merged = *by_model;
  merged.override_with(steering);

  const Micros since_start = moment(entry.received)->since_start;
  Plan plan = planner_.plan(entry.ordinal, &call, merged, since_start);
  const Grant grant = allowances_.ask(entry.credential, cost_of(call, plan), entry.received);
  if (grant.refusal()) {
    return refused(over_limit_answer(voice, call.base_model(), grant, entry.at), "over_limit", entry);
  }

  Prepared prepared = planned(voice, std::move(plan), entry);
  const std::optional<Fault> fault = prepared.plan.fault;
  if (!fault || !is_status_fault(*fault)) {
    Call asked = call;
    if (fault == Fault::empty_choices) asked.choices = 0;
    use_cache(call, prepared.plan, entry);
    prepared.answer = answer_to(asked, prepared.plan, seconds_since_1970(entry.at));
  }
  add_limit_fields(prepared.answer, voice, grant, entry.at);
  return prepared;
}

/// A prompt that is answered is written to the cache, whatever becomes of the answer.
void Responder::use_cache(const Call& call, Plan& plan, TruthEntry& entry) {
  if (!call.messages || call.endpoint != Endpoint::messages) return;
  plan.cache = cache_.use(entry.credential + '/' + call.base_model(), call.messages->prefix_ends, entry.received);
  entry.cache_read_tokens = plan.cache.read;
  entry.cache_write_5m_tokens = plan.cache.written_5m;
  entry.cache_write_1h_tokens = plan.cache.written_1h;
}

Answer Responder::answer_without_call(const Request& request, const Voice& voice, std::string_view path) const {
  const bool models = path == models_path || path.starts_with(model_path);
  if (!models && !endpoint_of(path)) {
    return unknown_url_answer(voice, std::string(request.method_string()), std::string(path));
  }
  if (!models || request.method() != http::verb::get) {
    return wrong_method_answer(voice, std::string(request.method_string()), std::string(path));
  }
  if (path == models_path) return models_answer(voice, models_, query_of(request.target()));
  return model_answer(voice, models_, std::string(path.substr(model_path.size())));
}

}  // namespace tollgate::simulator
