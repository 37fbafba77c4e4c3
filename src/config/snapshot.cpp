// Name resolution: what a requested name means, and which names come near one that means nothing. The order of the
// questions is that of docs/configuration.md.
#include "tollgate/config/snapshot.hpp"

#include "config/words.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

Resolution by_route(const Snapshot& snapshot, std::size_t index) {
  const Route& route = snapshot.routes[index];
  const ModelName& primary = route.dispatch.primary;
  return {&route, &snapshot.models[primary.model], primary.part};
}

bool passes_names_on(const Model& model) {
  return model.wildcard && std::any_of(model.targets.begin(), model.targets.end(),
                                       [](const Target& target) { return target.is_wildcard(); });
}

/// "provider/name": any of the provider's models by the provider's own name, where a wildcard model opens it up.
Resolution by_provider(const Snapshot& snapshot, std::string_view requested) {
  for (const Model& model : snapshot.models) {
    if (!passes_names_on(model)) continue;
    const std::string prefix = snapshot.providers[model.targets.front().provider].name + "/";
    if (requested.starts_with(prefix) && requested.size() > prefix.size())
      return {nullptr, &model, std::string(requested.substr(prefix.size()))};
  }
  return {};
}

/// "route:task", of a route that has the task: only where nothing is called so as a whole, since "llama3:8b" is a name.
Resolution by_task(const Snapshot& snapshot, std::string_view requested) {
  const std::size_t colon = requested.rfind(':');
  if (colon == requested.npos) return {};
  Resolution resolution = snapshot.resolve(requested.substr(0, colon));
  if (!resolution.route || resolution.task) return {};
  resolution.task = resolution.route->task(requested.substr(colon + 1));
  return resolution.task ? resolution : Resolution{};
}

}  // namespace

Resolution Snapshot::resolve(std::string_view requested) const {
  if (const auto route = route_by_name.find(requested); route != route_by_name.end())
    return by_route(*this, route->second);
  if (const auto found = model_by_name.find(requested); found != model_by_name.end() && !models[found->second].wildcard)
    return {nullptr, &models[found->second], {}};
  for (const Wildcard& wildcard : wildcards) {
    if (!requested.starts_with(wildcard.prefix)) continue;
    if (wildcard.is_route) return by_route(*this, wildcard.index);
    const Model& model = models[wildcard.index];
    const auto rest = requested.substr(wildcard.prefix.size());
    if (!rest.empty()) return {nullptr, &model, std::string(model.whole_name ? requested : rest)};
  }
  if (Resolution named = by_provider(*this, requested); named.model) return named;
  return by_task(*this, requested);
}

const Task* Route::task(std::string_view wanted) const {
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const Task& each) { return each.name == wanted; });
  return found == tasks.end() ? nullptr : &*found;
}

std::vector<std::string> Snapshot::near_names(std::string_view requested, const MayCall& may_call) const {
  std::vector<std::string> names = listed_names(may_call);
  for (const auto& [name, index] : route_by_name) {
    if (may_call(by_route(*this, index))) names.push_back(name);
  }
  return nearest(requested, names, 3);
}

std::vector<std::string> Snapshot::listed_names(const MayCall& may_call) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (may_call(by_route(*this, i))) names.push_back(routes[i].name);
  }
  for (const Model& model : models) {
    const auto route = route_by_name.find(model.name);
    const bool listed_as_route = route != route_by_name.end() && routes[route->second].name == model.name;
    if (!model.wildcard && !listed_as_route && may_call({nullptr, &model, {}})) names.push_back(model.name);
  }
  return names;
}

const Tenant* Snapshot::tenant(std::string_view name) const {
  const auto found = tenant_by_name.find(name);
  return found == tenant_by_name.end() ? nullptr : &tenants[found->second];
}

const policy::Price* Snapshot::price_of(const Target& target, std::string_view upstream_model) const {
  if (target.price || !target.is_wildcard() || !prices) return target.price;
  const Provider& provider = providers[target.provider];
  return prices->find(provider.prices.empty() ? provider.name : provider.prices, upstream_model);
}

std::string_view name_of(AdminRole role) {
  switch (role) {
    case AdminRole::read: return "read";
    case AdminRole::operate: return "operate";
    case AdminRole::own: return "own";
  }
  return "read";  // GCOVR_EXCL_LINE: every role has returned
}

}  // namespace tollgate::config
