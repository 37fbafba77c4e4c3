// The table of a budget, wherever it stands: every key, its bounds and its meaning. What it names is looked up when all
// files are read (assemble_budgets.cpp).
#include "config/document.hpp"
#include "config/words.hpp"

#include <algorithm>

namespace tollgate::config {

namespace {

using policy::WhenSpent;

constexpr Bounds<Money> amounts{Money{}, policy::most_budget};

std::optional<Problem> check_budget_name(std::string_view name) {
  if (name.find('/') != name.npos) return Problem{"a budget's name holds no slash"};
  return check_name(name, Star::refused);
}

Scalar window(policy::Window& value) {
  const std::vector<std::string> words(policy::window_names.begin(), policy::window_names.end());
  return choice(
      words, [&value](std::size_t index) { value = static_cast<policy::Window>(index); },
      [&value] { return static_cast<std::size_t>(value); });
}

Scalar time_zone(std::shared_ptr<const policy::TimeZone>& zone) {
  return {{{"type", "string"}},
          [&zone](const std::string& name, const Place& place) -> std::optional<Problem> {
            if (place.unset) return std::nullopt;
            const auto found = place.world.time_zone(name);
            if (found) {
              zone = *found;
              return std::nullopt;
            }
            const auto names = place.world.time_zone_names();
            std::string suggestion = did_you_mean(name, names);
            if (suggestion.empty()) suggestion = "write it like UTC or Europe/Berlin";
            return Problem{"no time zone has this name: " + printable(found.error().message), suggestion};
          },
          [&zone] { return Json(zone->name()); }};
}

/// A word, or the mapping {downgrade_to: MODEL}.
Dictionary when_spent(BudgetEntry& entry) {
  static constexpr std::array words{WhenSpent::reject, WhenSpent::alert, WhenSpent::shadow};
  WhenSpent& value = entry.settings.when_spent;
  Scalar word = choice(
      {"reject", "alert", "shadow"}, [&value](std::size_t index) { value = words[index]; },
      [&value] { return static_cast<std::size_t>(std::find(words.begin(), words.end(), value) - words.begin()); });
  word.show = [&value, shown = word.show] { return value == WhenSpent::downgrade ? Json() : shown(); };
  const auto model = [&entry] { return Value(name_of(entry.downgrade_to, Star::refused)); };
  return {"^downgrade_to$",
          [&value, model](const std::string& name, const Spot&) -> Parsed<Value> {
            if (name != "downgrade_to") return Problem{"unknown key", did_you_mean(name, {"downgrade_to"})};
            value = WhenSpent::downgrade;
            return model();
          },
          [&value, model] {
            std::vector<std::pair<std::string, Value>> values;
            if (value == WhenSpent::downgrade) values.emplace_back("downgrade_to", model());
            return values;
          },
          "downgrade_to", std::move(word)};
}

Scalar alert_share(double& value) {
  Scalar scalar = share(value);
  scalar.read = [read = std::move(scalar.read), &value](const std::string& text, const Place& place) {
    auto problem = read(text, place);
    if (!problem && value == 0) problem = Problem{"0% is always spent"};
    return problem;
  };
  return scalar;
}

void check(Keys& keys, const BudgetEntry& entry) {
  const policy::BudgetSettings& settings = entry.settings;
  if (entry.stop_at && settings.when_spent != WhenSpent::downgrade)
    keys.fault("stop_at", {"only a budget that downgrades goes on when it is spent, and has to be stopped",
                           "write when_spent: {downgrade_to: MODEL}, or remove it"});
  else if (entry.stop_at && *entry.stop_at < settings.amount)
    keys.fault("stop_at", {"must not be less than the amount"});
  if (entry.alert_at.size() > policy::most_thresholds) keys.fault("alert_at", {"at most 8 shares"});
  if (settings.forecast && settings.window == policy::Window::total)
    keys.fault("forecast", {"a budget over all time has no end to foresee"});
}

}  // namespace

void describe(Keys& keys, BudgetEntry& entry) {
  policy::BudgetSettings& settings = entry.settings;
  keys.key("name", "what reports and errors call it; what is spent goes by it over every other change",
           placed(text(settings.name, check_budget_name, name_pattern(Star::refused)), entry.spot), Need::required);
  keys.key("amount", "how much may be spent in each window", money(settings.amount, amounts), Need::required);
  keys.key("window", "over which time: hour, day, week (from Monday), month, quarter, year or total",
           window(settings.window));
  keys.key("timezone", "whose clocks and calendar the windows follow: a name of the IANA database",
           time_zone(settings.zone));
  keys.key("when_spent",
           "reject; {downgrade_to: MODEL}; alert: go on; shadow: go on and count what would have been refused",
           when_spent(entry));
  keys.key("stop_at", "what downgraded requests are held to; default: the amount",
           optional_of(entry.stop_at, [](Money& value) { return money(value, amounts); }));
  keys.key("alert_at", "shares of the amount that somebody is told of, once in each window",
           list_of(entry.alert_at, alert_share));
  keys.key("forecast", "tell also, once, when the window will end above the amount if all goes on like this",
           flag(settings.forecast));
  keys.key("notify", "who is told: names of alerts",
           list_of(entry.notify, [](Name& name) { return name_of(name, Star::refused); }));
  keys.key("volatile", "whether it may begin at 0 with every start of the gateway", flag(settings.is_volatile));
  check(keys, entry);
}

void describe_budgets(Keys& keys, std::vector<BudgetEntry>& budgets, std::string_view key, std::string_view meaning) {
  keys.key(key, meaning, list_of(budgets, [](BudgetEntry& budget) { return block_of(budget); }));
  if (budgets.size() > policy::most_budgets_of_one) keys.fault(key, {"at most 4 budgets"});
}

Scalar placed(Scalar scalar, Spot& spot) {
  scalar.read = [read = std::move(scalar.read), &spot](const std::string& text, const Place& place) {
    spot = place.spot;
    return read(text, place);
  };
  return scalar;
}

}  // namespace tollgate::config
