#pragma once
// Whether and how a model thinks, and by what it samples, which it does not do freely while it thinks.
#include "protocol/anthropic/request/findings.hpp"
#include "protocol/anthropic/request/model_rules.hpp"
#include "protocol/json_write.hpp"

#include <optional>
#include <string>

namespace tollgate::protocol::anthropic::request {

struct ThinkingWishes {
  json::Value effort;            ///< reasoning_effort
  json::Value thinking;          ///< Anthropic's own field
  std::uint64_t max_tokens = 0;  ///< of the answer, thinking included
  bool forced = false;           ///< a tool must be called
  bool unthought = false;        ///< the last calls' thoughts are not known, which only some models mind
};

struct ThinkingPlan {
  std::string thinking;          ///< the field as JSON; empty: left out
  std::optional<Effort> effort;  ///< output_config.effort
  bool thinks = false;
};

/// False where the wishes are refused.
bool plan_thinking(const ThinkingWishes& wishes, const ModelRules& rules, ThinkingPlan& plan, Findings& findings);

struct SamplingWishes {
  json::Value temperature, top_p, top_k;
  bool allowed = false;  ///< by the model, the API's version and because it does not think
};

/// Writes what there is to write. False where a wish is refused.
bool write_sampling(json::Writer& writer, const SamplingWishes& wishes, const ModelRules& rules, Findings& findings);

}  // namespace tollgate::protocol::anthropic::request
