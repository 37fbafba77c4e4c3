#pragma once
// A chat completion as a request of Anthropic's Messages API (platform.claude.com/docs, versions 2023-06-01 and
// 2026-10-21). docs/claude.md has the table: each field is mapped, dropped or refused.
#include "tollgate/base/result.hpp"
#include "tollgate/protocol/translation.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol::anthropic {

/// Of `anthropic-version`.
enum class Version : std::uint8_t { v2023_06_01, v2026_10_21 };
constexpr std::string_view name_of(Version version) {
  return version == Version::v2023_06_01 ? "2023-06-01" : "2026-10-21";
}

/// What the way back has to know of the request.
struct ChatShape {
  bool include_usage = false;  ///< the stream ends with a usage chunk
  std::string answer_tool;     ///< a tool that stands for response_format: its input is the content; empty: none
  bool bare_json = false;      ///< json_object: a code fence around the whole content is taken off
  std::vector<std::string> custom_tools;  ///< tools of free text: their one string `input` is what was called with
  bool operator==(const ChatShape&) const = default;
};

struct ToMessages {
  std::string_view model;  ///< the provider's name of it
  Version version = Version::v2023_06_01;
  std::optional<std::uint64_t> max_tokens{};  ///< for a request that sets no limit; else the model's default
  bool strict = false;                        ///< what would be dropped is refused
  const ThoughtSource* thoughts = nullptr;    ///< null: none are known
};

struct MessagesRequest {
  std::string body;
  std::vector<std::string> dropped;  ///< the client's fields that have no effect, by name, in the table's order
  ChatShape shape;
};

/// Translates the body of a chat completion that scan_request() accepts. Refused with bad_request, `param` naming the
/// field, is what has no equal and would change the answer's meaning. Linear in the body.
Result<MessagesRequest> to_messages(std::string_view chat, const ToMessages& terms);

}  // namespace tollgate::protocol::anthropic
