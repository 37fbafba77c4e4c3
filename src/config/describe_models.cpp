// The tables of models and routes: every key, its bounds and its meaning. What they name is only remembered here; it is
// looked up when all files are read.
#include "config/bounds.hpp"
#include "config/document.hpp"
#include "config/words.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

constexpr std::size_t longest_upstream_name = 256;

std::optional<Problem> check_upstream_name(std::string_view name) {
  // It is spliced into a JSON string, so it holds nothing that JSON would escape.
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (name.empty() || name.size() > longest_upstream_name || !std::all_of(name.begin(), name.end(), plain))
    return Problem{"a provider's model name is 1 to 256 bytes of visible ASCII without quotes and backslashes"};
  if (name != "*" && name.find('*') != name.npos)
    return Problem{"a '*' stands alone here: it becomes what the model's own '*' matched"};
  return std::nullopt;
}

constexpr std::string_view provider_meaning = "the provider that answers";
constexpr std::string_view name_meaning =
    "what the provider calls the model; default: as requested; \"*\": what the model's own \"*\" matched";

struct ModelTimeouts {
  Model& model;
};
void describe(Keys& keys, const ModelTimeouts& timeouts) {
  Model& model = timeouts.model;
  keys.key("connect", "DNS, TCP and TLS together", duration(model.connect, some_time));
  keys.key("first_token", "streams only: request sent to first content", duration(model.first_token, some_time));
  keys.key("idle", "between two bytes of an answer", duration(model.idle, some_time));
  keys.key("attempt", "one attempt, whole", duration(model.attempt, some_time));
}

Block timeouts_of(Model& model) {
  return {[&model](Keys& inside) { describe(inside, ModelTimeouts{model}); },
          [&model] { return model.connect || model.first_token || model.idle || model.attempt; }};
}

void check_stars(Keys& keys, const ModelEntry& entry) {
  if (entry.model.name.ends_with('*')) return;
  const Problem problem{"'*' needs a model whose own name ends in '*'"};
  if (entry.single.name == "*") keys.fault("name", problem);
  for (const TargetEntry& target : entry.targets) {
    if (target.name == "*") keys.fault("targets", problem);
  }
}

}  // namespace

static void describe(Keys& keys, TargetEntry& target) {
  keys.key("provider", provider_meaning, name_of(target.provider, Star::refused), Need::required);
  keys.key("name", name_meaning, text(target.name, check_upstream_name));
  keys.key("weight", "share of the requests among the targets", number(target.weight, {0.001, 1e6}));
}

void refuse_later_route_keys(Keys& keys) {
  keys.refuse({"cache", "compression", "credentials", "forward_trace", "max_cost"}, not_supported_yet);
}

struct RetryTable {
  EffortEntry& effort;
};
struct BackoffTable {
  EffortEntry& effort;
};
static void describe(Keys& keys, const BackoffTable& table) {
  keys.key("base", "longest first wait, doubled with every further one", duration(table.effort.base, some_time));
  keys.key("max", "longest wait", duration(table.effort.max, some_time));
}

static Scalar on_timeout(std::optional<OnTimeout>& value) {
  Scalar scalar = choice(
      {"never", "once", "always"}, [&value](std::size_t index) { value = static_cast<OnTimeout>(index); },
      [&value] { return static_cast<std::size_t>(value.value_or(OnTimeout::once)); });
  scalar.show = [&value, shown = scalar.show] { return value ? shown() : Json(); };
  return scalar;
}

static void describe(Keys& keys, const RetryTable& table) {
  EffortEntry& effort = table.effort;
  keys.key("attempts", "how often providers are asked for one request, all targets together",
           count(effort.attempts, {1, 20}));
  keys.key("backoff", "the wait before a target is asked again: by chance, up to this",
           Block{[&effort](Keys& inside) { describe(inside, BackoffTable{effort}); },
                 [&effort] { return effort.base || effort.max; }});
  keys.key("on_timeout", "whether an attempt that took too long is followed by another; the provider may bill both",
           on_timeout(effort.on_timeout));
}

struct HedgeTable {
  EffortEntry& effort;
};
static void describe(Keys& keys, const HedgeTable& table) {
  keys.key("share", "of the requests, at most, that get a second attempt",
           optional_of(table.effort.hedge_share, share));
  keys.key("after", "wait for the first content; default: what 95 of 100 answers of the target have needed",
           duration(table.effort.hedge_after, some_time));
}

void describe(Keys& keys, EffortEntry& effort) {
  keys.key("deadline", "longest time for a request, over all its attempts", duration(effort.deadline, some_time));
  keys.key("retry", "how failures are met before there is an answer",
           Block{[&effort](Keys& inside) { describe(inside, RetryTable{effort}); },
                 [&effort] { return effort.base || effort.max || effort.attempts || effort.on_timeout; }});
  keys.key("hedge", "a second attempt beside a first one that takes long; the provider bills both",
           Block{[&effort](Keys& inside) { describe(inside, HedgeTable{effort}); },
                 [&effort] { return effort.hedge_share || effort.hedge_after; }});
  keys.key("affinity", "whether a conversation stays with the target that has its beginning in its prompt cache",
           optional_of(effort.affinity, flag));
  keys.key("on_content_policy", "what becomes of a request whose content a provider refuses",
           optional_of(effort.asks_others_of_refused_content, [](bool& asks_others) {
             return choice(
                 {"answer", "fallback"}, [&asks_others](std::size_t index) { asks_others = index == 1; },
                 [&asks_others] { return asks_others ? 1 : 0; });
           }));
  keys.key("on_overrun", "what becomes of a stream that brings more tokens than its budget holds money for",
           optional_of(effort.ends_overrun, [](bool& ends) {
             return choice(
                 {"relay", "end"}, [&ends](std::size_t index) { ends = index == 1; }, [&ends] { return ends ? 1 : 0; });
           }));
  keys.key("on_untranslated", "what becomes of a field that a provider with another protocol has nothing like",
           optional_of(effort.refuses_untranslated, [](bool& refuses) {
             return choice(
                 {"drop", "refuse"}, [&refuses](std::size_t index) { refuses = index == 1; },
                 [&refuses] { return refuses ? 1 : 0; });
           }));
  keys.key("on_invalid_output", "what becomes of a whole answer that does not match the JSON schema asked for",
           optional_of(effort.repairs_output, [](bool& repairs) {
             return choice(
                 {"pass", "repair"}, [&repairs](std::size_t index) { repairs = index == 1; },
                 [&repairs] { return repairs ? 1 : 0; });
           }));
}

