#include "config/assemble.hpp"
// Cross-checks: what one part of the file says about another, and the indexes for looking names up. They come last,
// when all files are read, because a name may stand in a later file than what points at it.

#include "tollgate/config/task_rules.hpp"

#include "config/assemble_budgets.hpp"
#include "config/assemble_prices.hpp"
#include "config/assemble_tenants.hpp"
#include "config/words.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

void apply(const EffortEntry& entry, Effort& effort) {
  effort.deadline = entry.deadline.value_or(effort.deadline);
  effort.retry.attempts = static_cast<std::size_t>(entry.attempts.value_or(effort.retry.attempts));
  effort.retry.base = entry.base.value_or(effort.retry.base);
  effort.retry.max = entry.max.value_or(effort.retry.max);
  effort.retry.on_timeout = entry.on_timeout.value_or(effort.retry.on_timeout);
  effort.hedge.share = entry.hedge_share.value_or(effort.hedge.share);
  if (entry.hedge_after) effort.hedge.after = entry.hedge_after;
  effort.affinity = entry.affinity.value_or(effort.affinity);
  effort.ends_overrun = entry.ends_overrun.value_or(effort.ends_overrun);
  effort.refuses_untranslated = entry.refuses_untranslated.value_or(effort.refuses_untranslated);
  effort.repairs_output = entry.repairs_output.value_or(effort.repairs_output);
  effort.asks_others_of_refused_content =
      entry.asks_others_of_refused_content.value_or(effort.asks_others_of_refused_content);
}

/// What differs from what is above it.
EffortEntry entry_of(const Effort& effort, const Effort& above) {
  EffortEntry entry;
  const auto keep = [](auto& key, const auto& value, const auto& other) {
    if (value != other) key = value;
  };
  keep(entry.deadline, effort.deadline, above.deadline);
  keep(entry.attempts, effort.retry.attempts, above.retry.attempts);
  keep(entry.base, effort.retry.base, above.retry.base);
  keep(entry.max, effort.retry.max, above.retry.max);
  keep(entry.on_timeout, effort.retry.on_timeout, above.retry.on_timeout);
  keep(entry.hedge_share, effort.hedge.share, above.hedge.share);
  keep(entry.hedge_after, effort.hedge.after, above.hedge.after);
  keep(entry.affinity, effort.affinity, above.affinity);
  keep(entry.ends_overrun, effort.ends_overrun, above.ends_overrun);
  keep(entry.refuses_untranslated, effort.refuses_untranslated, above.refuses_untranslated);
  keep(entry.repairs_output, effort.repairs_output, above.repairs_output);
  keep(entry.asks_others_of_refused_content, effort.asks_others_of_refused_content,
       above.asks_others_of_refused_content);
  return entry;
}

DispatchEntry entry_of(const Dispatch& dispatch, const Dispatch& above) {
  DispatchEntry entry;
  if (dispatch.primary.text != above.primary.text) entry.primary.text = dispatch.primary.text;
  // An empty list would say that there are none.
  for (const ModelName& name : dispatch.fallbacks) entry.fallbacks.push_back({name.text});
  entry.effort = entry_of(dispatch.effort, above.effort);
  return entry;
}

/// Compiled once: it never changes.
std::shared_ptr<const policy::Classifier> built_in_classifier() {
  static const auto classifier = std::make_shared<const policy::Classifier>(default_task_rules().classifier.value());
  return classifier;
}

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
    for (const Name& match : entry.match) route.match.push_back(match.text);
    const Dispatch nothing{{}, {}, snapshot_.defaults};
    route.dispatch = dispatch_of(entry.dispatch, nothing);
    for (TaskEntry& task : entry.tasks) route.tasks.push_back({task.name, dispatch_of(task.dispatch, route.dispatch)});
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

  Dispatch dispatch_of(const DispatchEntry& entry, const Dispatch& above) {
    Dispatch dispatch = above;
    if (entry.primary.unset || !entry.primary.text.empty()) dispatch.primary = find_model(entry.primary);
    if (entry.has_fallbacks) {
      dispatch.fallbacks.clear();
      for (const Name& name : entry.fallbacks) dispatch.fallbacks.push_back(find_model(name));
    }
    apply(entry.effort, dispatch.effort);
    return dispatch;
  }

  ModelName find_model(const Name& name) {
    if (name.unset) return {stand_in_model(), name.text, {}};
    if (const auto found = snapshot_.model_by_name.find(name.text); found != snapshot_.model_by_name.end())
      return {found->second, name.text, {}};
    const Wildcard* longest = nullptr;
    for (const Wildcard& wildcard : snapshot_.wildcards) {
      const bool covers =
          !wildcard.is_route && name.text.starts_with(wildcard.prefix) && name.text.size() > wildcard.prefix.size();
      if (covers && (!longest || wildcard.prefix.size() > longest->prefix.size())) longest = &wildcard;
    }
    if (longest) {
      const bool whole = snapshot_.models[longest->index].whole_name;
      return {longest->index, name.text, whole ? name.text : name.text.substr(longest->prefix.size())};
    }
    std::vector<std::string> names;
    for (const Model& model : snapshot_.models) names.push_back(model.name);
    report_.fault(name.spot,
                  {"no model has this name, and no model with a '*' covers it", did_you_mean(name.text, names)});
    return {0, name.text, {}};
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
  apply(document.defaults, snapshot.defaults);
  for (ProviderEntry& entry : document.providers) {
    entry.provider.prices = entry.prices.text;
    snapshot.providers.push_back(std::move(entry.provider));
  }
  Assembler assembler(snapshot, report);
  for (ModelEntry& entry : document.models) assembler.take_model(entry);
  for (RouteEntry& entry : document.routes) assembler.take_route(entry);
  assembler.index_matches(document.routes);
  const auto classifies = [](const Route& route) { return route.classifies; };
  if (std::any_of(snapshot.routes.begin(), snapshot.routes.end(), classifies))
    snapshot.classifier = built_in_classifier();
  assemble_prices(document, snapshot, report);
  assemble_tenants(document, snapshot, report);
  assemble_budgets(document, snapshot, report);
}

Document to_document(const Snapshot& snapshot) {
  Document document;
  document.server = snapshot.server;
  document.admin = snapshot.admin;
  document.metrics = snapshot.metrics;
  document.log = snapshot.log;
  document.defaults = entry_of(snapshot.defaults, {});
  for (const Provider& provider : snapshot.providers) document.providers.push_back({provider, {}, {provider.prices}});
  for (const Model& model : snapshot.models) {
    ModelEntry entry{model, {}, {}};
    for (const Target& target : model.targets) {
      TargetEntry& shown = entry.targets.emplace_back();
      shown.provider.text = snapshot.providers[target.provider].name;
      if (!model.whole_name) shown.name = target.upstream_model;
      shown.weight = target.weight;
    }
    if (entry.targets.size() == 1) {
      entry.single = std::move(entry.targets.front());
      entry.targets.clear();
    }
    document.models.push_back(std::move(entry));
  }
  for (const Route& route : snapshot.routes) {
    RouteEntry entry{route, {}, entry_of(route.dispatch, {{}, {}, snapshot.defaults}), {}};
    for (const Task& task : route.tasks) entry.tasks.push_back({task.name, entry_of(task.dispatch, route.dispatch)});
    for (const std::string& match : route.match) entry.match.push_back({match});
    document.routes.push_back(std::move(entry));
  }
  add_prices(snapshot, document);
  add_tenants(snapshot, document);
  add_budgets(snapshot, document);
  return document;
}

}  // namespace tollgate::config
