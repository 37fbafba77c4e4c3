#pragma once
// What each model takes, as data: models.txt beside this has the rows and says what the columns mean.
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::request {

/// From least to most.
enum class Effort : std::uint8_t { low, medium, high, xhigh, max };
inline constexpr std::array<std::string_view, 5> effort_names = {"low", "medium", "high", "xhigh", "max"};
std::optional<Effort> effort_named(std::string_view name);

enum class Sampling : std::uint8_t { both, one, none };
enum class Thinking : std::uint8_t { none, budget, adaptive, on, always };
enum class Forced : std::uint8_t { yes, unthinking, no };

struct ModelRules {
  std::string name;  ///< or what the names begin with, in dashes; `*`: every other model
  Sampling sampling = Sampling::none;
  Thinking thinking = Thinking::none;
  bool text_if_asked = false;       ///< what was thought is told only to who asks for it
  std::optional<Effort> off_up_to;  ///< the highest effort at which thinking can be switched off
  std::vector<Effort> efforts;      ///< from least to most; empty: none
  Forced forced = Forced::no;
  bool prefill = false;
  bool format = false;  ///< output_config.format, and strict tools
  bool fast = false;
  std::uint64_t default_tokens = 0;
  std::uint64_t most_tokens = 0;
  Version version = Version::v2023_06_01;

  bool thinks_unasked() const { return thinking == Thinking::on || thinking == Thinking::always; }
  /// The highest level it has up to the wished one, else its lowest; nothing where it has none.
  std::optional<Effort> nearest(Effort wished) const;
};

/// The rows of such a table; nothing where one cannot be read.
std::optional<std::vector<ModelRules>> read_model_rules(std::string_view table);
/// Those of models.txt.
const std::vector<ModelRules>& model_rules();

/// By the name that a provider knows the model by: "claude-opus-4.7", "claude-haiku-4-5-20251001", with whatever
/// stands before "claude-".
const ModelRules& rules_of(std::string_view model);

}  // namespace tollgate::protocol::anthropic::request
