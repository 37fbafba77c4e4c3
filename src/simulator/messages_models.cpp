// The differences between Anthropic's models as far as a request can run into them: a table, in the families' order.
#include "simulator/messages_models.hpp"

#include <array>
#include <cstdint>

namespace tollgate::simulator {

namespace {

enum class Family : std::uint8_t { four_five, opus_four_five, four_six, four_seven, five, five_five, always };

struct Row {
  std::string_view prefix;
  Family family;
  bool forced_tool;
  bool system_turns;
};

// Longer prefixes before shorter ones.
constexpr std::array<Row, 16> rows = {{
    {"claude-haiku-4-5", Family::four_five, true, false},
    {"claude-sonnet-4-5", Family::four_five, true, false},
    {"claude-opus-4-5", Family::opus_four_five, true, false},
    {"claude-opus-4-6", Family::four_six, true, false},
    {"claude-sonnet-4-6", Family::four_six, true, false},
    {"claude-opus-4-7", Family::four_seven, true, false},
    {"claude-opus-4-8", Family::four_seven, true, true},
    {"claude-sonnet-5-5", Family::five_five, false, false},
    {"claude-opus-5-5", Family::always, false, true},
    {"claude-haiku-5-5", Family::four_seven, true, false},
    {"claude-sonnet-5", Family::five, true, false},
    {"claude-opus-5", Family::five, true, true},
    {"claude-fable-5-1", Family::always, false, true},
    {"claude-fable-5-2", Family::always, false, true},
    {"claude-fable-5", Family::always, true, true},
    {"claude-mythos", Family::always, true, true},
}};

ModelRules since_four_seven() {
  ModelRules rules;
  rules.sampling = rules.both_samplings = rules.budget = rules.between_tools = false;
  rules.shows_thinking = rules.prefill = false;
  rules.context = 1'000'000;
  rules.max_output = 128'000;
  return rules;
}

ModelRules rules_of(Family family) {
  ModelRules rules;
  rules.both_samplings = rules.between_tools = false;
  rules.context = 200'000;
  rules.max_output = 64'000;
  switch (family) {
    case Family::four_five:
      rules.adaptive = false;
      rules.efforts = "";
      return rules;
    case Family::opus_four_five:
      rules.adaptive = false;
      rules.efforts = "low medium high";
      return rules;
    case Family::four_six:
      rules.prefill = false;
      rules.efforts = "low medium high max";
      rules.context = 1'000'000;
      rules.max_output = 128'000;
      return rules;
    case Family::four_seven: return since_four_seven();
    case Family::five:
    case Family::five_five:
    case Family::always:
      rules = since_four_seven();
      rules.thinks_unasked = true;
      rules.between_tools = family == Family::five_five;
      rules.may_not_think = family != Family::always;
      return rules;
  }
  return rules;
}

}  // namespace

ModelRules rules_of(std::string_view model) {
  for (const Row& row : rows) {
    if (!model.starts_with(row.prefix)) continue;
    ModelRules rules = rules_of(row.family);
    rules.forced_tool = row.forced_tool;
    rules.system_turns = row.system_turns;
    return rules;
  }
  return {};
}

}  // namespace tollgate::simulator
