#include "simulator/responder.hpp"

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

Prepared refused(const Failure& failure) {
  Prepared prepared;
  prepared.answer = refusal_answer(failure);
  return prepared;
}

/// Steering does not know where it was written.
Prepared refused_steering(Failure failure, std::string where) {
  failure.param = std::move(where);
  return refused(failure);
}

Prepared planned(Plan plan, TruthEntry& entry) {
  Prepared prepared;
  prepared.plan = plan;
  if (plan.fault) {
    entry.fault = name_of(*plan.fault);
    if (is_status_fault(*plan.fault)) prepared.answer = fault_answer(*plan.fault, plan, entry.at);
  }
  return prepared;
}

}  // namespace

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

Prepared Responder::respond(const Request& request, const Steering& scripted, TruthEntry& entry) const {
  const std::string_view header = request["x-simulator"];
  const Result<Steering> steered = parse_steering(header, ';');
  if (!steered) return refused_steering(steered.error(), "x-simulator");
  Steering steering = *steered;
  steering.override_with(scripted);

  const std::string_view path = path_of(request.target());
  const std::optional<Endpoint> endpoint = endpoint_of(path);
  if (endpoint && request.method() == http::verb::post) {
    const Result<Call> call = read_call(*endpoint, request.body());
    if (!call) return refused(call.error());
    return respond_to_call(*call, std::move(steering), entry);
  }
  Prepared prepared = planned(planner_.plan(entry.ordinal, nullptr, steering), entry);
  if (prepared.answer.body.empty()) prepared.answer = answer_without_call(request, path);
  return prepared;
}

Prepared Responder::respond_to_call(const Call& call, Steering steering, TruthEntry& entry) const {
  entry.model = call.model;
  entry.stream = call.stream;
  entry.prompt_tokens = call.prompt_tokens;
  const Result<Steering> by_model = parse_steering(call.steering_text(), ',');
  if (!by_model) return refused_steering(by_model.error(), "model");
  Steering merged = *by_model;
  merged.override_with(steering);

  Prepared prepared = planned(planner_.plan(entry.ordinal, &call, merged), entry);
  if (prepared.plan.fault && is_status_fault(*prepared.plan.fault)) return prepared;
  Call asked = call;
  if (prepared.plan.fault == Fault::empty_choices) asked.choices = 0;
  prepared.answer = answer_to(asked, prepared.plan, seconds_since_1970(entry.at));
  return prepared;
}

Answer Responder::answer_without_call(const Request& request, std::string_view path) const {
  const bool models = path == models_path || path.starts_with(model_path);
  if (!models && !endpoint_of(path)) {
    return unknown_url_answer(std::string(request.method_string()), std::string(path));
  }
  if (!models || request.method() != http::verb::get) {
    return error_answer(405,
                        "Not allowed to " + std::string(request.method_string()) + " on " + std::string(path) + ".",
                        "invalid_request_error", "", "method_not_supported");
  }
  if (path == models_path) return models_answer(models_);
  return model_answer(models_, std::string(path.substr(model_path.size())));
}

}  // namespace tollgate::simulator
