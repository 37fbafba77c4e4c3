#include "config/assemble.hpp"
// Cross-checks: what one part of the file says about another, and the indexes for looking names up. They come last,
// when all files are read, because a name may stand in a later file than what points at it.

#include "config/assemble_tenants.hpp"
#include "config/words.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

class Assembler {
 public:
  Assembler(Snapshot& snapshot, Report& report) : snapshot_(snapshot), report_(report) {}

  void take_model(ModelEntry& entry) {
    Model& model = entry.model;
    model.wildcard = model.name.ends_with('*');
    if (entry.targets.empty()) entry.targets.push_back(entry.single);
    for (TargetEntry& target : entry.targets) take_target(model, target);
    snapshot_.model_by_name.emplace(model.name, snapshot_.models.size());
    if (model.wildcard) add_wildcard(model.name, false, snapshot_.models.size());
    snapshot_.models.push_back(std::move(model));
  }

  void take_route(RouteEntry& entry) {
    Route& route = entry.route;
    route.primary_name = entry.primary.text;
    for (const Name& match : entry.match) route.match.push_back(match.text);
    if (entry.primary.unset)
      route.primary = stand_in_model();
    else if (!entry.primary.text.empty())
      find_primary(route, entry.primary);
    snapshot_.routes.push_back(std::move(route));
  }

  /// After all routes: a route's own name wins over what another one matches.
  void index_matches(const std::vector<RouteEntry>& entries) {
    for (std::size_t i = 0; i < snapshot_.routes.size(); ++i)
      snapshot_.route_by_name.emplace(snapshot_.routes[i].name, i);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      for (const Name& match : entries[i].match) index_match(match, i);
    }
    std::stable_sort(snapshot_.wildcards.begin(), snapshot_.wildcards.end(),
                     [](const Wildcard& left, const Wildcard& right) {
                       if (left.prefix.size() != right.prefix.size()) return left.prefix.size() > right.prefix.size();
                       return left.is_route && !right.is_route;
                     });
  }

 private:
  void take_target(Model& model, const TargetEntry& entry) {
    model.whole_name = model.wildcard && entry.name.empty();
    Target target;
    target.upstream_model = !entry.name.empty() ? entry.name : model.wildcard ? "*" : model.name;
    target.weight = entry.weight;
    const auto& providers = snapshot_.providers;
    const auto found = std::find_if(providers.begin(), providers.end(),
                                    [&](const Provider& provider) { return provider.name == entry.provider.text; });
    if (entry.provider.unset) {
      target.provider = stand_in_provider();
    } else if (found != providers.end()) {
      target.provider = static_cast<std::size_t>(found - providers.begin());
      target.label = found->name + "/" + target.upstream_model;
    } else if (!entry.provider.text.empty()) {
      std::vector<std::string> names;
      for (const Provider& provider : providers) names.push_back(provider.name);
      report_.fault(entry.provider.spot, {"no provider has this name", did_you_mean(entry.provider.text, names)});
    }
    model.targets.push_back(std::move(target));
  }

  /// What an unresolved reference would have named, so that a snapshot made without secrets is whole too.
  std::size_t stand_in_provider() {
    auto& providers = snapshot_.providers;
    if (providers.empty() || providers.back().name != placeholder) providers.emplace_back().name = placeholder;
    return providers.size() - 1;
  }
  std::size_t stand_in_model() {
    Model model;
    model.name = placeholder;
    model.targets.emplace_back().provider = stand_in_provider();
    const auto [known, added] = snapshot_.model_by_name.emplace(model.name, snapshot_.models.size());
    if (added) snapshot_.models.push_back(std::move(model));
    return known->second;
  }

  void find_primary(Route& route, const Name& name) {
    if (const auto found = snapshot_.model_by_name.find(name.text); found != snapshot_.model_by_name.end()) {
      route.primary = found->second;
      return;
    }
    const Wildcard* longest = nullptr;
    for (const Wildcard& wildcard : snapshot_.wildcards) {
      const bool covers =
          !wildcard.is_route && name.text.starts_with(wildcard.prefix) && name.text.size() > wildcard.prefix.size();
      if (covers && (!longest || wildcard.prefix.size() > longest->prefix.size())) longest = &wildcard;
    }
    if (longest) {
      route.primary = longest->index;
      route.primary_part =
          snapshot_.models[longest->index].whole_name ? name.text : name.text.substr(longest->prefix.size());
      return;
    }
    std::vector<std::string> names;
    for (const Model& model : snapshot_.models) names.push_back(model.name);
    report_.fault(name.spot,
                  {"no model has this name, and no model with a '*' covers it", did_you_mean(name.text, names)});
  }

  void index_match(const Name& match, std::size_t route) {
    if (match.text.empty() || match.unset) return;
    if (match.text.ends_with('*')) {
      const std::string prefix = match.text.substr(0, match.text.size() - 1);
      for (const Wildcard& other : snapshot_.wildcards) {
        if (other.is_route && other.prefix == prefix) refuse_match(match, other.index, route);
      }
      add_wildcard(match.text, true, route);
      return;
    }
    const auto [known, added] = snapshot_.route_by_name.emplace(match.text, route);
    if (!added) refuse_match(match, known->second, route);
  }

  void refuse_match(const Name& match, std::size_t owner, std::size_t route) {
    if (owner == route) return;  // a route may list its own name, or a name twice
    report_.fault(match.spot, {"the route '" + snapshot_.routes[owner].name + "' already has this name"});
  }

  void add_wildcard(const std::string& name, bool is_route, std::size_t index) {
    snapshot_.wildcards.push_back({name.substr(0, name.size() - 1), is_route, index});
  }

  Snapshot& snapshot_;
  Report& report_;
};

}  // namespace

void assemble(Document document, Snapshot& snapshot, Report& report) {
  snapshot.server = std::move(document.server);
  snapshot.admin = std::move(document.admin);
  snapshot.metrics = std::move(document.metrics);
  snapshot.log = std::move(document.log);
  snapshot.deadline = document.deadline;
  for (ProviderEntry& entry : document.providers) snapshot.providers.push_back(std::move(entry.provider));
  Assembler assembler(snapshot, report);
  for (ModelEntry& entry : document.models) assembler.take_model(entry);
  for (RouteEntry& entry : document.routes) assembler.take_route(entry);
  assembler.index_matches(document.routes);
  assemble_tenants(document, snapshot, report);
}

Document to_document(const Snapshot& snapshot) {
  Document document;
  document.server = snapshot.server;
  document.admin = snapshot.admin;
  document.metrics = snapshot.metrics;
  document.log = snapshot.log;
  document.deadline = snapshot.deadline;
  for (const Provider& provider : snapshot.providers) document.providers.push_back({provider});
  for (const Model& model : snapshot.models) {
    const Target& target = model.targets.front();
    ModelEntry entry{model, {}, {}};
    entry.single.provider.text = snapshot.providers[target.provider].name;
    if (!model.whole_name) entry.single.name = target.upstream_model;
    document.models.push_back(std::move(entry));
  }
  for (const Route& route : snapshot.routes) {
    RouteEntry entry{route, {}, {route.primary_name}};
    for (const std::string& match : route.match) entry.match.push_back({match});
    document.routes.push_back(std::move(entry));
  }
  add_tenants(snapshot, document);
  return document;
}

}  // namespace tollgate::config
