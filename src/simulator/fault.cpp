#include "tollgate/simulator/fault.hpp"

#include <algorithm>
#include <array>

namespace tollgate::simulator {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 30> fault_names = {"rate_limit",
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
static_assert(fault_names.size() == static_cast<std::size_t>(Fault::empty_choices) + 1);

}  // namespace

std::string_view name_of(Fault fault) { return fault_names[static_cast<std::size_t>(fault)]; }

std::optional<Fault> fault_named(std::string_view name) {
  const auto found = std::find(fault_names.begin(), fault_names.end(), name);
  if (found == fault_names.end()) return std::nullopt;
  return static_cast<Fault>(found - fault_names.begin());
}

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> all = [] {
    std::vector<Fault> faults;
    for (std::size_t i = 0; i < fault_names.size(); ++i) faults.push_back(static_cast<Fault>(i));
    return faults;
  }();
  return all;
}

}  // namespace tollgate::simulator
