#pragma once
#include "tollgate/base/result.hpp"

#include "simulator/call.hpp"
#include "simulator/messages_ask.hpp"
#include "simulator/messages_models.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::simulator {

/// Nothing: all is well.
using Refused = std::optional<Failure>;

/// A 400 in Anthropic's words: "path: what is wrong".
Failure invalid_request(const std::string& path, const std::string& what);

/// Null if the member is missing or null.
const nlohmann::json* field(const nlohmann::json& object, const char* name);
/// The text of a member, "" if there is none.
std::string_view text_field(const nlohmann::json& object, const char* name);

/// Refuses what is no object, and members that are not listed.
Refused only_fields(const nlohmann::json& object, std::span<const std::string_view> known, const std::string& path);
/// Refuses text without a character that can be seen.
Refused visible_text(std::string_view text, const std::string& path);

/// What a request is judged by.
struct MessagesRules {
  ModelRules model;
  bool counting = false;  ///< count_tokens
  bool newest = false;    ///< version 2026-10-21
  bool thinks = false;
  bool has_budget = false;  ///< thinking enabled, the kind that insists on seeing its blocks again
};

/// Where a block stands.
enum class Place : std::uint8_t { system, user, assistant, result };

/// Refuses a block that is not of a known type, stands where it may not, or is not made as its type has it. Blocks
/// within a tool_result are not looked at.
Refused check_block(const nlohmann::json& block, const std::string& path, Place place, const MessagesRules& rules);

/// Neighbouring messages of one role, as the API puts them together.
struct Turn {
  std::string_view role;
  std::string path;                                                   ///< of its first message
  std::vector<std::pair<std::string, const nlohmann::json*>> blocks;  ///< with their paths
};

/// Refuses turns in a wrong order, calls and results that do not belong together, and thinking that was lost or
/// changed.
Refused check_turns(const std::vector<Turn>& turns, const MessagesRules& rules);

/// Reads the prompt in the order in which it is cached: tools, system, messages. Texts and tokens go into the call,
/// every place where a prefix may end into the ask. One use.
class PromptReader {
 public:
  PromptReader(Call& call, MessagesAsk& ask, const MessagesRules& rules) : call_(call), ask_(ask), rules_(rules) {}

  Refused tools(const nlohmann::json& tools);
  Refused system(const nlohmann::json& system);
  Refused messages(const nlohmann::json& messages);
  /// The mark on the request itself stands for one on its last block. To be called last.
  Refused own_mark(const nlohmann::json& body);
  /// Of the last turn, if it is the user's.
  const Wishes& wishes() const { return wishes_; }

 private:
  Refused message(const nlohmann::json& message, const std::string& path, std::vector<Turn>& turns);
  Refused block(const nlohmann::json& block, const std::string& path, Place place);
  Refused inner_blocks(const nlohmann::json& result, const std::string& path);
  Refused mark(const nlohmann::json& holder, const std::string& path);
  void count(const nlohmann::json& block);
  void end_block(const nlohmann::json& block);

  Call& call_;
  MessagesAsk& ask_;
  const MessagesRules& rules_;
  Wishes wishes_;
  std::deque<nlohmann::json> made_;  ///< blocks for contents that are plain texts
  std::uint64_t digest_ = digest_start;
  std::size_t marks_ = 0;
  bool short_mark_seen_ = false;
  std::optional<CacheLife> mark_;  ///< of the block that is being read
};

}  // namespace tollgate::simulator
