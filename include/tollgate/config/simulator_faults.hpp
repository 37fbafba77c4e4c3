#pragma once
#include <array>
#include <string_view>

namespace tollgate::config {

/// Every name that `simulator.faults` may hold, so that a slip in one is refused. docs/simulator.md says what each
/// does.
inline constexpr std::array<std::string_view, 30> simulator_faults{"rate_limit",
                                                                   "rate_limit_date",
                                                                   "rate_limit_ms",
                                                                   "rate_limit_plain",
                                                                   "quota",
                                                                   "error_500",
                                                                   "error_502",
                                                                   "error_503",
                                                                   "error_529",
                                                                   "unauthorized",
                                                                   "payment_required",
                                                                   "forbidden",
                                                                   "bad_request",
                                                                   "hang_before_head",
                                                                   "hang_mid_stream",
                                                                   "reset_before_head",
                                                                   "reset_mid_stream",
                                                                   "close_before_head",
                                                                   "close_before_content",
                                                                   "close_mid_stream",
                                                                   "end_without_done",
                                                                   "short_without_done",
                                                                   "malformed_event",
                                                                   "error_event",
                                                                   "error_first",
                                                                   "role_then_hang",
                                                                   "slow_bytes",
                                                                   "garbage_head",
                                                                   "wrong_length",
                                                                   "empty_choices"};

}  // namespace tollgate::config
