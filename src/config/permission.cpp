// Whether rights allow what a name was resolved to. What counts is what would answer, so that another spelling, a
// wildcard or a provider's prefix is never a way around a refusal.
#include "tollgate/config/snapshot.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view one, std::string_view other, bool any_case) {
  if (!any_case) return one == other;
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

bool covers(std::string_view pattern, std::string_view name, bool any_case) {
  if (!pattern.ends_with('*')) return same(pattern, name, any_case);
  pattern.remove_suffix(1);
  return name.size() >= pattern.size() && same(pattern, name.substr(0, pattern.size()), any_case);
}

/// A resolved model under all its names.
class Called {
 public:
  Called(const Snapshot& snapshot, const Resolution& resolution)
      : snapshot_(snapshot), model_(*resolution.model), part_(resolution.wildcard_part) {
    if (model_.wildcard)
      name_ = model_.whole_name ? part_ : model_.name.substr(0, model_.name.size() - 1) + part_;
    else
      name_ = model_.name;
  }

  bool is(const std::string& pattern, bool any_case) const {
    if (covers(pattern, model_.name, any_case) || covers(pattern, name_, any_case)) return true;
    for (const Target& target : model_.targets) {
      const std::string at_provider = upstream_name(target, part_);
      if (covers(pattern, snapshot_.providers[target.provider].name + "/" + at_provider, any_case)) return true;
      if (is_target_of(pattern, target.provider, at_provider, any_case)) return true;
    }
    return false;
  }

 private:
  static std::string upstream_name(const Target& target, const std::string& part) {
    return target.is_wildcard() ? part : target.upstream_model;
  }

  /// Whether the configured model of that name would be answered by the same target.
  bool is_target_of(const std::string& name, std::size_t provider, const std::string& at_provider,
                    bool any_case) const {
    const auto found = snapshot_.model_by_name.find(name);
    if (found == snapshot_.model_by_name.end() || snapshot_.models[found->second].wildcard) return false;
    const auto& targets = snapshot_.models[found->second].targets;
    return std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
      return target.provider == provider && same(target.upstream_model, at_provider, any_case);
    });
  }

  const Snapshot& snapshot_;
  const Model& model_;
  const std::string& part_;
  std::string name_;
};

bool lists_route(const std::vector<std::string>& patterns, const Route& route) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&route](const std::string& pattern) { return covers(pattern, route.name, false); });
}

}  // namespace

bool Snapshot::permits(const policy::Rights& rights, const Resolution& resolution) const {
  if (rights.allow_all()) return true;
  const Called called(*this, resolution);
  const auto lists_model = [&called](const std::vector<std::string>& patterns, bool any_case) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return called.is(pattern, any_case); });
  };
  if (lists_model(rights.deny.models, true)) return false;
  if (resolution.route && lists_route(rights.deny.routes, *resolution.route)) return false;
  if (!rights.allow) return true;
  return resolution.route ? lists_route(rights.allow->routes, *resolution.route)
                          : lists_model(rights.allow->models, false);
}

}  // namespace tollgate::config
