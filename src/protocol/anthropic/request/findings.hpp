#pragma once
// What a translation finds on its way that the caller is told: the first reason to refuse the request, and what of it
// has no effect.
#include "tollgate/base/result.hpp"

#include "protocol/anthropic/request/chat_fields.hpp"

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::request {

inline constexpr std::string_view unsupported_parameter = "unsupported_parameter";
inline constexpr std::string_view unsupported_value = "unsupported_value";

class Findings {
 public:
  /// Strict: what would be dropped is refused.
  explicit Findings(bool strict) : strict_(strict) {}

  /// Returns false, so that it can be returned. Only the first one counts.
  bool refuse(std::string message, std::string_view param, std::string_view code = {});
  /// By the field's own row.
  bool refuse(Field field, std::string_view param);
  /// False where that is refused. The param is the field's name, unless it is given.
  bool drop(Field field, std::string_view param = {});
  /// A field of the top level that no row is about.
  bool drop_unknown(std::string_view name);

  bool refused() const { return failure_.has_value(); }
  const Failure& failure() const { return *failure_; }
  /// In the table's order, then those that are in no row.
  std::vector<std::string> dropped() const;

 private:
  bool strict_;
  std::optional<Failure> failure_;
  std::bitset<static_cast<std::size_t>(Field::count)> dropped_;
  std::vector<std::string> unknown_;
};

/// "messages[3]" and the like; with a member's name after it, if there is one.
std::string place_of(std::string_view list, std::size_t index, std::string_view member = {});

}  // namespace tollgate::protocol::anthropic::request
