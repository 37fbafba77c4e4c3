#pragma once
#include <cstddef>
#include <string_view>

namespace tollgate::simulator {

/// What a model of Anthropic's takes and refuses. The defaults are those of any name that is not one of Anthropic's:
/// nothing is refused.
struct ModelRules {
  bool sampling = true;        ///< temperature, top_p and top_k, with the old version of the API
  bool both_samplings = true;  ///< temperature beside top_p
  bool budget = true;          ///< thinking enabled with budget_tokens
  bool adaptive = true;
  bool between_tools = true;
  bool may_not_think = true;    ///< thinking disabled
  bool thinks_unasked = false;  ///< without a word on thinking
  bool shows_thinking = true;   ///< where `display` is not said
  bool forced_tool = true;      ///< tool_choice any and tool, while it does not think
  bool prefill = true;          ///< an assistant's turn at the end
  bool system_turns = true;
  std::string_view efforts = "low medium high xhigh max";
  std::size_t context = 0;     ///< tokens; 0: no limit
  std::size_t max_output = 0;  ///< tokens; 0: no limit
};

/// The rules of a model, steering taken off.
ModelRules rules_of(std::string_view model);

}  // namespace tollgate::simulator
