// How every target fares, for operators. What is counted stands in the pipeline's health; here it is only put into
// words, with the schema beside them.
#include "tollgate/base/instant.hpp"
#include "tollgate/io/loop.hpp"

#include "handlers.hpp"
#include "schema.hpp"
#include "target_view.hpp"

namespace tollgate::server::admin {

namespace {

using pipeline::CredentialHealth;
using pipeline::TargetHealth;

std::string_view name_of(CredentialHealth::State state) {
  switch (state) {
    case CredentialHealth::State::usable: return "usable";
    case CredentialHealth::State::cooling: return "cooling";
    case CredentialHealth::State::set_aside: return "set_aside";
  }
  return "usable";  // GCOVR_EXCL_LINE: every state has returned
}

Json view_of(const pipeline::Places* places) {
  if (!places) return nullptr;
  const auto view = places->view();
  return {{"limit", view.limit}, {"in_flight", view.in_flight}, {"waiting", view.waiting}};
}

Json view_of(const TargetHealth& target, std::size_t index, const CredentialHealth* credential, const Clocks& clocks) {
  const auto circuit = target.circuits[index]->view(clocks.steady());
  const auto fares = credential ? credential->view(clocks.steady()) : CredentialHealth::View{};
  return {{"target", target.label},
          {"credential", target.credentials[index]},
          {"circuit", policy::name_of(circuit.state)},
          {"reason", circuit.reason},
          {"since", clocks.show(circuit.since)},
          {"retry_at", clocks.show(circuit.retry_at)},
          {"openings", circuit.openings},
          {"forced", circuit.forced},
          {"credential_state", name_of(fares.state)},
          {"credential_until", clocks.show(fares.until)},
          {"pending", target.load->pending()},
          {"first_token_us", target.load->first_token_when_well(clocks.steady()).count()},
          {"repeats_denied", target.repeats->denied()},
          {"places", view_of(target.places.get())}};
}

}  // namespace

Json Clocks::show(std::optional<SteadyTime> time) const {
  if (!time || *time == never || *time == SteadyTime{}) return nullptr;
  return show_instant(system_ + std::chrono::duration_cast<SystemTime::duration>(*time - steady_));
}

void add_views(Json& list, const TargetHealth& target,
               const std::vector<std::shared_ptr<CredentialHealth>>& credentials, const Clocks& clocks) {
  for (std::size_t index = 0; index < target.circuits.size(); ++index)
    list.push_back(view_of(target, index, index < credentials.size() ? credentials[index].get() : nullptr, clocks));
}

void list_targets(Context& context, const ExchangePointer& exchange) {
  const auto health = context.parts().health();
  const Clocks clocks(context.parts().loop.now(), exchange->now);
  Json targets = Json::array();
  const auto& models = exchange->snapshot->models;
  for (std::size_t model = 0; model < models.size() && model < health->models.size(); ++model) {
    for (std::size_t i = 0; i < models[model].targets.size(); ++i)
      add_views(targets, health->models[model][i], health->credentials[models[model].targets[i].provider], clocks);
  }
  exchange->reply({{"data", std::move(targets)}});
}

Json target_schema() {
  const auto words = [](Json list, std::string_view meaning) {
    return Json{{"type", "string"}, {"enum", std::move(list)}, {"description", meaning}};
  };
  const Json count = {{"type", "integer"}, {"minimum", 0}};
  return object_of(
      {{"target", scalar_of("string", "provider/name")},
       {"credential", scalar_of("string", "As in the file; (callers): those of callers; empty: the provider has none")},
       {"circuit", words({"closed", "open", "half_open"}, "Closed: it is asked; half_open: by a few probes")},
       {"reason", scalar_of("string", "Of the circuit's latest change")},
       {"since", scalar_of({"string", "null"}, "UTC, of that change; null: none so far")},
       {"retry_at", scalar_of({"string", "null"},
                              "UTC, when it is tried again at the latest; null: now, or never while it is forced")},
       {"openings", count},
       {"forced", scalar_of("boolean", "An operator holds the circuit in its state")},
       {"credential_state",
        words({"usable", "cooling", "set_aside"}, "Cooling: it has used up its rate; set_aside: it is refused")},
       {"credential_until", scalar_of({"string", "null"}, "UTC, when it is used again")},
       {"pending", count},
       {"first_token_us",
        scalar_of("integer", "Microseconds: the estimate by which targets are compared while they are well")},
       {"repeats_denied", count},
       {"places", or_null_of(object_of({{"limit", scalar_of("integer", "Requests that it is given at a time, now")},
                                        {"in_flight", count},
                                        {"waiting", count}},
                                       "Shared by all its credentials"),
                             "Null: as many as come")}},
      "A target with one of its credentials");
}

Json target_list_schema() { return object_of({{"data", list_of(reference("Target"))}}, "Targets"); }

}  // namespace tollgate::server::admin
