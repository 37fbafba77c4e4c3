#pragma once
#include <string>
#include <string_view>

namespace tollgate::simulator {

/// What a provider puts beside its thinking to know it again: a keyed digest of the text, in base64. Every simulator
/// knows the thinking of every other, as every machine of a provider does.
std::string signature_of(std::string_view thinking);

/// The data of a redacted_thinking block, made of a name that no other block has.
std::string redacted_data(std::string_view name);
bool is_redacted_data(std::string_view data);

/// What ids of calls begin with that were made after thinking: without it they may not come back.
inline constexpr std::string_view thought_call_prefix = "toolu_simt_";
inline constexpr std::string_view plain_call_prefix = "toolu_sim_";

}  // namespace tollgate::simulator
