#pragma once
// Ids of tool calls as Anthropic's API takes them: ^[a-zA-Z0-9_-]+$, and none twice in a request. Clients bring ids
// that other providers gave, with other characters, or with the same few names in each turn.
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

class CallIds {
 public:
  /// For a call's id as the client has it: the id itself, or one made of it and of how often it has come. The same
  /// conversation always gives the same ids.
  std::string take(std::string_view client_id);

 private:
  std::map<std::string, std::size_t, std::less<>> taken_;
};

/// Hex digits of the first half of a text's SHA-256: tells texts apart and does not tell them.
std::string short_digest(std::string_view text);

}  // namespace tollgate::protocol::anthropic::request
