// What would become of a request, as the pipeline explains it, in JSON. Of the request itself nothing comes back but
// the name of its model.
#include "tollgate/pipeline/explain.hpp"

#include "tollgate/io/loop.hpp"
#include "tollgate/protocol/openai/error.hpp"

#include "handlers.hpp"
#include "schema.hpp"
#include "server/routes.hpp"
#include "target_view.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::server::admin {

namespace {

using pipeline::Explanation;

constexpr std::string_view usual_path = "/v1/chat/completions";
const std::vector<std::string> option_states{"usable", "circuit_open", "cooling", "set_aside"};

struct Asked {
  std::string path{usual_path}, body, tenant;
  pipeline::Question question;  ///< views what stands above
};

void read_headers(const Json* headers, Fault& fault, pipeline::Inbound& inbound) {
  if (!headers || headers->is_null()) return;
  Members members(*headers, "headers", fault);
  read_text(members, "x-tollgate-task", inbound.task);
  std::string timeout;
  read_text(members, "x-tollgate-timeout-ms", timeout);
  members.refuse_others();
  if (timeout.empty()) return;
  std::uint32_t millis = 0;
  const char* const end = timeout.data() + timeout.size();
  const auto parsed = std::from_chars(timeout.data(), end, millis);
  if (parsed.ec != std::errc{} || parsed.ptr != end || millis == 0)
    return members.fault("x-tollgate-timeout-ms", "expected a whole number of milliseconds above 0");
  inbound.timeout = Millis(millis);
}

void read_path(Members& members, Asked& asked) {
  read_text(members, "path", asked.path);
  const auto route = match_route(Plane::data, "POST", asked.path);
  if (!route || route->endpoint != Endpoint::forward || !route->method_fits)
    return members.fault("path", "expected the path of a request with a model, such as /v1/chat/completions");
  asked.question.inbound.path = route->upstream_path;
  asked.question.inbound.stream_kind = route->stream_kind;
  asked.question.inbound.knows_usage_option = route->knows_usage_option;
}

/// Fills in `asked`, which must stay where it is.
std::optional<Failure> read(const Exchange& exchange, Asked& asked) {
  const auto body = parse_json(exchange.call.body);
  if (!body) return body.error();
  Fault fault;
  Members members(*body, {}, fault);
  if (const Json* request = members.find("request"); request && request->is_object())
    asked.body = to_text(*request);
  else
    members.fault("request", "expected the JSON object that the client sends");
  read_path(members, asked);
  read_headers(members.find("headers"), fault, asked.question.inbound);
  read_text(members, "tenant", asked.tenant);
  if (!asked.tenant.empty() && !(asked.question.tenant = exchange.snapshot->tenant(asked.tenant)))
    members.fault("tenant", "expected the name of a tenant; GET /admin/v1/tenants lists them");
  members.refuse_others();
  if (fault) return fault.failure();
  asked.question.body = asked.body;
  return std::nullopt;
}

Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json view_of(const policy::Classification& found) {
  const policy::TaskScore* second = nullptr;
  for (const policy::TaskScore& score : found.scores)
    if (score.task != found.task && (!second || score.score > second->score)) second = &score;
  Json runner_up;
  if (second) runner_up = {{"task", second->task}, {"score", second->score}, {"threshold", second->threshold}};
  return {{"task", text_or_null(found.task)},
          {"score", found.score},
          {"rule", text_or_null(found.rule)},
          {"runner_up", std::move(runner_up)}};
}

Json view_of(const Explanation::Candidate& candidate, const Clocks& clocks) {
  const bool usable = candidate.state == policy::Option::State::usable;
  return {{"rank", candidate.rank},
          {"model", candidate.model->name},
          {"target", candidate.target->label},
          {"credential", candidate.credential},
          {"state", option_states[static_cast<std::size_t>(candidate.state)]},
          {"usable_at", usable ? Json() : clocks.show(candidate.usable_at)},
          {"circuit", policy::name_of(candidate.circuit.state)},
          {"forced", candidate.circuit.forced},
          {"pending", candidate.pending},
          {"first_token_us", candidate.first_token.count()}};
}

Json first_of(const Explanation& told) {
  if (!told.first) return nullptr;
  const auto& candidate = told.candidates[told.first->candidate];
  return {{"target", candidate.target->label},
          {"credential", candidate.credential},
          {"reason", told.first->reason},
          {"by_chance", told.first->by_chance},
          {"wait_ms", told.first->wait.count()}};
}

Json error_of(const Explanation& told) {
  if (!told.failure) return nullptr;
  Json error = Json::parse(protocol::openai::error_body(*told.failure));
  return {{"status", protocol::openai::error_form(told.failure->kind).status}, {"error", std::move(error["error"])}};
}

Json view_of(const Explanation& told, const Clocks& clocks) {
  Json candidates = Json::array();
  for (const auto& candidate : told.candidates) candidates.push_back(view_of(candidate, clocks));
  return {{"model",
           {{"requested", told.requested},
            {"is", text_or_null(told.name_is)},
            {"route", text_or_null(told.route)},
            {"primary", text_or_null(told.model)}}},
          {"task",
           {{"name", text_or_null(told.task)},
            {"source", text_or_null(told.task_source)},
            {"classifier", told.classification ? view_of(*told.classification) : Json()}}},
          {"warning", text_or_null(told.warning)},
          {"deadline_ms", told.deadline ? Json(told.deadline->count()) : Json()},
          {"attempts", told.attempts},
          {"candidates", std::move(candidates)},
          {"first", first_of(told)},
          {"error", error_of(told)}};
}

Json words_of(Json list, std::string_view meaning) {
  return {{"type", "string"}, {"enum", std::move(list)}, {"description", meaning}};
}

Json text_schema(std::string_view meaning) { return scalar_of({"string", "null"}, meaning); }

Json candidate_schema() {
  return object_of(
      {{"rank", scalar_of("integer", "0: of the primary, then the fallbacks")},
       {"model", scalar_of("string", "As configured")},
       {"target", scalar_of("string", "provider/name")},
       {"credential", scalar_of("string", "As in GET /admin/v1/targets")},
       {"state", words_of(option_states, "Whether it can be asked now, or why not")},
       {"usable_at", text_schema("UTC, when it can be; null: now, or never while its circuit is forced")},
       {"circuit", words_of({"closed", "open", "half_open"}, "The state of its circuit")},
       {"forced", scalar_of("boolean", "An operator holds it")},
       {"pending", scalar_of("integer", "Requests that are there now")},
       {"first_token_us",
        scalar_of("integer", "Microseconds: the estimate by which targets are compared while they are well")}},
      "Somebody who may be asked");
}

Json classifier_schema() {
  const Json second = object_of({{"task", scalar_of("string", "The task that came nearest")},
                                 {"score", scalar_of("number", "Of the rules")},
                                 {"threshold", scalar_of("number", "From where on it is possible")}},
                                "The next best");
  return object_of({{"task", text_schema("The task of its words; null: none reached its threshold")},
                    {"score", scalar_of("number", "Of the rules")},
                    {"rule", text_schema("What added most to it; null: no rule did")},
                    {"runner_up", or_null_of(second, "null: there is but one task")}},
                   "What the classifier says");
}

}  // namespace

