#pragma once
#include "tollgate/protocol/openai/request.hpp"

#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic {

/// What to cut out of a message request that goes to Anthropic otherwise byte for byte: thinking blocks whose signature
/// begins with foreign_signature, which it would refuse. Lists stay valid JSON; a turn that holds nothing else is cut
/// out whole. Sorted, none overlapping; empty where there is nothing to cut. Linear, and one search for the signature
/// where the body has none.
std::vector<openai::Splice> cut_foreign_thinking(std::string_view body);

/// What switches thinking off in such a request, or nothing. With `thinking: enabled` Anthropic refuses results of
/// calls whose turn does not begin with its own thinking; where somebody else has made calls since the user last spoke,
/// that is not the client's fault. A call is somebody else's if its id does not begin with `toolu_`, as Anthropic's do,
/// or foreign thinking is beside it. Linear, and one search for the setting where the body has none.
std::vector<openai::Splice> end_thinking_of_foreign_loop(std::string_view body);

}  // namespace tollgate::protocol::anthropic
