#pragma once
// Where an answer or an event says what it used, and how the dialects write it. docs/usage.md is the table of it.
#include "tollgate/protocol/usage_part.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/same.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::protocol::openai {

/// Steps over the next value, an object: the `usage` of OpenAI, Anthropic or whoever writes like them. What it reports
/// is put into `into`, or nothing where it cannot be believed.
void take_usage(json::Reader& reader, std::optional<UsagePart>& into);

/// The same for `usageMetadata`, which is Gemini's own.
void take_usage_metadata(json::Reader& reader, std::optional<UsagePart>& into);

/// The tier that a value names, as written. Nothing where it is none or unknown: then it says nothing.
std::optional<ServiceTier> tier_of(std::string_view value);

/// Is shown the members of one object (an answer, an event, or what is nested there) and takes those that tell of
/// usage. The text must outlive it.
class UsageFinder {
 public:
  /// Takes the value of the member at hand, if it is one of its own; otherwise nothing is touched.
  [[gnu::always_inline]] bool take(json::Reader& reader) {
    const std::string_view key = reader.key();
    switch (key.size()) {
      case 4:
        if (!same(key, "type")) return false;
        type_ = reader.take().text;
        return true;
      case 5:
        if (!same(key, "usage")) return false;
        take_report(reader, take_usage);
        return true;
      case 10:
        if (!same(key, "tool_usage")) return false;
        take_tool_usage(reader);
        return true;
      case 12:
        if (!same(key, "service_tier")) return false;
        tier_ = reader.take().text;
        return true;
      case 13:
        if (!same(key, "usageMetadata")) return false;
        take_report(reader, take_usage_metadata);
        return true;
      default: return false;
    }
  }

  /// The member `type` so far, as written; empty where there is none.
  std::string_view type() const { return type_; }
  /// Whether there was an object where usage stands, believed or not.
  bool seen() const { return seen_; }
  bool found() const { return part_.has_value(); }
  /// The last report, where it can be believed, with what the object says beside it. Only where found(), and after the
  /// last member.
  const UsagePart& part();

 private:
  void take_report(json::Reader& reader, void (*read)(json::Reader&, std::optional<UsagePart>&));
  void take_tool_usage(json::Reader& reader);

  std::optional<UsagePart> part_;
  std::string_view type_, tier_;  ///< as written
  std::optional<std::uint64_t> searches_;
  bool seen_ = false;
};

/// Steps over the next value; where it is an object whose own members tell of usage, that is put into `into`.
void take_nested_usage(json::Reader& reader, std::optional<UsagePart>& into);

}  // namespace tollgate::protocol::openai