void explain_route(Context& context, const ExchangePointer& exchange) {
  Asked asked;
  if (const auto failure = read(*exchange, asked)) return exchange->refuse(*failure);
  auto world = std::make_shared<pipeline::World>();
  world->snapshot = exchange->snapshot;
  world->health = context.parts().health();
  io::Loop& loop = context.parts().loop;
  const SteadyTime now = loop.now();
  const Explanation told = pipeline::explain(asked.question, world, now, loop.random());
  exchange->reply(view_of(told, Clocks(now, exchange->now)));
}

Json route_question_schema() {
  Json headers = object_of({{"x-tollgate-task", scalar_of("string", "As a client sends it")},
                            {"x-tollgate-timeout-ms", scalar_of("string", "The same")}},
                           "Those that have a say; null: none");
  headers["type"] = {"object", "null"};
  headers.erase("required");
  Json schema = object_of({{"request", {{"type", "object"}, {"description", "The client's JSON body"}}},
                           {"path", scalar_of("string", "Where it goes; /v1/chat/completions where it is not given")},
                           {"headers", std::move(headers)},
                           {"tenant", scalar_of("string", "Whose rights count; without it nobody's do")}},
                          "A request that nobody is to answer");
  schema["required"] = {"request"};
  return schema;
}

Json route_explanation_schema() {
  const Json first = object_of({{"target", scalar_of("string", "provider/name")},
                                {"credential", scalar_of("string", "As in GET /admin/v1/targets")},
                                {"reason", scalar_of("string", "As in x-tollgate-reason")},
                                {"by_chance", scalar_of("boolean", "Others of its rank might have been drawn")},
                                {"wait_ms", scalar_of("integer", "How long it is waited for first")}},
                               "Who would be asked first");
  const Json error = object_of({{"status", scalar_of("integer", "Of HTTP")},
                                {"error", {{"type", "object"}, {"description", "As in OpenAI's API"}}}},
                               "What the client would get");
  return object_of(
      {{"model", object_of({{"requested", scalar_of("string", "The name in the request")},
                            {"is", text_schema("route, match, model, wildcard or route_and_task; null: unknown")},
                            {"route", text_schema("The route; null: a model was named")},
                            {"primary", text_schema("The model that comes first")}},
                           "What the name means")},
       {"task", object_of({{"name", text_schema("Whose keys are used; null: the route's own")},
                           {"source", text_schema("header, model_name, metadata or classifier; null: nobody said")},
                           {"classifier", or_null_of(classifier_schema(), "null: it was not asked")}},
                          "What kind of task it is")},
       {"warning", text_schema("As in x-tollgate-warning")},
       {"deadline_ms", scalar_of({"integer", "null"}, "Over all attempts; null: it does not come so far")},
       {"attempts", scalar_of("integer", "How many are made at most; 0: none can be")},
       {"candidates", list_of(candidate_schema(), "In the order of their ranks")},
       {"first", or_null_of(first, "null: nobody")},
       {"error", or_null_of(error, "null: somebody would be asked")}},
      "What would become of a request");
}

}  // namespace tollgate::server::admin
