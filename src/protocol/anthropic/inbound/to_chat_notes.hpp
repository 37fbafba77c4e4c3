#pragma once
#include "tollgate/base/result.hpp"

#include "protocol/anthropic/inbound/message_fields.hpp"

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic::inbound {

/// What a translation has to say beside its result: what was left out, and why it has failed.
class Notes {
 public:
  /// The field had no effect; its fate in the table may be another where only this use of it is meant.
  void leave_out(std::size_t field) { left_out_.set(field); }
  /// A field that the table does not have. Names that are no plain words are told as such, and only so many at all.
  void leave_out_unknown(std::string_view name);

  /// Always false. The first one counts.
  bool refuse(std::string message, std::string_view param);
  const std::optional<Failure>& failure() const { return failure_; }

  /// What was left out, in the table's order, then what it does not know.
  std::vector<std::string> names() const;
  /// The first of them that is a loss; empty: none is.
  std::string loss() const;

 private:
  std::bitset<message_fields.size()> left_out_;
  std::vector<std::string> unknown_;
  std::optional<Failure> failure_;
};

}  // namespace tollgate::protocol::anthropic::inbound