static void describe(Keys& keys, DispatchEntry& dispatch, Need primary) {
  keys.key("primary", "the model that answers", name_of(dispatch.primary, Star::refused), primary);
  List fallbacks = list_of(dispatch.fallbacks, [](Name& name) { return name_of(name, Star::refused); });
  fallbacks.clear = [&dispatch] {
    dispatch.fallbacks.clear();
    dispatch.has_fallbacks = true;
  };
  keys.key("fallbacks", "models that are asked where it cannot, in this order", fallbacks);
  describe(keys, dispatch.effort);
}

void describe(Keys& keys, TaskEntry& task) {
  describe(keys, task.dispatch, Need::optional);
  refuse_later_route_keys(keys);
}

static void describe(Keys& keys, Features& features) {
  keys.key("tools", "calls tools", flag(features.tools));
  keys.key("vision", "reads pictures", flag(features.vision));
  keys.key("json_schema", "keeps to a schema: response_format json_schema", flag(features.json_schema));
}

void describe(Keys& keys, ModelEntry& entry) {
  keys.key("provider", provider_meaning, name_of(entry.single.provider, Star::refused));
  keys.key("name", name_meaning, text(entry.single.name, check_upstream_name));
  keys.key("targets", "the long form: targets that answer equally well",
           list_of(
               entry.targets, [](TargetEntry& target) { return block_of(target); }, 1));
  keys.key("timeouts", "replace the provider's", timeouts_of(entry.model));
  keys.key("limits", "what all callers together may ask of this model", limits_of(entry.model.limits));
  describe_budgets(keys, entry.budgets);
  keys.key("default_max_output", "tokens to expect of an answer whose request sets no limit",
           count(entry.model.default_max_output, {1, 10'000'000}));
  keys.key("context", "tokens of input and output that the model can hold; longer requests go to another one",
           count(entry.model.context, {1, 100'000'000}));
  keys.key("features", "what it can do; requests that need what it cannot go to another one",
           Block{[&entry](Keys& inside) { describe(inside, entry.model.features); },
                 [&entry] { return !entry.model.features.all(); }});
  keys.key("free", "its calls cost nothing, and that is known", flag(entry.model.free));
  keys.key("price", "what it costs, whatever the file of prices says", block_of(entry.model.price));
  keys.refuse({"circuit", "tokenizer", "retry", "hedge"}, not_supported_yet);
  if (entry.model.free && keys.given("price")) keys.fault("price", {"a model is free or has a price, not both"});
  const bool has_short_form = keys.given("provider") || keys.given("name");
  if (keys.given("targets") && has_short_form)
    keys.fault("targets", {"a model has either targets or a provider, not both"});
  if (!keys.given("targets") && !keys.given("provider")) keys.fault("provider", {"a model needs a provider"});
  check_stars(keys, entry);
}

void describe(Keys& keys, RouteEntry& entry) {
  keys.key("match", "other names for this route; a \"*\" at the end stands for any rest",
           list_of(entry.match, [](Name& name) { return name_of(name, Star::allowed_last); }));
  describe(keys, entry.dispatch, Need::required);
  keys.key("tasks", "kinds of task, by name; each replaces only the keys that it has",
           entries_of(entry.tasks, Star::refused, [](TaskEntry& task) -> std::string& { return task.name; }));
  keys.key("classifier", "whether a request that names no task is given one by its words: docs/classifier.md",
           flag(entry.route.classifies));
  bool& refuses = entry.route.refuses_unknown_tasks;
  keys.key("unknown_task", "what becomes of a request for a task that the route does not have",
           choice(
               {"warn", "reject"}, [&refuses](std::size_t index) { refuses = index == 1; },
               [&refuses] { return refuses ? 1 : 0; }));
  keys.key("limits", "what all callers together may ask of this route", limits_of(entry.route.limits));
  describe_budgets(keys, entry.budgets);
  refuse_later_route_keys(keys);
}

Scalar name_of(Name& name, Star star) {
  return {{{"type", "string"}, {"pattern", name_pattern(star)}},
          [&name, star](const std::string& text, const Place& place) {
            auto problem = check_name(text, star);
            name = {text, place.spot, place.unset};
            return problem;
          },
          [&name] { return name.text.empty() ? Json() : Json(name.text); }};
}

Dictionary models_of(Document& document) {
  return entries_of(document.models, Star::allowed_last,
                    [](ModelEntry& entry) -> std::string& { return entry.model.name; });
}

Dictionary routes_of(Document& document) {
  return entries_of(document.routes, Star::refused, [](RouteEntry& entry) -> std::string& { return entry.route.name; });
}

}  // namespace tollgate::config
