#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tollgate::protocol::anthropic::inbound {

/// Gives each call of an answer an id that Anthropic's clients take and no other call of it has.
class CallIds {
 public:
  /// `answer` names the answer, by text fit for an id.
  explicit CallIds(std::string_view answer) : answer_(answer) {}

  /// The provider's own id where it fits and is new; empty: it has given none.
  std::string give(std::string_view id);

 private:
  std::string answer_;
  std::unordered_set<std::string> given_;
};

}  // namespace tollgate::protocol::anthropic::inbound
